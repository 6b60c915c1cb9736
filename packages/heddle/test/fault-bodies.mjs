import { threadId } from "node:worker_threads";
import { chan, goroutine, select, sleep, spawn } from "heddle";

export const answer = goroutine(import.meta, function* answer() {
  return 42;
});

export const exits = goroutine(import.meta, function* exits() {
  process.exit(3);
});

export const fib = goroutine(import.meta, function* fib(n) {
  if (n < 2) return n;
  const one = spawn(fib, n - 1);
  const other = spawn(fib, n - 2);
  return (yield* one) + (yield* other);
});

const counts = goroutine(import.meta, function* counts(starts, place) {
  starts.add(1);
  return place;
});

/** Fills its processor's queue, hands the handles over, and ends the thread before any of them can begin there. */
export const spawnsAndExits = goroutine(import.meta, function spawnsAndExits(starts, handles, count) {
  const started = [];
  for (let place = 0; place < count; place++) started.push(spawn(counts, starts, place));
  handles.trySend(started);
  process.exit(3);
});

/** Says where it lives, then waits. */
export const lives = goroutine(import.meta, function* lives(homes, goOn) {
  yield* homes.send(threadId);
  yield* goOn.recv();
  return threadId;
});

/** Says where it lives, and ends that thread when it is told to. */
export const livesAndExits = goroutine(import.meta, function* livesAndExits(homes, goOn) {
  yield* homes.send(threadId);
  yield* goOn.recv();
  process.exit(3);
});

export const hoarding = goroutine(import.meta, function hoarding() {
  const hoard = [];
  for (;;) hoard.push(Array.from({ length: 1000 }, () => hoard.length));
});

/** Throws from a timer, in nobody's name. */
export const throwsFromTimer = goroutine(import.meta, function* throwsFromTimer() {
  setTimeout(() => {
    throw new Error("stray");
  }, 1);
  yield* sleep(60_000);
});

/** A rejection that nobody handles. */
export const rejectsUnseen = goroutine(import.meta, async function rejectsUnseen() {
  void Promise.reject(new Error("unseen"));
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});

/** Recurses without end. */
export const overflows = goroutine(import.meta, function overflows() {
  return overflows() + 1;
});

/** Holds its thread until somebody sends. */
export const blocks = goroutine(import.meta, function blocks(homes, goOn) {
  homes.trySend(threadId);
  return goOn.recv().block();
});

/** Waits in a queue of the kind, having told where it lives. */
export const waitsIn = goroutine(import.meta, function* waitsIn(kind, object, homes) {
  yield* homes.send(threadId);
  switch (kind) {
    case "send":
      return yield* object.send("a value that takes more than eight bytes");
    case "receive":
      return yield* object.recv();
    case "select":
      return yield* select(object.send("another value of more than eight bytes"), chan().recv());
    case "lock":
      return void (yield* object.lock());
    case "write lock":
      return void (yield* object.lock());
    case "read lock":
      return void (yield* object.rlock());
    case "permits":
      return yield* object.acquire(1);
    case "WaitGroup":
    case "Barrier":
      return void (yield* object.wait());
    case "Cond":
      yield* object.mutex.lock();
      return yield* object.wait();
    case "join":
      return yield* object;
    case "sleep":
      return yield* sleep(60_000);
  }
});

export const produces = goroutine(import.meta, function* produces(out, count) {
  for (let i = 0; i < count; i++) yield* out.send(i % 3 === 0 ? i : `value number ${i}, longer than a slot`);
  return count;
});

export const consumes = goroutine(import.meta, function* consumes(from) {
  let count = 0;
  while ((yield* from.recvOk())[1]) count++;
  return count;
});

export const naps = goroutine(import.meta, function* naps(times) {
  for (let i = 0; i < times; i++) yield* sleep(0.2);
  return times;
});
