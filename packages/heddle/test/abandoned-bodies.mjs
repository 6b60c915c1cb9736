import { goroutine, gosched } from "heddle";

/** Takes what there is to take, says so, and ends its thread when it is told to, holding it. */
export const holds = goroutine(import.meta, function* holds(kind, object, held, goOn) {
  switch (kind) {
    case "mutex":
    case "write":
      yield* object.lock();
      break;
    case "tryLock":
      if (!object.tryLock()) throw new Error("it is locked");
      break;
    case "read":
      yield* object.rlock();
      yield* object.rlock();
      object.runlock();
      break;
    case "once":
      yield* object.do(function* () {
        yield* held.send(kind);
        yield* goOn.recv();
        process.exit(3);
      });
      break;
    case "permits":
      yield* object.acquire(2);
      break;
  }
  yield* held.send(kind);
  yield* goOn.recv();
  process.exit(3);
});

/** The same in an async body. */
export const holdsAsync = goroutine(import.meta, async function holdsAsync(mutex, held, goOn) {
  await mutex.lock();
  await held.send("async");
  await goOn.recv();
  process.exit(3);
});

/** Locks, says what its guard says, and unlocks. */
export const locksNext = goroutine(import.meta, function* locksNext(mutex) {
  const guard = yield* mutex.lock();
  const said = [guard.abandoned, mutex.abandoned];
  guard[Symbol.dispose]();
  return said;
});

export const callsOnce = goroutine(import.meta, function* callsOnce(once, calls) {
  yield* once.do(() => void calls.add(1));
  return calls.load();
});

export const callsOnceAsync = goroutine(import.meta, async function callsOnceAsync(once, calls) {
  await once.do(() => void calls.add(1));
  return calls.load();
});

export const callsOnceBlocking = goroutine(import.meta, function callsOnceBlocking(once, calls) {
  once.do(() => void calls.add(1)).block();
  return calls.load();
});

/** Locks and unlocks, many times. */
export const locksOften = goroutine(import.meta, function* locksOften(mutex, times) {
  for (let i = 0; i < times; i++) {
    yield* mutex.lock();
    yield* gosched();
    mutex.unlock();
  }
});

/** Waits for a change, and says beforehand that it is about to. */
export const waitsForChange = goroutine(import.meta, function* waitsForChange(cond, held) {
  yield* cond.mutex.lock();
  yield* held.send("cond");
  yield* cond.wait();
  cond.mutex.unlock();
});
