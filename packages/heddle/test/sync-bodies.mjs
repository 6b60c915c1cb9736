// Bodies for the thread tests of sync primitives.

import {
  AtomicInt,
  Barrier,
  Cond,
  checkpoint,
  context,
  goroutine,
  gosched,
  Mutex,
  Once,
  RWMutex,
  Semaphore,
  spawn,
  WaitGroup,
} from "heddle";

/** Adds without atomic operations: only the mutex keeps additions from being lost. */
function add(counts) {
  const seen = counts[0];
  for (let i = 0; i < 20; i++) counts[1] = i;
  counts[0] = seen + 1;
}

export const count = goroutine(import.meta, function* count(mu, counts, times) {
  for (let i = 0; i < times; i++) {
    const guard = yield* mu.lock();
    add(counts);
    if (i % 100 === 0) yield* gosched();
    guard[Symbol.dispose]();
  }
});

export const countAsync = goroutine(import.meta, async function countAsync(mu, counts, times) {
  for (let i = 0; i < times; i++) {
    const guard = await mu.lock();
    add(counts);
    if (i % 100 === 0) await gosched();
    guard[Symbol.dispose]();
  }
});

export const countBlocking = goroutine(import.meta, function countBlocking(mu, counts, times) {
  for (let i = 0; i < times; i++) {
    mu.lock().block();
    add(counts);
    mu.unlock();
  }
});

export const countTrying = goroutine(import.meta, function* countTrying(mu, counts, times) {
  for (let i = 0; i < times; i++) {
    while (!mu.tryLock()) yield* gosched();
    add(counts);
    mu.unlock();
  }
});

/** Counts with goroutines of these bodies at once. */
export const countTogether = goroutine(import.meta, function* countTogether(names, times) {
  const bodies = { count, countAsync, countBlocking, countTrying };
  const mu = new Mutex();
  const counts = new Int32Array(new SharedArrayBuffer(8));
  const handles = names.map((name) => spawn(bodies[name], mu, counts, times));
  for (const handle of handles) yield* handle;
  return counts[0];
});

export const makeMutex = goroutine(import.meta, function makeMutex() {
  return new Mutex();
});

/** Takes the lock again as soon as it has let it go, and works while it holds it. */
export const hog = goroutine(import.meta, function* hog(mu, stop) {
  while (stop.load() === 0) {
    yield* mu.lock();
    const until = performance.now() + 0.1;
    while (performance.now() < until);
    mu.unlock();
    // The other may live on this very machine.
    yield* checkpoint();
  }
});

/** Gets the lock ten times; the milliseconds it took. */
export const beside = goroutine(import.meta, function* beside(mu) {
  const begin = performance.now();
  for (let i = 0; i < 10; i++) {
    yield* mu.lock();
    mu.unlock();
    yield* gosched();
  }
  return performance.now() - begin;
});

export const besideHog = goroutine(import.meta, function* besideHog() {
  const mu = new Mutex();
  const stop = new AtomicInt();
  const other = spawn(hog, mu, stop);
  const took = yield* spawn(beside, mu);
  stop.store(1);
  yield* other;
  return took;
});

export const lockAndCount = goroutine(import.meta, function* lockAndCount(mu, counts, times) {
  let added = 0;
  try {
    for (let i = 0; i < times; i++) {
      yield* mu.lock();
      try {
        add(counts);
        added++;
        if (i % 7 === 0) yield* gosched();
      } finally {
        mu.unlock();
      }
    }
  } catch {}
  return added;
});

/** Cancels some of those that lock while they do. Returns what was added, what they say they added, and whether the mutex is free. */
export const cancelSome = goroutine(import.meta, function* cancelSome(rounds) {
  const mu = new Mutex();
  const counts = new Int32Array(new SharedArrayBuffer(8));
  let said = 0;
  for (let round = 0; round < rounds; round++) {
    const handles = Array.from({ length: 8 }, () => spawn(lockAndCount, mu, counts, 50));
    for (let i = 0; i < round % 5; i++) yield* gosched();
    for (let i = 0; i < 8; i += 2) handles[(i + round) % 8].cancel();
    for (const handle of handles) {
      try {
        said += yield* handle;
      } catch {}
    }
  }
  return [counts[0] - said, mu.tryLock()];
});

export const write = goroutine(import.meta, function* write(rw, words, times) {
  for (let i = 0; i < times; i++) {
    const guard = yield* rw.lock();
    words[0]++;
    for (let n = 0; n < 50; n++) words[3] = n;
    if (i % 50 === 0) yield* gosched();
    words[1]++;
    guard[Symbol.dispose]();
  }
});

/** Returns how often it saw one word changed and not the other, or a writer and itself inside. */
export const read = goroutine(import.meta, function* read(rw, words, inside, times) {
  let wrong = 0;
  let most = 0;
  for (let i = 0; i < times; i++) {
    const guard = yield* rw.rlock();
    most = Math.max(most, inside.add(1));
    const first = words[0];
    if (i % 50 === 0) yield* gosched();
    if (words[1] !== first || words[0] !== first) wrong++;
    inside.add(-1);
    guard[Symbol.dispose]();
  }
  return [wrong, most];
});

export const readAndWrite = goroutine(import.meta, function* readAndWrite(times) {
  const rw = new RWMutex();
  const words = new Int32Array(new SharedArrayBuffer(16));
  const inside = new AtomicInt();
  const writers = [0, 1, 2].map(() => spawn(write, rw, words, times));
  const readers = [0, 1, 2, 3, 4].map(() => spawn(read, rw, words, inside, times));
  let wrong = 0;
  let most = 0;
  for (const handle of readers) {
    const outcome = yield* handle;
    wrong += outcome[0];
    most = Math.max(most, outcome[1]);
  }
  for (const handle of writers) yield* handle;
  return { wrong, most, written: words[0], free: rw.tryLock() };
});

const ROOM = 4;

/** A ring in shared memory: words 0 to 3 values, 4 where to take, 5 how many there are. */
export const put = goroutine(import.meta, function* put(notFull, notEmpty, ring, from, times) {
  for (let i = 0; i < times; i++) {
    const guard = yield* notFull.mutex.lock();
    while (ring[5] === ROOM) yield* notFull.wait();
    ring[(ring[4] + ring[5]) % ROOM] = from + i;
    ring[5]++;
    notEmpty.signal();
    guard[Symbol.dispose]();
  }
});

export const take = goroutine(import.meta, async function take(notFull, notEmpty, ring, times) {
  const taken = [];
  for (let i = 0; i < times; i++) {
    const guard = await notEmpty.mutex.lock();
    while (ring[5] === 0) await notEmpty.wait();
    taken.push(ring[ring[4]]);
    ring[4] = (ring[4] + 1) % ROOM;
    ring[5]--;
    guard[Symbol.dispose]();
    notFull.signal();
  }
  return taken;
});

export const boundedBuffer = goroutine(import.meta, function* boundedBuffer(times) {
  const mu = new Mutex();
  const notFull = new Cond(mu);
  const notEmpty = new Cond(mu);
  const ring = new Int32Array(new SharedArrayBuffer(24));
  const takers = [0, 1, 2, 3].map(() => spawn(take, notFull, notEmpty, ring, times));
  const putters = [0, 1, 2, 3].map((n) => spawn(put, notFull, notEmpty, ring, n * times, times));
  for (const handle of putters) yield* handle;
  const all = [];
  for (const handle of takers) all.push(...(yield* handle));
  return all.sort((a, b) => a - b);
});

export const useSome = goroutine(import.meta, function* useSome(semaphore, used, n, times) {
  let most = 0;
  for (let i = 0; i < times; i++) {
    yield* semaphore.acquire(n);
    most = Math.max(most, used.add(n));
    if (i % 20 === 0) yield* gosched();
    used.add(-n);
    semaphore.release(n);
  }
  return most;
});

export const shareSome = goroutine(import.meta, function* shareSome(permits, times) {
  const semaphore = new Semaphore(permits);
  const used = new AtomicInt();
  const handles = [1, 2, 3, 1, 2, 3, 1, 5].map((n) =>
    spawn(useSome, semaphore, used, Math.min(n, permits), times),
  );
  let most = 0;
  for (const handle of handles) most = Math.max(most, yield* handle);
  return [most, semaphore.tryAcquire(permits)];
});

export const rounds = goroutine(import.meta, function* rounds(barrier, at, number, times) {
  let told = 0;
  let early = 0;
  for (let round = 1; round <= times; round++) {
    Atomics.store(at, number, round);
    if (yield* barrier.wait()) told++;
    for (let i = 0; i < at.length; i++) if (Atomics.load(at, i) < round) early++;
  }
  return [told, early];
});

export const roundsTogether = goroutine(import.meta, function* roundsTogether(parties, times) {
  const barrier = new Barrier(parties);
  const at = new Int32Array(new SharedArrayBuffer(4 * parties));
  const handles = Array.from({ length: parties }, (_, number) => spawn(rounds, barrier, at, number, times));
  const sums = [0, 0];
  for (const handle of handles) {
    const outcome = yield* handle;
    sums[0] += outcome[0];
    sums[1] += outcome[1];
  }
  return sums;
});

export const callOnce = goroutine(import.meta, function* callOnce(once, calls, ended) {
  yield* once.do(function* () {
    calls.add(1);
    for (let i = 0; i < 20; i++) yield* gosched();
    ended.store(1);
  });
  return ended.load();
});

export const callOnceAsync = goroutine(import.meta, async function callOnceAsync(once, calls, ended) {
  await once.do(function* () {
    calls.add(1);
    for (let i = 0; i < 20; i++) yield* gosched();
    ended.store(1);
  });
  return ended.load();
});

export const callOnceBlocking = goroutine(import.meta, function callOnceBlocking(once, calls, ended, wg) {
  once
    .do(function* () {
      calls.add(1);
      for (let i = 0; i < 20; i++) yield* gosched();
      yield* wg.wait();
      ended.store(1);
    })
    .block();
  return ended.load();
});

/** Many at once: how often the call was made, and how many went on before it had ended. */
export const callTogether = goroutine(import.meta, function* callTogether(first) {
  const [once, calls, ended, wg] = [new Once(), new AtomicInt(), new AtomicInt(), new WaitGroup()];
  wg.add(1);
  const bodies = { callOnce, callOnceAsync, callOnceBlocking };
  // Async and blocking bodies never together: see sync.test.ts.
  const names = [first, "callOnce", first, "callOnce", first, "callOnce", first];
  const handles = names.map((name) => spawn(bodies[name], once, calls, ended, wg));
  for (let i = 0; i < 50; i++) yield* gosched();
  wg.done();
  let early = 0;
  for (const handle of handles) if ((yield* handle) !== 1) early++;
  return [calls.load(), early];
});

export const waitForCount = goroutine(import.meta, function* waitForCount(wg) {
  yield* wg.wait();
});

/** Waits for a condition in a context that ends while it does. Whether the mutex was held when it was told. */
export const cancelledWait = goroutine(import.meta, function* cancelledWait(cond, waiting) {
  yield* cond.mutex.lock();
  waiting.add(1);
  try {
    yield* cond.wait();
    return "signalled";
  } catch (error) {
    const held = !cond.mutex.tryLock();
    cond.mutex.unlock();
    return `${error.name} ${held}`;
  }
});

export const cancelWaiters = goroutine(import.meta, function* cancelWaiters() {
  const cond = new Cond(new Mutex());
  const waiting = new AtomicInt();
  const handles = Array.from({ length: 8 }, () => spawn(cancelledWait, cond, waiting));
  while (waiting.load() < 8) yield* gosched();
  // Who has counted itself holds the mutex until it waits.
  yield* cond.mutex.lock();
  cond.mutex.unlock();
  const outcomes = [];
  for (const handle of handles) {
    handle.cancel();
    outcomes.push(yield* handle);
  }
  return [outcomes, cond.mutex.tryLock(), context.current().err()];
});
