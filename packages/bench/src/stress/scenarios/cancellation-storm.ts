/** Trees of contexts that are cancelled anywhere and at any time, over goroutines that wait in every kind of queue. */

import { seeded } from "@heddle/testkit";
import {
  CanceledError,
  type Chan,
  type Context,
  chan,
  context,
  DeadlineExceededError,
  type Goroutine,
  goroutine,
  gosched,
  type Handle,
  Mutex,
  Semaphore,
  select,
  sleep,
  spawnWith,
} from "heddle";
import { expectSame, expectThat, ledger, type Scenario, type Stage } from "../scenario.ts";

/** What the goroutines fight for, and the tally of it. */
interface Ground {
  readonly channel: Chan<number>;
  readonly silent: Chan<never>;
  readonly mutex: Mutex;
  readonly permits: Semaphore;
  readonly tally: Int32Array;
}

const PERMITS = 3;
/** Places of the tally. */
const SENT = 0;
const RECEIVED = 1;
const INSIDE = 2;
const HOLDING = 3;
const FOULS = 4;
const ENDED = 5;
const PLACES = 6;

const FOR_THE_END = 7;

/** Does one thing that may have to wait. */
function* act(what: number, ground: Ground): Goroutine<void> {
  const { channel, silent, mutex, permits, tally } = ground;
  switch (what) {
    case 0:
      yield* channel.send(1);
      Atomics.add(tally, SENT, 1);
      return;
    case 1: {
      const [, ok] = yield* channel.recvOk();
      if (ok) Atomics.add(tally, RECEIVED, 1);
      return;
    }
    case 2: {
      yield* mutex.lock();
      try {
        if (Atomics.add(tally, INSIDE, 1) !== 0) Atomics.add(tally, FOULS, 1);
        yield* gosched();
      } finally {
        Atomics.sub(tally, INSIDE, 1);
        mutex.unlock();
      }
      return;
    }
    case 3: {
      yield* permits.acquire();
      try {
        if (Atomics.add(tally, HOLDING, 1) >= PERMITS) Atomics.add(tally, FOULS, 1);
        yield* gosched();
      } finally {
        Atomics.sub(tally, HOLDING, 1);
        permits.release();
      }
      return;
    }
    case 4:
      yield* sleep(0.2);
      return;
    case 5: {
      const { index } = yield* select(silent.recv(), channel.recvOk(), channel.send(1));
      if (index === 1) Atomics.add(tally, RECEIVED, 1);
      if (index === 2) Atomics.add(tally, SENT, 1);
      return;
    }
    case FOR_THE_END:
      yield* context.current().done().recvOk();
      return;
    default:
      yield* gosched();
  }
}

/** Goes on until its context ends. */
const worker = goroutine(import.meta, function* worker(seed: number, ground: Ground): Goroutine<number> {
  const random = seeded(seed);
  let acts = 0;
  try {
    // Bounded: a worker that only ever finds things ready is cancelled at none of them.
    for (; acts < 5000; acts++) {
      // Waiting for the end of the context is for the few: who does so does nothing else any more.
      yield* act(random.below(60) === 0 ? FOR_THE_END : random.below(6), ground);
      if (context.current().err() !== undefined) break;
    }
  } finally {
    // It has been told, so it may wait again, and is not torn out of this one.
    if (random.below(2) === 0) yield* gosched();
    Atomics.add(ground.tally, ENDED, 1);
  }
  return acts;
});

/** The same as an async body. */
const patientWorker = goroutine(
  import.meta,
  async function patientWorker(seed: number, ground: Ground): Promise<number> {
    const random = seeded(seed);
    const { channel, mutex, tally } = ground;
    let acts = 0;
    try {
      for (; acts < 300 && context.current().err() === undefined; acts++) {
        const what = random.below(4);
        if (what === 0) {
          await channel.send(1);
          Atomics.add(tally, SENT, 1);
        } else if (what === 1) {
          const [, ok] = await channel.recvOk();
          if (ok) Atomics.add(tally, RECEIVED, 1);
        } else if (what === 2) {
          await mutex.lock();
          if (Atomics.add(tally, INSIDE, 1) !== 0) Atomics.add(tally, FOULS, 1);
          Atomics.sub(tally, INSIDE, 1);
          mutex.unlock();
        } else {
          await sleep(0.1);
        }
      }
    } finally {
      Atomics.add(tally, ENDED, 1);
    }
    return acts;
  },
);

/** Builds a tree of contexts below its own, with workers under each, and cancels them from the leaves or from anywhere. Joins all. */
const gardener = goroutine(
  import.meta,
  function* gardener(seed: number, workers: number, ground: Ground): Goroutine<number> {
    const random = seeded(seed);
    collectGarbage();
    const tree: [Context, (cause?: unknown) => void][] = [context.withCancel(context.background())];
    const handles: Handle<number>[] = [];
    for (let i = 0; i < workers; i++) {
      const [parent] = random.pick(tree);
      const grown =
        random.below(4) === 0
          ? context.withTimeout(parent, random.below(100) / 4)
          : context.withCancel(parent);
      tree.push(grown);
      const body = random.below(4) === 0 ? patientWorker : worker;
      handles.push(spawnWith({ context: grown[0] }, body, random.next() | 0, ground));
      if (random.below(4) === 0) yield* gosched();
      if (random.below(10) === 0) yield* sleep(random.below(8) / 4);
      if (random.below(20) === 0) random.pick(tree.slice(1))[1]("at random");
      if (random.below(12) === 0) random.pick(handles).cancel("by handle");
    }
    yield* sleep(random.below(20) / 2);
    for (const [, cancel] of random.shuffled(tree)) {
      cancel();
      if (random.below(3) === 0) yield* gosched();
      if (random.below(10) === 0) yield* sleep(random.below(8) / 4);
    }
    let acts = 0;
    for (const handle of handles) {
      try {
        acts += yield* handle;
      } catch (error) {
        if (!(error instanceof CanceledError || error instanceof DeadlineExceededError)) throw error;
      }
    }
    return acts;
  },
);

/** Contexts that nobody holds any more go, and their records come back in others' hands: as early as can be. */
function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}

async function storm(stage: Stage): Promise<void> {
  const { runtime, random } = stage;
  const ground: Ground = runtime.enter(() => ({
    channel: chan<number>(random.below(3)),
    silent: chan<never>(),
    mutex: new Mutex(),
    permits: new Semaphore(PERMITS),
    tally: ledger(PLACES),
  }));
  const gardens = Array.from({ length: 3 }, () =>
    runtime.run(gardener, stage.seed(), stage.many(40), ground).then((acts) => stage.did(acts)),
  );
  await Promise.all(gardens);
  const { channel, mutex, permits, tally } = ground;
  const left = channel.length;
  for (let i = 0; i < left; i++)
    expectThat("what a channel says it holds can be received", channel.tryRecv()?.[1] === true);
  expectSame("values received and left", (tally[RECEIVED] as number) + left, tally[SENT]);
  expectSame("times that a lock let too many in", tally[FOULS], 0);
  expectThat("the mutex is free when all have ended", mutex.tryLock());
  mutex.unlock();
  expectThat("all permits are back when all have ended", permits.tryAcquire(PERMITS));
  expectThat("no receiver is left in the channel", !channel.trySend(1) || channel.capacity > 0);
}

export const cancellationStorm: Scenario = {
  name: "cancellation-storm",
  about:
    "contexts cancelled at random over goroutines that wait in every kind of queue: all end, locks are free, and no value is lost or doubled",
  async play(stage) {
    for (let round = stage.often(4); round > 0; round--) await storm(stage);
  },
};
