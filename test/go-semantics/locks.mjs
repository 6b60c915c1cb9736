/** The sync package: mutexes, reader/writer mutexes, conditions, once, wait groups. */

import { AtomicInt, Cond, chan, checkpoint, goroutine, Mutex, Once, RWMutex, spawn, WaitGroup } from "heddle";
import { inEveryForm } from "./support/forms.mjs";

const hog = goroutine(import.meta, function* hog(mu, stop) {
  while (stop.load() === 0) {
    yield* mu.lock();
    for (let i = 0; i < 10_000; i++) stop.load();
    mu.unlock();
    yield* checkpoint();
  }
});

/** Gets a mutex ten times that another takes again as soon as it has let it go. */
export const besideHog = inEveryForm(import.meta, function* besideHog() {
  const mu = new Mutex();
  const stop = new AtomicInt();
  const other = spawn(hog, mu, stop);
  for (let i = 0; i < 10; i++) {
    yield mu.lock();
    mu.unlock();
  }
  stop.store(1);
  yield other;
});

const waiter = goroutine(import.meta, function* waiter(cond, queued, woken, number) {
  yield* cond.mutex.lock();
  queued.add(1);
  yield* cond.wait();
  yield* woken.send(number);
  cond.mutex.unlock();
});

/** What one waits for who waits for others to have run: giving way is for goroutines, and not for the host. */
const nothing = goroutine(import.meta, function* nothing() {});

/** Starts waiters that wait in the order of their numbers. */
function* startWaiters(cond, queued, woken, count) {
  for (let number = 0; number < count; number++) {
    spawn(waiter, cond, queued, woken, number);
    // Who has counted itself holds the mutex until it waits.
    while (queued.load() <= number) yield spawn(nothing);
    yield cond.mutex.lock();
    cond.mutex.unlock();
  }
}

/** The order in which signals wake. */
export const signals = inEveryForm(import.meta, function* signals(count) {
  const cond = new Cond(new Mutex());
  const woken = chan();
  yield* startWaiters(cond, new AtomicInt(), woken, count);
  const order = [];
  for (let i = 0; i < count; i++) {
    cond.signal();
    order.push(yield woken.recv());
  }
  return order;
});

/** All whom a broadcast wakes, and that a later waiter is not among them. */
export const broadcast = inEveryForm(import.meta, function* broadcast(count) {
  const cond = new Cond(new Mutex());
  const woken = chan(count + 1);
  const queued = new AtomicInt();
  yield* startWaiters(cond, queued, woken, count);
  cond.broadcast();
  const all = [];
  for (let i = 0; i < count; i++) all.push(yield woken.recv());
  yield* startWaiters(cond, new AtomicInt(), woken, 1);
  const early = woken.tryRecv() !== undefined;
  cond.signal();
  yield woken.recv();
  return { all: all.sort((a, b) => a - b), early };
});

const failing = goroutine(import.meta, function* failing(once) {
  try {
    yield* once.do(() => {
      throw new Error("the call failed");
    });
    return "went on";
  } catch (error) {
    return error.message;
  }
});

/** What those see who ask for a call that throws. */
export const onceThatThrows = inEveryForm(import.meta, function* onceThatThrows() {
  const once = new Once();
  const outcomes = [];
  for (const handle of [0, 1, 2].map(() => spawn(failing, once))) outcomes.push(yield handle);
  return outcomes.sort();
});

/** A call that parks, made here while another waits for it. */
export const onceThatParks = inEveryForm(import.meta, function* onceThatParks() {
  const once = new Once();
  const [begun, go] = [chan(), chan()];
  const other = spawn(openWhenBegun, begun, go);
  yield once.do(function* () {
    yield* begun.send("begun");
    yield* go.recv();
  });
  return yield other;
});

const openWhenBegun = goroutine(import.meta, function* openWhenBegun(begun, go) {
  const seen = yield* begun.recv();
  yield* go.send("go");
  return seen;
});

const reader = goroutine(import.meta, function* reader(rw, log) {
  yield* rw.rlock();
  yield* log.send("read");
  rw.runlock();
});

const writer = goroutine(import.meta, function* writer(rw, log) {
  yield* rw.lock();
  yield* log.send("wrote");
  rw.unlock();
});

/** A reader that comes after a waiting writer, while another reads. */
export const writerFirst = inEveryForm(import.meta, function* writerFirst() {
  const rw = new RWMutex();
  const log = chan(2);
  yield rw.rlock();
  const writing = spawn(writer, rw, log);
  // Once the writer waits, readers are held off.
  while (rw.tryRLock()) {
    rw.runlock();
    yield spawn(nothing);
  }
  const reading = spawn(reader, rw, log);
  rw.runlock();
  yield writing;
  yield reading;
  return [yield log.recv(), yield log.recv()];
});

/** What is thrown for each way to break a rule. */
export const misuse = inEveryForm(import.meta, function* misuse() {
  const [mu, rw, wg] = [new Mutex(), new RWMutex(), new WaitGroup()];
  const texts = [];
  for (const breakRule of [() => mu.unlock(), () => rw.unlock(), () => rw.runlock(), () => wg.done()]) {
    try {
      breakRule();
    } catch (error) {
      texts.push(error.message);
    }
  }
  try {
    yield new Cond(mu).wait();
  } catch (error) {
    texts.push(error.message);
  }
  return texts;
});
