/** The rules of Go's sync package, and of x/sync's semaphore. */

import {
  AtomicInt,
  Barrier,
  Cond,
  chan,
  checkpoint,
  go,
  goroutine,
  gosched,
  Mutex,
  Once,
  RWMutex,
  Semaphore,
  sleep,
  spawn,
  WaitGroup,
} from "heddle";
import { inEveryForm, KINDS } from "./support/forms.mjs";

function thrown(call) {
  try {
    call();
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
  return "nothing";
}

/** Adds without atomic operations: without exclusion some additions are lost. */
function add(words) {
  const seen = words[0];
  for (let i = 0; i < 10; i++) words[1] = i;
  words[0] = seen + 1;
}

// ── exclusion ──

const adds = inEveryForm(import.meta, function* adds(lock, words, times) {
  for (let i = 0; i < times; i++) {
    const guard = yield lock.lock();
    add(words);
    if (i % 20 === 0) yield sleep(0);
    if (i % 2 === 0) guard[Symbol.dispose]();
    else lock.unlock();
  }
});

/** Bodies of every kind add under one lock. */
export const exclusion = goroutine(import.meta, function* exclusion(what, times) {
  const lock = what === "Mutex" ? new Mutex() : new RWMutex();
  const words = new Int32Array(new SharedArrayBuffer(8));
  const wg = new WaitGroup();
  for (const kind of KINDS) for (let i = 0; i < 3; i++) wg.go(adds[kind], lock, words, times);
  yield* wg.wait();
  return words[0] === 3 * KINDS.length * times;
});

// ── fairness ──

/** Holds the lock nearly all the time, and takes it again at once. */
const hog = goroutine(import.meta, function* hog(mu, stop) {
  while (stop.load() === 0) {
    yield* mu.lock();
    for (let i = 0; i < 20_000; i++) if (stop.load() === 2) break;
    mu.unlock();
    yield* checkpoint();
  }
});

const takesTurns = inEveryForm(import.meta, function* takesTurns(mu, times) {
  for (let i = 0; i < times; i++) {
    yield mu.lock();
    mu.unlock();
  }
  return times;
});

/** The end is the proof: behind a hog that wins every race nobody would ever get the lock. */
export const besideHogs = goroutine(import.meta, function* besideHogs(kind, hogs) {
  const mu = new Mutex();
  const stop = new AtomicInt();
  const wg = new WaitGroup();
  for (let i = 0; i < hogs; i++) wg.go(hog, mu, stop);
  const turns = yield* spawn(takesTurns[kind], mu, 5);
  stop.store(1);
  yield* wg.wait();
  return turns;
});

// ── conditions ──

const awaitsTurn = inEveryForm(import.meta, function* awaitsTurn(mu, cond, ready, awake, name) {
  yield mu.lock();
  yield ready.send(name);
  yield cond.wait();
  yield awake.send(name);
  mu.unlock();
});

/** Who waits, in the order in which they are woken. */
export const condOrder = goroutine(import.meta, function* condOrder(kind, waiters, how) {
  const mu = new Mutex();
  const cond = new Cond(mu);
  const ready = chan();
  const awake = chan(waiters);
  for (let i = 0; i < waiters; i++) {
    go(awaitsTurn[kind], mu, cond, ready, awake, i);
    yield* ready.recv();
    // It holds the mutex until it waits.
    yield* mu.lock();
    mu.unlock();
  }
  const order = [];
  if (how === "broadcast") cond.broadcast();
  for (let i = 0; i < waiters; i++) {
    if (how === "signal") cond.signal();
    order.push(yield* awake.recv());
  }
  cond.signal();
  return order;
});

/** A queue with a bound, as in every textbook. */
const puts = inEveryForm(import.meta, function* puts(queue, from, to) {
  for (let i = from; i < to; i++) {
    yield queue.mu.lock();
    while (queue.state[1] - queue.state[0] === queue.slots.length) yield queue.notFull.wait();
    queue.slots[queue.state[1]++ % queue.slots.length] = i;
    queue.notEmpty.signal();
    queue.mu.unlock();
  }
});

const takes = inEveryForm(import.meta, function* takes(queue, count) {
  const taken = [];
  while (taken.length < count) {
    yield queue.mu.lock();
    while (queue.state[1] === queue.state[0]) yield queue.notEmpty.wait();
    taken.push(queue.slots[queue.state[0]++ % queue.slots.length]);
    queue.notFull.signal();
    queue.mu.unlock();
  }
  return taken;
});

export const boundedQueue = goroutine(import.meta, function* boundedQueue(kind, each) {
  const mu = new Mutex();
  const queue = {
    mu,
    notFull: new Cond(mu),
    notEmpty: new Cond(mu),
    slots: new Int32Array(new SharedArrayBuffer(12)),
    state: new Int32Array(new SharedArrayBuffer(8)),
  };
  const takers = [0, 1, 2].map(() => spawn(takes[kind], queue, each));
  for (let i = 0; i < 3; i++) go(puts[kind], queue, i * each, (i + 1) * each);
  const taken = [];
  for (const taker of takers) taken.push(...(yield* taker));
  return taken.sort((a, b) => a - b).every((value, i) => value === i);
});

// ── orders: an awaited operation stands in its queue at once, so an async function can queue several, one after the other ──

const pending = (log, name, operation) => operation.then(() => void log.push(name));

/** The programs, for an async body and for the host. */
const ORDERS = {
  async "a large request to a semaphore is not overtaken"() {
    const semaphore = new Semaphore(3);
    await semaphore.acquire(2);
    const log = [];
    const large = pending(log, "large", semaphore.acquire(3));
    const small = pending(log, "small", semaphore.acquire(1));
    const overtaken = semaphore.tryAcquire(1);
    semaphore.release(2);
    await large;
    const meanwhile = [...log];
    semaphore.release(3);
    await small;
    semaphore.release(1);
    return { overtaken, meanwhile, log, all: semaphore.tryAcquire(3) };
  },

  async "one release may let several in"() {
    const semaphore = new Semaphore(3);
    await semaphore.acquire(3);
    const log = [];
    const waiting = ["a", "b", "c"].map((name) => pending(log, name, semaphore.acquire()));
    semaphore.release(3);
    await Promise.all(waiting);
    return [log, semaphore.tryAcquire()];
  },

  async "a waiting writer holds off new readers, and readers come before the next writer"() {
    const lock = new RWMutex();
    await lock.rlock();
    const shared = lock.tryRLock();
    lock.runlock();
    const log = [];
    const writer = pending(log, "writer", lock.lock());
    const heldOff = lock.tryRLock();
    const readers = ["first", "second"].map((name) => pending(log, name, lock.rlock()));
    lock.runlock();
    await writer;
    const next = pending(log, "next writer", lock.lock());
    const meanwhile = [...log];
    lock.unlock();
    await Promise.all(readers);
    const between = [...log];
    lock.runlock();
    lock.runlock();
    await next;
    lock.unlock();
    return { shared, heldOff, meanwhile, between, free: lock.tryLock() };
  },

  async "a lock is passed on in the order of the waiters"() {
    const mu = new Mutex();
    await mu.lock();
    const log = [];
    const waiting = ["a", "b", "c"].map((name) => pending(log, name, mu.lock()));
    for (const each of waiting) {
      mu.unlock();
      await each;
    }
    mu.unlock();
    return [log, mu.tryLock()];
  },

  async "a barrier lets all go when the last has come, and begins anew"() {
    const barrier = new Barrier(3);
    const rounds = [];
    for (let round = 0; round < 3; round++) {
      const log = [];
      const first = [1, 2].map((name) => barrier.wait().then((leads) => (log.push(name), leads)));
      const early = log.length;
      const leads = await Promise.all([...first, barrier.wait()]);
      rounds.push([early, leads.filter(Boolean).length]);
    }
    return rounds;
  },

  async "a WaitGroup at zero lets all go, and can be used again"() {
    const wg = new WaitGroup();
    await wg.wait();
    const rounds = [];
    for (let round = 0; round < 3; round++) {
      const log = [];
      wg.add(2);
      const waiting = ["a", "b"].map((name) => pending(log, name, wg.wait()));
      wg.done();
      const early = log.length;
      wg.done();
      await Promise.all(waiting);
      rounds.push([early, log.length]);
    }
    return rounds;
  },

  async "Once calls once, and the others wait for the call"() {
    const once = new Once();
    const log = [];
    const gate = chan();
    const first = once
      .do(function* () {
        yield* gate.recv();
        log.push("called");
      })
      .then(() => void log.push("first"));
    const second = pending(
      log,
      "second",
      once.do(() => void log.push("called again")),
    );
    const early = log.length;
    await gate.send(true);
    await Promise.all([first, second]);
    await once.do(() => void log.push("called again"));
    return [early, log[0], log.slice(1).sort()];
  },

  async "Once is done even if the call throws"() {
    const once = new Once();
    const outcomes = [];
    for (let i = 0; i < 2; i++) {
      try {
        await once.do(() => {
          throw new Error("boom");
        });
        outcomes.push("went through");
      } catch (error) {
        outcomes.push(error.message);
      }
    }
    return outcomes;
  },
};

export const ORDER_BODIES = Object.fromEntries(
  Object.entries(ORDERS).map(([name, program]) => [
    name,
    { async: goroutine(import.meta, program, name), host: program },
  ]),
);

// ── once, across machines ──

const callsOnce = inEveryForm(import.meta, function* callsOnce(once, calls, seen) {
  yield once.do(() => void calls.add(1));
  // Whoever comes through sees the call's effects.
  seen.add(calls.load());
});

export const onceForAll = goroutine(import.meta, function* onceForAll(each) {
  const once = new Once();
  const [calls, seen] = [new AtomicInt(), new AtomicInt()];
  const wg = new WaitGroup();
  for (const kind of KINDS)
    for (let i = 0; i < (kind === "plain" ? 3 : each); i++) wg.go(callsOnce[kind], once, calls, seen);
  yield* wg.wait();
  return [calls.load(), seen.load() === 2 * each + 3];
});

// ── barriers, across machines ──

const goesRounds = inEveryForm(import.meta, function* goesRounds(barrier, counter, leaders, parties, rounds) {
  for (let round = 1; round <= rounds; round++) {
    counter.add(1);
    if (yield barrier.wait()) leaders.add(1);
    // Nobody is a round ahead before all have come, and nobody comes to the next before this look: there are two barriers a round.
    if (counter.load() !== parties * round) return "not all had come";
    yield barrier.wait();
  }
  return "in step";
});

export const barrierRounds = goroutine(import.meta, function* barrierRounds(kind, parties, rounds) {
  const barrier = new Barrier(parties);
  const [counter, leaders] = [new AtomicInt(), new AtomicInt()];
  const handles = Array.from({ length: parties }, () =>
    spawn(goesRounds[kind], barrier, counter, leaders, parties, rounds),
  );
  const steps = new Set();
  for (const handle of handles) steps.add(yield* handle);
  return [[...steps], leaders.load()];
});

// ── semaphores, across machines ──

const borrows = inEveryForm(import.meta, function* borrows(semaphore, used, permits, n, times) {
  for (let i = 0; i < times; i++) {
    yield semaphore.acquire(n);
    const now = used.add(n);
    if (now > permits) return "too many";
    if (i % 5 === 0) yield sleep(0);
    used.add(-n);
    semaphore.release(n);
  }
  return "within";
});

export const borrowing = goroutine(import.meta, function* borrowing(kind, times) {
  const semaphore = new Semaphore(4);
  const used = new AtomicInt();
  const handles = [1, 2, 3, 4, 1, 2].map((n) => spawn(borrows[kind], semaphore, used, 4, n, times));
  const outcomes = new Set();
  for (const handle of handles) outcomes.add(yield* handle);
  return [[...outcomes], used.load(), semaphore.tryAcquire(4)];
});

// ── atomics ──

const increments = inEveryForm(import.meta, function* increments(counter, maximum, times) {
  for (let i = 0; i < times; i++) {
    counter.add(1);
    for (;;) {
      const seen = maximum.load();
      if (maximum.compareAndSwap(seen, seen + 2)) break;
    }
  }
  yield sleep(0);
});

export const counting = goroutine(import.meta, function* counting(times) {
  const [counter, maximum] = [new AtomicInt(5), new AtomicInt()];
  const wg = new WaitGroup();
  for (const kind of KINDS) for (let i = 0; i < 2; i++) wg.go(increments[kind], counter, maximum, times);
  yield* wg.wait();
  return [counter.load() - 5, maximum.load(), counter.swap(1), counter.compareAndSwap(2, 3), counter.add(-1)];
});

// ── mistakes ──

/** What Go says to them. In Go they end the process; here the caller is thrown the text. */
export const mistakes = inEveryForm(import.meta, function* mistakes() {
  yield sleep(0);
  const guarded = new Mutex();
  const guard = yield guarded.lock();
  guard[Symbol.dispose]();
  guard[Symbol.dispose]();
  const semaphore = new Semaphore(2);
  const cond = new Cond(new Mutex());
  let unheld;
  try {
    yield cond.wait();
  } catch (error) {
    unheld = `${error.name}: ${error.message}`;
  }
  return {
    "Mutex.unlock": thrown(() => new Mutex().unlock()),
    "a guard, twice": guarded.tryLock(),
    "RWMutex.unlock": thrown(() => new RWMutex().unlock()),
    "RWMutex.runlock": thrown(() => new RWMutex().runlock()),
    "WaitGroup.done": thrown(() => new WaitGroup().done()),
    "WaitGroup.add": thrown(() => new WaitGroup().add(-1)),
    "Semaphore.release": thrown(() => semaphore.release()),
    "Cond.wait": unheld,
  };
});

/** A mutex belongs to nobody: another goroutine, of another kind, may unlock it. */
export const unlockedByAnother = goroutine(import.meta, function* unlockedByAnother(kind) {
  const mu = new Mutex();
  yield* mu.lock();
  const other = spawn(unlocks[kind], mu);
  yield* mu.lock();
  yield* other;
  const locked = !mu.tryLock();
  mu.unlock();
  return locked;
});

const unlocks = inEveryForm(import.meta, function* unlocks(mu) {
  yield sleep(0);
  mu.unlock();
});

/** The members' ends count also when they throw away their result, exit, or wait. */
const works = inEveryForm(import.meta, function* works(counter) {
  yield sleep(0.1);
  counter.add(1);
  return "nobody asks";
});

export const groupGo = goroutine(import.meta, function* groupGo(kind, count) {
  const wg = new WaitGroup();
  const counter = new AtomicInt();
  for (let i = 0; i < count; i++) wg.go(works[kind], counter);
  yield* wg.wait();
  yield* gosched();
  return counter.load();
});
