/** Cancelling goroutines: unstarted, ready, running, and parked in every kind of operation. */

import {
  Barrier,
  Cond,
  chan,
  checkpoint,
  context,
  defer,
  ErrGroup,
  go,
  goroutine,
  gosched,
  Mutex,
  RWMutex,
  Semaphore,
  select,
  shouldYield,
  sleep,
  spawn,
  spawnWith,
  WaitGroup,
} from "heddle";
import { inEveryForm } from "./support/forms.mjs";

const NO_END = 1e9;

function held(lock) {
  lock.tryLock();
  return lock;
}

/** Runs on until `stop` is closed, whatever becomes of whoever started it. */
const holdsOut = goroutine(import.meta, function* holdsOut(stop) {
  yield* stop.recv();
});

/** Operations that nobody serves before `stop` is closed. */
const WAITS = {
  recv: () => chan().recv(),
  recvOk: () => chan(3).recvOk(),
  "send, unbuffered": () => chan().send(1),
  "send, full"() {
    const ch = chan(1);
    ch.trySend(1);
    return ch.send(2);
  },
  "select, receiving": () => select(chan().recv(), chan().recv()),
  "select, sending": () => select(chan().send(1), chan().recv()),
  "select without cases": () => select(),
  sleep: () => sleep(NO_END),
  "Mutex.lock": () => held(new Mutex()).lock(),
  "RWMutex.lock": () => held(new RWMutex()).lock(),
  "RWMutex.lock behind a reader"() {
    const lock = new RWMutex();
    lock.tryRLock();
    return lock.lock();
  },
  "RWMutex.rlock": () => held(new RWMutex()).rlock(),
  "WaitGroup.wait"() {
    const wg = new WaitGroup();
    wg.add(1);
    return wg.wait();
  },
  "Semaphore.acquire"() {
    const semaphore = new Semaphore(2);
    semaphore.tryAcquire(1);
    return semaphore.acquire(2);
  },
  "Barrier.wait": () => new Barrier(2).wait(),
  "a handle": (stop) => spawnWith({ context: context.background() }, holdsOut, stop),
  "ErrGroup.wait"(stop) {
    const group = new ErrGroup(context.background());
    group.go(holdsOut, stop);
    return group.wait();
  },
  "ErrGroup.go at the limit"(stop) {
    const group = new ErrGroup(context.background());
    group.setLimit(1);
    group.go(holdsOut, stop);
    return group.go(holdsOut, stop);
  },
  "Context.done": () => context.withCancel(context.background())[0].done().recv(),
};

export const OPERATIONS = Object.keys(WAITS);

function drained(log) {
  const items = [];
  for (let item = log.tryRecv(); item !== undefined; item = log.tryRecv()) items.push(item[0]);
  return items;
}

function described(error) {
  const own = `${error.name}: ${error.message}`;
  return error.cause === undefined ? own : `${own} < ${error.cause.message}`;
}

/** Waits for ever; what happens on the way out is logged, and waits, too. */
const victim = inEveryForm(import.meta, function* victim(operation, log, stop) {
  defer(function* () {
    yield* sleep(0.1);
    log.trySend("deferred");
  });
  try {
    log.trySend("begun");
    yield WAITS[operation](stop);
    log.trySend("not reached");
  } catch (error) {
    log.trySend(described(error));
    throw error;
  } finally {
    yield sleep(0.1);
    log.trySend("finally");
  }
});

/** Cancels a victim after it has begun; `turns` of the others later, so that it has parked, or not. */
export const cancelParked = goroutine(import.meta, function* cancelParked(operation, kind, turns) {
  const log = chan(100);
  const stop = chan();
  const handle = spawn(victim[kind], operation, log, stop);
  while (log.length === 0) yield* gosched();
  for (let i = 0; i < turns; i++) yield* gosched();
  handle.cancel(new Error("why"));
  let outcome = "ended";
  try {
    yield* handle;
  } catch (error) {
    outcome = described(error);
  }
  stop.close();
  return { outcome, log: drained(log) };
});

/** Cancels before the victim can have started: with one processor, this goroutine holds it. */
export const cancelUnstarted = goroutine(import.meta, function* cancelUnstarted(kind) {
  const log = chan(100);
  const handle = spawn(victim[kind], "recv", log);
  handle.cancel(new Error("why"));
  try {
    yield* handle;
  } catch (error) {
    return { outcome: described(error), log: drained(log) };
  }
});

/** Starts a victim under a context that is done. */
export const startDone = goroutine(import.meta, function* startDone(kind) {
  const log = chan(100);
  const [ctx, cancel] = context.withCancel(context.background());
  cancel(new Error("why"));
  const handle = spawnWith({ context: ctx }, victim[kind], "recv", log);
  try {
    yield* handle;
  } catch (error) {
    return { outcome: described(error), log: drained(log) };
  }
});

const yieldsForEver = inEveryForm(import.meta, function* yieldsForEver(log) {
  log.trySend("begun");
  for (;;) yield gosched();
});

const checksForEver = inEveryForm(import.meta, function* checksForEver(log) {
  log.trySend("begun");
  for (;;) yield checkpoint();
});

/** A body that only computes, and looks at the hint before it blocks. */
const computesUntilAsked = inEveryForm(import.meta, function* computesUntilAsked(log) {
  log.trySend("begun");
  while (!shouldYield());
  yield chan().recv();
});

const RUNNING = { gosched: yieldsForEver, checkpoint: checksForEver, shouldYield: computesUntilAsked };

/** Starts a body that never waits; for the host to cancel. */
export function startRunning(what, kind) {
  const log = chan(1);
  return { handle: spawn(RUNNING[what][kind], log), begun: log.recv() };
}

/** Told once: whoever catches the cancellation goes on as if nothing had been. */
const survivor = inEveryForm(import.meta, function* survivor(ready, ch) {
  ready.close();
  try {
    yield chan().recv();
  } catch (error) {
    const received = yield ch.recv();
    yield sleep(0.1);
    yield gosched();
    return [error.name, received];
  }
});

export const survive = goroutine(import.meta, function* survive(kind) {
  const ready = chan();
  const ch = chan();
  const handle = spawn(survivor[kind], ready, ch);
  yield* ready.recv();
  handle.cancel();
  handle.cancel("a second time");
  yield* ch.send("still served");
  return yield* handle;
});

const quick = goroutine(import.meta, function* quick(value) {
  yield* gosched();
  return value;
});

/** Cancelling what has ended changes nothing. */
export const cancelEnded = goroutine(import.meta, function* cancelEnded() {
  const handle = spawn(quick, 42);
  const before = yield* handle;
  handle.cancel();
  const other = spawn(quick, 43);
  while (!other.done) yield* gosched();
  other.cancel();
  return [before, yield* handle, yield* other];
});

// ── what a cancelled operation leaves behind ──

/** A receiver and a sender that were cancelled took nothing and sent nothing; a lock is not held. */
export const leavesNothing = inEveryForm(import.meta, function* leavesNothing() {
  const ch = chan();
  const mu = held(new Mutex());
  const semaphore = new Semaphore(1);
  semaphore.tryAcquire();
  const wg = new WaitGroup();
  const ready = chan(10);
  const handles = [
    spawn(waiter, ready, "recv", ch),
    spawn(waiter, ready, "lock", mu),
    spawn(waiter, ready, "acquire", semaphore),
    spawn(waiter, ready, "rlock", new RWMutex()),
  ];
  for (let i = 0; i < handles.length; i++) yield ready.recv();
  for (let i = 0; i < 5; i++) yield gosched();
  for (const handle of handles) handle.cancel();
  const names = [];
  for (const handle of handles) {
    try {
      names.push(yield handle);
    } catch (error) {
      names.push(error.name);
    }
  }
  const taken = ch.trySend("left over");
  mu.unlock();
  semaphore.release();
  wg.add(0);
  return { names, taken, lock: mu.tryLock(), permit: semaphore.tryAcquire() };
});

const waiter = goroutine(import.meta, function* waiter(ready, what, object) {
  yield* ready.send(true);
  yield* object[what]();
  return what;
});

/** A cancelled wait for a condition holds the mutex again when it throws. */
export const condIsRelocked = goroutine(import.meta, function* condIsRelocked(kind) {
  const mu = new Mutex();
  const cond = new Cond(mu);
  const ready = chan();
  const handle = spawn(condVictim[kind], mu, cond, ready);
  yield* ready.recv();
  // The mutex can be had only once the other waits.
  yield* mu.lock();
  handle.cancel();
  mu.unlock();
  const locked = yield* handle;
  cond.signal();
  return { locked, free: mu.tryLock() };
});

const condVictim = inEveryForm(import.meta, function* condVictim(mu, cond, ready) {
  yield mu.lock();
  ready.close();
  try {
    yield cond.wait();
  } catch {
    const locked = !mu.tryLock();
    mu.unlock();
    return locked;
  }
});

// ── inheriting ──

const joiner = inEveryForm(import.meta, function* joiner(how, log) {
  const child = spawn(joined, log);
  const group = new ErrGroup();
  if (how === "ErrGroup.wait") group.go(joined, log);
  try {
    yield how === "a handle" ? child : group.wait();
  } catch (error) {
    log.trySend(error.name);
  } finally {
    yield sleep(0.1);
    log.trySend("finally");
  }
});

const joined = goroutine(import.meta, function* joined(log) {
  log.trySend("begun");
  yield* select();
});

/** Parent and child are cancelled, and the parent waits for the child: whichever error it is thrown first, its clean-up is not interrupted. */
export const cancelJoiner = goroutine(import.meta, function* cancelJoiner(how, kind) {
  const log = chan(100);
  const handle = spawn(joiner[kind], how, log);
  while (log.length < (how === "a handle" ? 1 : 2)) yield* gosched();
  for (let i = 0; i < 5; i++) yield* gosched();
  handle.cancel();
  yield* handle;
  return drained(log).filter((item) => item !== "begun");
});

/** A body that cancels itself and does not wait any more: its deferred calls do, and are not interrupted. */
export const cancelItself = goroutine(import.meta, function* cancelItself(kind) {
  const log = chan(100);
  const handles = chan();
  const handle = spawn(finishing[kind], log, handles);
  yield* handles.send(handle);
  const outcome = yield* handle;
  return { outcome, log: drained(log) };
});

const finishing = inEveryForm(import.meta, function* finishing(log, handles) {
  defer(function* () {
    yield* sleep(0.1);
    log.trySend("deferred");
  });
  // Not recv(): an await of it would join the handle.
  const [myself] = yield handles.recvOk();
  myself.cancel();
  return "ended by itself";
});

/** Starts children and grandchildren that wait; those with a context of their own are on their own. */
const ancestor = goroutine(import.meta, function* ancestor(depth, log, ready) {
  if (depth > 0) {
    go(ancestor, depth - 1, log, ready);
    go(ancestor, depth - 1, log, ready);
  }
  try {
    yield* ready.send(true);
    yield* select();
  } finally {
    log.trySend(depth);
  }
});

const independent = goroutine(import.meta, function* independent(ready, stop) {
  yield* ready.send(true);
  yield* stop.recv();
  return "went on";
});

const parentOfIndependent = goroutine(import.meta, function* parentOfIndependent(ready, stop, handles) {
  const own = spawnWith({ context: context.background() }, independent, ready, stop);
  yield* handles.send(own);
  yield* select();
});

export const inherited = goroutine(import.meta, function* inherited(depth) {
  const log = chan(1000);
  const ready = chan();
  const handle = spawn(ancestor, depth, log, ready);
  const family = 2 ** (depth + 1) - 1;
  for (let i = 0; i < family; i++) yield* ready.recv();
  handle.cancel();
  const depths = Array.from({ length: depth + 1 }, () => 0);
  for (let i = 0; i < family; i++) depths[yield* log.recv()]++;
  return depths;
});

export const notInherited = goroutine(import.meta, function* notInherited() {
  const ready = chan();
  const stop = chan();
  const handles = chan();
  const parent = spawn(parentOfIndependent, ready, stop, handles);
  const child = yield* handles.recv();
  yield* ready.recv();
  parent.cancel();
  try {
    yield* parent;
  } catch {
    stop.close();
    return yield* child;
  }
});

// ── Go's way ──

/** A worker as in Go: learns of its end by receiving it, and is not interrupted, not even in its own clean-up. */
const goStyle = inEveryForm(import.meta, function* goStyle(ready, work, derived) {
  const own = context.current();
  const ctx = derived ? context.withTimeout(own, NO_END)[0] : own;
  yield ready.send(true);
  for (let done = 0; ; ) {
    const { index } = yield select(ctx.done().recv(), work.recv());
    if (index === 1) {
      done++;
      continue;
    }
    yield sleep(0.1);
    yield gosched();
    return { done, why: ctx.cause()?.message, err: ctx.err()?.message };
  }
});

export const goStyleWorker = goroutine(import.meta, function* goStyleWorker(kind, derived) {
  const ready = chan();
  const work = chan();
  const handle = spawn(goStyle[kind], ready, work, derived);
  yield* ready.recv();
  for (let i = 0; i < 10; i++) yield* work.send(i);
  handle.cancel(new Error("enough"));
  return yield* handle;
});

/** Starts many such workers; for the host to cancel one after the other. */
export const goStyleWorkers = goroutine(import.meta, function* goStyleWorkers(count) {
  const ready = chan();
  const work = chan();
  const handles = [];
  for (let i = 0; i < count; i++)
    handles.push(spawnWith({ context: context.background() }, goStyle.generator, ready, work, false));
  for (let i = 0; i < count; i++) yield* ready.recv();
  return handles;
});

// ── promises of its own ──

/** What an async body awaits of its own cannot be interrupted: it is told at its next operation. */
export const foreign = goroutine(import.meta, async function foreign(gate, ready, log) {
  const opened = Atomics.waitAsync(new Int32Array(gate), 0, 0).value;
  await ready.send(true);
  await opened;
  log.trySend("opened");
  await sleep(NO_END);
});

/** The signal of its own context reaches what it awaits at once. */
export const abortable = goroutine(import.meta, async function abortable(ready) {
  const { signal } = context.current();
  const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  await ready.send(true);
  await aborted;
  return signal.reason.message;
});

// ── signals ──

/** For `spawnWith({ signal })`. */
export const waitsForEver = inEveryForm(import.meta, function* waitsForEver(ready) {
  yield ready.send(true);
  yield select();
});

export const seesCause = goroutine(import.meta, function* seesCause(ready) {
  const ctx = context.current();
  yield* ready.send(true);
  yield* ctx.done().recv();
  const cause = ctx.cause();
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : cause;
});

export const returnsValue = goroutine(import.meta, function* returnsValue(value) {
  yield* gosched();
  return value;
});
