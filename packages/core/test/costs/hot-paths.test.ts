/**
 * What the hot paths may cost. Times vary with the machine, counts do not: one more atomic operation, a wake-up or an
 * allocation on one of these paths fails here, however fast the machine is.
 *
 * A bound is what the path takes now, and a little for what comes once in a while (a batch of records, a look at the
 * clock). Whoever makes a path cheaper lowers its bound; whoever must raise one says why in the commit.
 */

import { countAtomics } from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { chan } from "../../src/channel/channel.ts";
import { select } from "../../src/channel/select.ts";
import type { Chan, SendChan } from "../../src/channel/types.ts";
import { go, spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { checkpoint, gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine, Handle } from "../../src/scheduler/frames/types.ts";
import { AtomicInt } from "../../src/sync/atomic-int.ts";
import { Mutex } from "../../src/sync/mutex.ts";
import { WaitGroup } from "../../src/sync/wait-group.ts";
import { afterFunc } from "../../src/time/after-func.ts";
import { sleep } from "../../src/time/sleep.ts";
import { atomicsPerOperation, bytesPerOperation, drivenMachine, type Repeated } from "../support/costs.ts";
import { body, singleMachine } from "../support/single-machine.ts";

const nothing = body(function* nothing(): Goroutine<void> {});

const yields = body(function* yields(times: number): Goroutine<void> {
  for (let i = 0; i < times; i++) yield* gosched();
});

const sends = body(function* sends(out: SendChan<number>, times: number): Goroutine<void> {
  for (let i = 0; i < times; i++) yield* out.send(i);
});

const locks = body(function* locks(mutex: Mutex, times: number): Goroutine<void> {
  for (let i = 0; i < times; i++) {
    yield* mutex.lock();
    yield* gosched();
    mutex.unlock();
  }
});

const sleeper = body(function* sleeper(): Goroutine<void> {
  yield* sleep(5);
});

/** Goroutines at a time, fewer than a local queue holds. */
const BATCH = 128;

const spawnRunEnd = body(function* spawnRunEnd(times: number): Goroutine<void> {
  for (let i = 0; i < times; i += BATCH) {
    for (let j = 0; j < BATCH; j++) go(nothing);
    yield* gosched();
  }
});

const spawnAndJoin = body(function* spawnAndJoin(times: number): Goroutine<void> {
  for (let i = 0; i < times; i++) yield* spawn(nothing);
});

const spawnAllJoinAll = body(function* spawnAllJoinAll(times: number): Goroutine<void> {
  const handles: Handle<void>[] = [];
  for (let i = 0; i < times; i += BATCH) {
    for (let j = 0; j < BATCH; j++) handles.push(spawn(nothing));
    for (const handle of handles) yield* handle;
    handles.length = 0;
  }
});

const giveWay = body(function* giveWay(times: number): Goroutine<void> {
  const other = spawn(yields, times / 2);
  for (let i = 0; i < times / 2; i++) yield* gosched();
  yield* other;
});

const lookForPreemption = body(function* lookForPreemption(times: number): Goroutine<void> {
  for (let i = 0; i < times; i++) yield* checkpoint();
});

const passBuffered = body(function* passBuffered(times: number): Goroutine<void> {
  const channel = chan<number>(16);
  go(sends, channel, times);
  for (let i = 0; i < times; i++) yield* channel.recv();
});

const passUnbuffered = body(function* passUnbuffered(times: number): Goroutine<void> {
  const channel = chan<number>();
  go(sends, channel, times);
  for (let i = 0; i < times; i++) yield* channel.recv();
});

const tryBoth = body(function* tryBoth(times: number): Goroutine<void> {
  const channel = chan<number>(1);
  for (let i = 0; i < times; i++) {
    channel.trySend(i);
    channel.tryRecv();
  }
  yield* gosched();
});

const selectReady = body(function* selectReady(times: number): Goroutine<void> {
  const [a, b] = [chan<number>(1), chan<number>(1)];
  const channels = [a, b] as const;
  for (const channel of channels) channel.trySend(1);
  for (let i = 0; i < times; i++) {
    const { index } = yield* select(a.recv(), b.recv());
    yield* channels[index].send(1);
  }
});

const selectParked = body(function* selectParked(times: number): Goroutine<void> {
  const [a, b] = [chan<number>(), chan<number>()];
  go(sends, a, times / 2);
  go(sends, b, times / 2);
  for (let i = 0; i < times; i++) yield* select(a.recv(), b.recv());
});

const lockAlone = body(function* lockAlone(times: number): Goroutine<void> {
  const mutex = new Mutex();
  for (let i = 0; i < times; i++) {
    yield* mutex.lock();
    mutex.unlock();
  }
});

const lockContended = body(function* lockContended(times: number): Goroutine<void> {
  const mutex = new Mutex();
  const other = spawn(locks, mutex, times / 2);
  yield* locks(mutex, times / 2);
  yield* other;
});

const addAndDone = body(function* addAndDone(times: number): Goroutine<void> {
  const group = new WaitGroup();
  for (let i = 0; i < times; i++) {
    group.add(1);
    group.done();
  }
  yield* group.wait();
});

const addAtomically = body(function* addAtomically(times: number): Goroutine<void> {
  const counter = new AtomicInt();
  for (let i = 0; i < times; i++) counter.add(1);
  yield* gosched();
});

const spawnSleepersAndJoin = body(function* spawnSleepersAndJoin(times: number): Goroutine<void> {
  const handles: Handle<void>[] = [];
  for (let i = 0; i < times; i++) handles.push(spawn(sleeper));
  for (const handle of handles) yield* handle;
});

const startAndStopTimer = body(function* startAndStopTimer(times: number): Goroutine<void> {
  for (let i = 0; i < times; i++) afterFunc(1e6, nothing).stop();
  yield* gosched();
});

/** A channel that is known elsewhere, too, and so is used with its lock: a reference to it is in another's buffer. */
const passShared = body(function* passShared(times: number): Goroutine<void> {
  const elsewhere = chan<Chan<number>>(1);
  const channel = chan<number>(16);
  yield* elsewhere.send(channel);
  go(sends, channel, times);
  for (let i = 0; i < times; i++) yield* channel.recv();
});

interface Path {
  readonly name: string;
  readonly repeated: Repeated;
  /** Atomic operations at most: with one processor, and with two of which the other is busy. */
  readonly atomics: readonly [one: number, two: number];
  /** Bytes of heap at most, as coarse as engines differ: one and a half of what Node 20 takes. */
  readonly bytes: number;
}

const paths: readonly Path[] = [
  { name: "spawn, run, end", repeated: spawnRunEnd, atomics: [0.7, 4.6], bytes: 300 },
  { name: "spawn, run, end, join one at a time", repeated: spawnAndJoin, atomics: [0.5, 3.5], bytes: 420 },
  { name: "spawn, run, end, join in batches", repeated: spawnAllJoinAll, atomics: [1.3, 5.3], bytes: 510 },
  { name: "gosched", repeated: giveWay, atomics: [0.5, 0.5], bytes: 30 },
  { name: "checkpoint", repeated: lookForPreemption, atomics: [0.5, 0.5], bytes: 30 },
  { name: "send and receive, buffered", repeated: passBuffered, atomics: [0.5, 0.5], bytes: 230 },
  { name: "send and receive, unbuffered", repeated: passUnbuffered, atomics: [0.5, 0.5], bytes: 230 },
  { name: "send and receive, known elsewhere", repeated: passShared, atomics: [4.5, 4.6], bytes: 230 },
  { name: "trySend and tryRecv", repeated: tryBoth, atomics: [2.5, 2.6], bytes: 110 },
  { name: "select that is ready, and a send", repeated: selectReady, atomics: [0.5, 0.5], bytes: 930 },
  { name: "select that parks, and a send", repeated: selectParked, atomics: [2, 2.1], bytes: 1050 },
  { name: "lock and unlock, alone", repeated: lockAlone, atomics: [2.5, 2.6], bytes: 62 },
  { name: "lock, gosched, unlock, contended", repeated: lockContended, atomics: [9, 9.1], bytes: 64 },
  { name: "WaitGroup add and done", repeated: addAndDone, atomics: [6.5, 6.6], bytes: 60 },
  { name: "AtomicInt add", repeated: addAtomically, atomics: [1.5, 1.6], bytes: 30 },
  { name: "spawn, sleep, end, join", repeated: spawnSleepersAndJoin, atomics: [13.9, 19], bytes: 680 },
  { name: "a timer started and stopped", repeated: startAndStopTimer, atomics: [13.6, 13.7], bytes: 560 },
];

describe.each(paths)("$name", ({ repeated, atomics, bytes }) => {
  test.each([1, 2] as const)("takes no more atomic operations, and wakes nobody, on %d P", async (procs) => {
    const counts = await atomicsPerOperation(drivenMachine(procs), repeated);
    expect(counts.total, JSON.stringify(counts)).toBeLessThanOrEqual(atomics[procs - 1] as number);
    expect(counts.notify).toBe(0);
    expect(counts.wait + counts.waitAsync).toBe(0);
  });

  test("allocates no more", async () => {
    expect(await bytesPerOperation(drivenMachine(1), repeated, bytes)).toBeLessThanOrEqual(bytes);
  });
});

test("the host rings once for tasks submitted together, and touches little more than their own words", async () => {
  const tasks = 640;
  const { host } = singleMachine();
  const counts = countAtomics(() => {
    for (let i = 0; i < tasks; i++) void host.run(nothing, []);
  });
  expect(counts.notify).toBeLessThanOrEqual(1);
  expect(counts.total / tasks).toBeLessThanOrEqual(0.3);
});
