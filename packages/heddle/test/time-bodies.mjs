// Bodies of the thread tests of timers: machines import this module themselves.

import {
  AtomicInt,
  after,
  afterFunc,
  chan,
  checkpoint,
  go,
  goroutine,
  gosched,
  select,
  sleep,
  spawn,
  Ticker,
  WaitGroup,
} from "heddle";

/** Milliseconds on a clock that all threads share. */
const clock = () => Number(process.hrtime.bigint()) / 1e6;

const sleepOnce = goroutine(import.meta, function* sleepOnce(ms, wg) {
  yield* sleep(ms);
  wg.done();
});

/** Starts `count` sleepers, then waits for all: ms from the first start to the last end. */
export const sleepers = goroutine(import.meta, function* sleepers(count, ms) {
  const wg = new WaitGroup();
  wg.add(count);
  const started = clock();
  for (let i = 0; i < count; i++) go(sleepOnce, ms, wg);
  yield* wg.wait();
  return clock() - started;
});

const hog = goroutine(import.meta, function* hog(stop) {
  while (stop.load() === 0) yield* checkpoint();
});

/** Sleeps of 1 ms behind `hogs` goroutines that only give way at checkpoints: how late each was. */
export const sleepBehindHogs = goroutine(import.meta, function* sleepBehindHogs(hogs, rounds) {
  const stop = new AtomicInt();
  const running = Array.from({ length: hogs }, () => spawn(hog, stop));
  const late = [];
  for (let i = 0; i < rounds; i++) {
    const began = clock();
    yield* sleep(1);
    late.push(clock() - began - 1);
  }
  stop.store(1);
  for (const one of running) yield* one;
  return late;
});

/** Says that it has begun, then keeps its machine busy, without a yield point, until told to stop. */
export const burnUntil = goroutine(import.meta, function burnUntil(begun, stop) {
  begun.add(1);
  while (stop.load() === 0);
});

/** `rounds` sleeps of each length while nothing else runs: how late each was. */
export const quietSleeps = goroutine(import.meta, function* quietSleeps(lengths, rounds) {
  const late = [];
  for (const ms of lengths) {
    for (let i = 0; i < rounds; i++) {
      const began = clock();
      yield* sleep(ms);
      late.push(clock() - began - ms);
    }
  }
  return late;
});

/** Sleeping in an async and in a plain body. */
export const sleepAwait = goroutine(import.meta, async function sleepAwait(ms) {
  const began = clock();
  await sleep(ms);
  return clock() - began;
});
export const sleepBlock = goroutine(import.meta, function sleepBlock(ms) {
  const began = clock();
  sleep(ms).block();
  return clock() - began;
});

/** A ticker's ticks as seen by a receiver on whatever machine. */
export const ticks = goroutine(import.meta, function* ticks(period, count) {
  const ticker = new Ticker(period);
  const began = clock();
  const seen = [];
  for (let i = 0; i < count; i++) {
    yield* ticker.c.recv();
    seen.push(clock() - began);
  }
  ticker.stop();
  return seen;
});

export const bump = goroutine(import.meta, function bump(count) {
  count.add(1);
});

/** Many calls, of which every other is stopped while they fire: calls that ran, and calls that were stopped in time. */
export const stopWhileFiring = goroutine(import.meta, function* stopWhileFiring(calls) {
  const ran = new AtomicInt();
  const timers = Array.from({ length: calls }, (_, i) => afterFunc(1 + (i % 7) / 4, bump, ran));
  let stopped = 0;
  for (let i = 0; i < calls; i++) {
    if (timers[i].stop()) stopped++;
    if (i % 50 === 0) yield* gosched();
  }
  // Those that were not stopped have been started by now, and run when a processor is free; none more than once.
  for (let i = 0; i < 2000 && ran.load() + stopped < calls; i++) yield* sleep(1);
  yield* sleep(5);
  return { ran: ran.load(), stopped };
});

/** A race of two timers through select, many times over. */
export const timeouts = goroutine(import.meta, function* timeouts(rounds) {
  const never = chan();
  let timedOut = 0;
  for (let i = 0; i < rounds; i++) {
    const { index } = yield* select(never.recv(), after(0.2).recv());
    timedOut += index;
  }
  return timedOut;
});

/** Sleeps for so long that nobody sees the end. */
export const longSleep = goroutine(import.meta, function* longSleep(begun) {
  begun.add(1);
  yield* sleep(3_600_000);
});

/** Receives on a channel that was made elsewhere. */
export const receiveOn = goroutine(import.meta, function* receiveOn(channel) {
  return (yield* channel.recv()) ?? Number.NaN;
});
