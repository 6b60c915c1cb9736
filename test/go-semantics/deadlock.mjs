/** Programs that end in a total deadlock, and such that only look like it. */

import { readFile } from "node:fs/promises";
import {
  after,
  afterFunc,
  Barrier,
  Cond,
  chan,
  context,
  ErrGroup,
  go,
  goroutine,
  gosched,
  Mutex,
  Once,
  RWMutex,
  range,
  Semaphore,
  select,
  sleep,
  spawn,
  spawnWith,
  Ticker,
  WaitGroup,
} from "heddle";
import { inEveryForm } from "./support/forms.mjs";

function held(lock) {
  lock.tryLock();
  return lock;
}

/** What nobody will ever serve, by the reason that the dump gives for it. */
const WAITS = {
  "chan receive": () => chan().recv(),
  "chan send": () => chan().send(1),
  select: () => select(chan().recv(), chan().send(1)),
  "select (no cases)": () => select(),
  "sync.Mutex.Lock": () => held(new Mutex()).lock(),
  "sync.RWMutex.Lock": () => held(new RWMutex()).lock(),
  "sync.RWMutex.RLock": () => held(new RWMutex()).rlock(),
  "sync.WaitGroup.Wait"() {
    const wg = new WaitGroup();
    wg.add(1);
    return wg.wait();
  },
  "sync.Cond.Wait": () => new Cond(held(new Mutex())).wait(),
  semacquire() {
    const semaphore = new Semaphore(1);
    semaphore.tryAcquire();
    return semaphore.acquire();
  },
  "sync.Barrier.Wait": () => new Barrier(2).wait(),
  join: () => spawn(sleeper),
  errgroup() {
    const group = new ErrGroup();
    group.go(sleeper);
    return group.wait();
  },
  "sync.Once.Do": () => once.do(() => {}),
};

export const REASONS = Object.keys(WAITS);

/** Of this thread, and in use for ever once somebody has begun. */
let once;

const sleeper = goroutine(import.meta, function* sleeper() {
  yield* select();
});

const occupies = goroutine(import.meta, function* occupies(shared) {
  yield* shared.do(function* () {
    yield* select();
  });
});

const waiter = inEveryForm(import.meta, function* waiter(reason, occupied) {
  once = occupied;
  yield WAITS[reason]();
});

/** One goroutine for each reason, and this one, which waits for the first. */
export const sleepers = goroutine(import.meta, function* sleepers(kind, reasons) {
  const occupied = new Once();
  go(occupies, occupied);
  yield* gosched();
  const handles = reasons.map((reason) =>
    spawnWith({ name: `waits for ${reason}` }, waiter[kind], reason, occupied),
  );
  yield* handles[0];
});

// ── deadlocks of textbooks ──

const lockBoth = goroutine(import.meta, function* lockBoth(first, second, met) {
  yield* first.lock();
  yield* met.wait();
  yield* second.lock();
});

export const DEADLOCKS = {
  "nobody receives": goroutine(import.meta, function* nobodyReceives() {
    yield* chan().send("lost");
  }),
  "a channel that nobody closes": goroutine(import.meta, function* neverClosed() {
    const ch = chan(2);
    yield* ch.send(1);
    yield* range(ch, () => {});
  }),
  "two locks in different orders": goroutine(import.meta, function* lockOrders() {
    const [a, b, met] = [new Mutex(), new Mutex(), new Barrier(2)];
    go(lockBoth, a, b, met);
    yield* lockBoth(b, a, met);
  }),
  "a lock taken twice": goroutine(import.meta, function* lockedTwice() {
    const mu = new Mutex();
    yield* mu.lock();
    yield* mu.lock();
  }),
  "an async body awaits what nobody sends": goroutine(import.meta, async function awaits() {
    await chan().recv();
  }),
  "a plain body blocks on what nobody sends": goroutine(import.meta, function blocks() {
    chan().recv().block();
  }),
  "a WaitGroup one short": goroutine(import.meta, function* oneShort() {
    const wg = new WaitGroup();
    wg.add(2);
    go(countsDown, wg);
    yield* wg.wait();
  }),
  "a stopped ticker": goroutine(import.meta, function* stoppedTicker() {
    const ticker = new Ticker(1);
    yield* ticker.c.recv();
    ticker.stop();
    yield* ticker.c.recv();
  }),
  "a group whose members wait for ever": goroutine(import.meta, function* fullGroup() {
    const group = new ErrGroup();
    group.setLimit(1);
    yield* group.go(sleeper);
    yield* group.go(cannotEnter);
  }),
  "a group that lets nobody in": goroutine(import.meta, function* closedGroup() {
    const group = new ErrGroup();
    group.setLimit(0);
    group.go(cannotEnter);
    yield* group.wait();
  }),
  "a parent waits for a child that waits for it": goroutine(import.meta, function* circle() {
    const handles = chan(1);
    const child = spawn(joinsReceived, handles);
    yield* handles.send(spawn(joinsReceived2, child));
    yield* child;
  }),
};

const cannotEnter = goroutine(import.meta, function* cannotEnter() {});

const countsDown = goroutine(import.meta, function* countsDown(wg) {
  yield* gosched();
  wg.done();
});

const joinsReceived = goroutine(import.meta, function* joinsReceived(handles) {
  yield* yield* handles.recv();
});

const joinsReceived2 = goroutine(import.meta, function* joinsReceived2(handle) {
  yield* handle;
});

// ── what only looks like a deadlock ──

const sendLater = goroutine(import.meta, function* sendLater(ch) {
  yield* ch.send("came");
});

export const NO_DEADLOCKS = {
  "a sleep": goroutine(import.meta, function* sleeps(ms) {
    yield* sleep(ms);
    return "came";
  }),
  "a timer's channel": goroutine(import.meta, function* afterwards(ms) {
    yield* after(ms).recv();
    return "came";
  }),
  "a timer's function": goroutine(import.meta, function* calledLater(ms) {
    const ch = chan();
    afterFunc(ms, sendLater, ch);
    return yield* ch.recv();
  }),
  "a ticker": goroutine(import.meta, function* ticks(ms) {
    const ticker = new Ticker(ms);
    yield* ticker.c.recv();
    ticker.stop();
    return "came";
  }),
  "a deadline": goroutine(import.meta, function* deadline(ms) {
    const [ctx] = context.withTimeout(context.background(), ms);
    yield* ctx.done().recv();
    return "came";
  }),
  "a timer of JavaScript's": goroutine(import.meta, async function timeout(ms) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return "came";
  }),
  "a timer of JavaScript's that wakes another goroutine": goroutine(
    import.meta,
    async function timeoutSends(ms) {
      const ch = chan();
      const handle = spawn(receives, ch);
      setTimeout(() => ch.trySend("came"), ms);
      return await handle;
    },
  ),
  "an immediate of JavaScript's, and the next": goroutine(import.meta, async function immediates(ms) {
    const end = performance.now() + ms;
    while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
    return "came";
  }),
  "a file being read": goroutine(import.meta, async function reads() {
    for (let i = 0; i < 50; i++) await readFile(new URL(import.meta.url));
    return "came";
  }),
};

const receives = goroutine(import.meta, function* receives(ch) {
  return yield* ch.recv();
});

/** Waits for what the host has; the host has kept it. */
export const waitsForHost = inEveryForm(import.meta, function* waitsForHost(what, object) {
  if (what === "a channel") return yield object.recv();
  if (what === "a mutex") yield object.lock();
  if (what === "a context") yield object.done().recv();
  if (what === "a WaitGroup") yield object.wait();
  return "came";
});

export const waitsForEver = goroutine(import.meta, function* waitsForEver() {
  yield* select();
});
