/** Plain bodies that hold their threads while they wait: up to as many as there are threads, and beyond. */

import { type Chan, chan, type Goroutine, goroutine, gosched, Mutex, sleep, spawn } from "heddle";
import { BrokenInvariant, expectEach, expectSame, ledger, type Scenario, type Stage } from "../scenario.ts";

/** Threads beyond the processors. */
const SPARE = 6;

/** Waits for its share of numbers in turn. */
const holder = goroutine(
  import.meta,
  function holder(
    numbers: Chan<number>,
    count: number,
    marks: Int32Array,
    mutex: Mutex,
    words: Int32Array,
  ): number {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const [number, ok] = numbers.recvOk().block();
      if (!ok) throw new BrokenInvariant("a channel that nobody closed was closed");
      Atomics.add(marks, number, 1);
      sum += number;
      if (i % 4 === 0) sleep(0.2).block();
      if (i % 4 === 1) {
        mutex.lock().block();
        words[0] = (words[0] as number) + 1;
        mutex.unlock();
      }
    }
    return sum;
  },
);

/** Computes beside them. */
const neighbour = goroutine(import.meta, function* neighbour(turns: number): Goroutine<number> {
  let sum = 0;
  for (let turn = 0; turn < turns; turn++) {
    sum += yield* spawn(double, turn);
    if (turn % 10 === 0) yield* gosched();
  }
  return sum;
});

const double = goroutine(import.meta, function* double(number: number): Goroutine<number> {
  if (number % 3 === 0) yield* gosched();
  return number * 2;
});

/** Feeds the holders from a goroutine, as long as threads are left to run it. */
const feeder = goroutine(
  import.meta,
  function* feeder(numbers: Chan<number>, from: number, to: number): Goroutine<void> {
    for (let number = from; number < to; number++) {
      yield* numbers.send(number);
      if (number % 5 === 0) yield* gosched();
    }
  },
);

/** A crowd of holders. `beyond` says whether there are more of them than threads: then the host feeds them, which needs none. */
async function crowd(stage: Stage, beyond: boolean): Promise<void> {
  const { runtime, plan, random } = stage;
  const threads = plan.procs + SPARE;
  const holders = beyond
    ? threads + 1 + random.below(8)
    : Math.max(1, Math.min(threads - plan.procs, stage.many(SPARE)));
  const each = stage.often(8);
  const total = holders * each;
  const [numbers, mutex] = runtime.enter(() => [chan<number>(random.below(3)), new Mutex()] as const);
  const marks = ledger(total);
  const words = ledger(1);
  const sums = Array.from({ length: holders }, () => runtime.run(holder, numbers, each, marks, mutex, words));
  const turns = stage.often(200);
  const neighbours = Array.from({ length: stage.many(8) }, () => runtime.run(neighbour, turns));
  if (beyond) {
    for (let number = 0; number < total; number++) await numbers.send(number);
  } else {
    await runtime.run(feeder, numbers, 0, total);
  }
  const sum = (await Promise.all(sums)).reduce((whole, one) => whole + one, 0);
  expectEach("numbers have been received", marks, 1);
  expectSame("sum of what the holders received", sum, (total * (total - 1)) / 2);
  expectSame("additions under the mutex", words[0], holders * Math.ceil((each - 1) / 4));
  for (const result of await Promise.all(neighbours))
    expectSame("what a neighbour computed", result, turns * (turns - 1));
  stage.did(total + turns * neighbours.length);
}

export const blocking: Scenario = {
  name: "blocking",
  about:
    "plain bodies that block their threads, up to and beyond the number of threads, with goroutines beside them: all get what they wait for",
  options: ({ procs }) => ({ maxMachines: procs + SPARE }),
  async play(stage) {
    for (let round = stage.often(1); round > 0; round--) {
      await crowd(stage, false);
      await crowd(stage, true);
    }
  },
};
