/** Goroutines by the ten thousand, started by the host and by each other, in every way there is. */

import { type Goroutine, go, goroutine, gosched, type Handle, spawn, WaitGroup } from "heddle";
import { expectEach, expectSame, ledger, type Scenario, type Stage } from "../scenario.ts";

/** Marks its place: a body that runs twice, or never, shows. */
function mark(marks: Int32Array, place: number): void {
  Atomics.add(marks, place, 1);
}

const plain = goroutine(import.meta, function plain(marks: Int32Array, place: number): number {
  mark(marks, place);
  return place * 3;
});

const generator = goroutine(
  import.meta,
  function* generator(marks: Int32Array, place: number): Goroutine<number> {
    if (place % 3 === 0) yield* gosched();
    mark(marks, place);
    return place * 3;
  },
);

const asynchronous = goroutine(
  import.meta,
  async function asynchronous(marks: Int32Array, place: number): Promise<number> {
    await Promise.resolve();
    if (place % 5 === 0) await gosched();
    mark(marks, place);
    return place * 3;
  },
);

const kinds = [plain, generator, generator, asynchronous] as const;
const kindAt = (place: number): (typeof kinds)[number] => kinds[place & 3] as (typeof kinds)[number];

const counted = goroutine(
  import.meta,
  function* counted(marks: Int32Array, place: number, all: WaitGroup): Goroutine<void> {
    if (place % 7 === 0) yield* gosched();
    mark(marks, place);
    all.done();
  },
);

/** Starts `count` goroutines from place `first` on, some with handles and some without; halves the range while it is long. Returns the sum of what the handles gave. */
const starter = goroutine(
  import.meta,
  function* starter(
    marks: Int32Array,
    first: number,
    count: number,
    longest: number,
    all: WaitGroup,
  ): Goroutine<number> {
    let sum = 0;
    if (count > longest) {
      const half = count >> 1;
      const left = spawn(starter, marks, first, half, longest, all);
      const right = spawn(starter, marks, first + half, count - half, longest, all);
      return (yield* left) + (yield* right);
    }
    const handles: Handle<number>[] = [];
    for (let place = first; place < first + count; place++) {
      if (place % 4 === 1) {
        all.add(1);
        go(counted, marks, place, all);
      } else {
        handles.push(spawn(kindAt(place), marks, place));
      }
    }
    // Some handles are dropped without a look: their goroutines run all the same.
    for (const [index, handle] of handles.entries()) if (index % 5 !== 4 || index > 50) sum += yield* handle;
    return sum;
  },
);

/** What `starter` gives. */
function expectedSum(first: number, count: number, longest: number): number {
  if (count > longest) {
    const half = count >> 1;
    return expectedSum(first, half, longest) + expectedSum(first + half, count - half, longest);
  }
  let sum = 0;
  let index = 0;
  for (let place = first; place < first + count; place++) {
    if (place % 4 === 1) continue;
    if (index % 5 !== 4 || index > 50) sum += place * 3;
    index++;
  }
  return sum;
}

async function fromHost(stage: Stage): Promise<void> {
  const { runtime } = stage;
  const count = stage.many(4000);
  const marks = ledger(count);
  const results: PromiseLike<number>[] = [];
  const all = runtime.enter(() => new WaitGroup());
  for (let place = 0; place < count; place++) {
    if (place % 4 === 1) {
      all.add(1);
      runtime.go(counted, marks, place, all);
    } else if (place % 4 === 2) {
      results.push(runtime.run(kindAt(place), marks, place));
    } else {
      results.push(runtime.spawn(kindAt(place), marks, place));
    }
  }
  let sum = 0;
  for (const result of results) sum += await result;
  await all.wait();
  let expected = 0;
  for (let place = 0; place < count; place++) if (place % 4 !== 1) expected += place * 3;
  expectSame("sum of the results at the host", sum, expected);
  expectEach("goroutines that the host started have run", marks, 1);
  stage.did(count);
}

async function fromGoroutines(stage: Stage): Promise<void> {
  const { runtime, random } = stage;
  const count = stage.many(20_000);
  const longest = 1 + random.below(700);
  const marks = ledger(count);
  const all = runtime.enter(() => new WaitGroup());
  const sum = await runtime.run(starter, marks, 0, count, longest, all);
  await all.wait();
  expectSame("sum of the results", sum, expectedSum(0, count, longest));
  // Goroutines of dropped handles may still be on their way.
  while (marks.includes(0)) await new Promise((resolve) => setTimeout(resolve, 1));
  expectEach("goroutines that goroutines started have run", marks, 1);
  stage.did(count);
}

/** One goroutine at a time from the host: machines are always just going to sleep, or about to be woken, when the next one comes. */
async function trickle(stage: Stage): Promise<void> {
  const { runtime, random } = stage;
  const count = stage.often(150);
  const marks = ledger(count);
  for (let place = 0; place < count; place++) {
    expectSame("the result of a single goroutine", await runtime.run(kindAt(place), marks, place), place * 3);
    const until = performance.now() + random.below(16) / 100;
    while (performance.now() < until);
    stage.did(1);
  }
  expectEach("goroutines that came one at a time have run", marks, 1);
}

export const spawnStorm: Scenario = {
  name: "spawn-storm",
  about:
    "goroutines of every kind, started by the host and by goroutines: each runs exactly once, and every result arrives",
  async play(stage) {
    for (let round = stage.often(3); round > 0; round--)
      await Promise.all([fromHost(stage), fromGoroutines(stage)]);
    await trickle(stage);
  },
};
