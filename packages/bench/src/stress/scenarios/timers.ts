/** Timers by the ten thousand, stopped and reset at random. */

import { seeded } from "@heddle/testkit";
import {
  after,
  afterFunc,
  type Goroutine,
  go,
  goroutine,
  gosched,
  sleep,
  Ticker,
  type Timer,
  WaitGroup,
} from "heddle";
import { BrokenInvariant, expectEach, ledger, type Scenario, type Stage } from "../scenario.ts";

/** Clocks of threads may differ by this much, and timers may be early by it. */
const EARLY_MS = 1.5;

const note = goroutine(import.meta, function note(fired: Int32Array, place: number): void {
  Atomics.add(fired, place, 1);
});

/**
 * Starts timers, and stops or resets some of them while they are due. Each place of `expected` ends up with the number of firings that the answers of `stop` and `reset` promise.
 */
const setter = goroutine(
  import.meta,
  function* setter(
    seed: number,
    first: number,
    count: number,
    fired: Int32Array,
    expected: Int32Array,
  ): Goroutine<void> {
    const random = seeded(seed);
    const timers: Timer[] = [];
    for (let place = first; place < first + count; place++) {
      timers.push(afterFunc(random.below(120) / 4, note, fired, place));
      Atomics.store(expected, place, 1);
      if (random.below(32) === 0) yield* gosched();
      if (random.below(64) === 0) yield* sleep(random.below(8) / 4);
      if (random.below(3) > 0) continue;
      const chosen = random.below(timers.length);
      const timer = timers[chosen] as Timer;
      // True: it was kept from firing. False: it has fired, or will do so at once.
      if (random.below(2) === 0) {
        if (timer.stop()) Atomics.sub(expected, first + chosen, 1);
      } else if (!timer.reset(random.below(60) / 4)) {
        Atomics.add(expected, first + chosen, 1);
      }
    }
  },
);

const sleeper = goroutine(
  import.meta,
  function* sleeper(seed: number, turns: number, slept: Int32Array, place: number): Goroutine<void> {
    const random = seeded(seed);
    for (let turn = 0; turn < turns; turn++) {
      const ms = random.below(60) / 4;
      const began = performance.now();
      if (random.below(3) > 0) yield* sleep(ms);
      else yield* after(ms).recv();
      const took = performance.now() - began;
      if (took < ms - EARLY_MS) throw new BrokenInvariant(`a sleep of ${ms} ms took ${took} ms`);
    }
    Atomics.add(slept, place, 1);
  },
);

const patientSleeper = goroutine(
  import.meta,
  async function patientSleeper(
    seed: number,
    turns: number,
    slept: Int32Array,
    place: number,
  ): Promise<void> {
    const random = seeded(seed);
    for (let turn = 0; turn < turns; turn++) await sleep(random.below(40) / 4);
    Atomics.add(slept, place, 1);
  },
);

/** Hears a ticker for some ticks, which come in order and not too early; resets it on the way. */
const hearer = goroutine(import.meta, function* hearer(ticks: number): Goroutine<void> {
  const ticker = new Ticker(1);
  let last = 0;
  for (let tick = 0; tick < ticks; tick++) {
    const at = (yield* ticker.c.recv()) as number;
    if (at < last) throw new BrokenInvariant(`a tick of ${at} came after one of ${last}`);
    last = at;
    if (tick % 5 === 4) ticker.reset(0.5 + (tick % 3));
  }
  ticker.stop();
  yield* sleep(3);
  if (ticker.c.tryRecv() !== undefined) throw new BrokenInvariant("a stopped ticker has ticked");
});

/** Keeps a processor busy now and then, so that timers are run by others. */
const hog = goroutine(import.meta, function* hog(turns: number, all: WaitGroup): Goroutine<void> {
  for (let turn = 0; turn < turns; turn++) {
    const until = performance.now() + 2;
    while (performance.now() < until);
    yield* gosched();
  }
  all.done();
});

const crowd = goroutine(
  import.meta,
  function* crowd(seed: number, count: number, turns: number, slept: Int32Array): Goroutine<void> {
    const random = seeded(seed);
    const all = new WaitGroup();
    for (let place = 0; place < count; place++) {
      if (random.below(6) === 0) all.go(patientSleeper, random.next() | 0, turns, slept, place);
      else all.go(sleeper, random.next() | 0, turns, slept, place);
    }
    all.add(1);
    go(hog, 3, all);
    yield* all.wait();
  },
);

async function stopsAndResets(stage: Stage): Promise<void> {
  const { runtime } = stage;
  const setters = 4;
  // A hundred thousand at once, now and then.
  const each = stage.many(stage.random.below(8) === 0 ? 25_000 : 2500);
  const fired = ledger(setters * each);
  const expected = ledger(setters * each);
  await Promise.all(
    Array.from({ length: setters }, (_, i) =>
      runtime.run(setter, stage.seed(), i * each, each, fired, expected).then(() => stage.did(each)),
    ),
  );
  // What is still to fire is due within 30 ms, and has as long as it takes on a machine with other work.
  const until = performance.now() + 20_000;
  while (performance.now() < until && !fired.every((times, place) => times === expected[place]))
    await new Promise((resolve) => setTimeout(resolve, 5));
  const wrong = fired.findIndex((times, place) => times !== expected[place]);
  if (wrong >= 0)
    throw new BrokenInvariant(`timer ${wrong} fired ${fired[wrong]} times instead of ${expected[wrong]}`);
}

async function sleepers(stage: Stage): Promise<void> {
  const count = stage.many(1500);
  const turns = stage.often(6);
  const slept = ledger(count);
  await stage.runtime.run(crowd, stage.seed(), count, turns, slept);
  expectEach("sleepers have slept", slept, 1);
  stage.did(count * turns);
}

export const timers: Scenario = {
  name: "timers",
  about:
    "timers stopped and reset while they are due, sleeps and tickers: each fires as often as the answers of stop and reset promise, and none early",
  async play(stage) {
    for (let round = stage.often(1); round > 0; round--) {
      await Promise.all([
        stopsAndResets(stage),
        sleepers(stage),
        ...Array.from({ length: stage.many(8) }, () => stage.runtime.run(hearer, stage.often(20))),
      ]);
    }
  },
};
