/**
 * A mixed load at a constant rate for as long as one likes, on one runtime: does anything grow?
 *
 * Every second the load rests until all is quiet, garbage is collected, and everything that could pile up is counted: resident memory, what keeps the event loop alive, descriptors, objects, timers, blocks for values.
 * The lowest of the last third must be no more than 5 % above the lowest of the second; the first third is for warming up.
 */

import { seeded } from "@heddle/testkit";
import {
  type Chan,
  chan,
  context,
  type Goroutine,
  go,
  goroutine,
  type Runtime,
  range,
  select,
  sleep,
  spawn,
  spawnWith,
  start,
} from "heddle";
import { audit, isQuiet, leakCheck } from "heddle/testing";
import { digest, randomValue } from "./scenarios/payloads.ts";

/** Bundles of work a second, and how long a second of work is before the rest. */
const BUNDLES_PER_SECOND = 40;
const REST_EVERY_MS = 1000;
/** What may be added to any count from one third to the next. */
const GROWTH = 0.05;

/** What is counted in a moment of rest. */
export interface Sample {
  readonly residentMiB: number;
  readonly heapMiB: number;
  readonly handles: number;
  readonly goroutines: number;
  readonly objects: number;
  readonly timers: number;
  readonly blocks: number;
}

/** Growth too small to mean anything: pages come in chunks, caches hold a batch more or less, collectors take their time. */
const SLACK: Sample = {
  residentMiB: 8,
  heapMiB: 3,
  handles: 3,
  goroutines: 200,
  objects: 400,
  timers: 100,
  blocks: 400,
};

const square = goroutine(import.meta, function* square(number: number): Goroutine<number> {
  if (number % 4 === 0) yield* sleep(1);
  return number * number;
});

const feed = goroutine(import.meta, function* feed(to: Chan<number>, count: number): Goroutine<void> {
  for (let i = 0; i < count; i++) yield* to.send(i);
  to.close();
});

const wait = goroutine(import.meta, function* wait(silent: Chan<never>): Goroutine<void> {
  yield* silent.recv();
});

const carry = goroutine(import.meta, function carry(value: unknown): unknown {
  return value;
});

/** A bit of everything: children, a pipeline, a select with a timer, a context with a deadline, values of all shapes. */
const bundle = goroutine(import.meta, function* bundle(seed: number): Goroutine<void> {
  const random = seeded(seed);
  const children = Array.from({ length: 20 }, (_, i) => spawn(square, i));
  const numbers = chan<number>(random.below(3));
  go(feed, numbers, 30);
  let sum = 0;
  yield* range(numbers, (number) => {
    sum += number;
  });
  for (const child of children) sum += yield* child;
  if (sum !== 435 + 2470) throw new Error(`a bundle adds up to ${sum}`);

  const silent = chan<never>();
  const [limited, cancel] = context.withTimeout(context.background(), 2);
  const waiting = spawnWith({ context: limited }, wait, silent);
  yield* select(silent.recv(), limited.done().recvOk());
  cancel();
  try {
    yield* waiting;
  } catch (error) {
    if (limited.err() === undefined) throw error;
  }
  const value = randomValue(random);
  const hash = digest(value);
  if (digest(yield* spawn(carry, value)) !== hash) throw new Error("a value has changed on its way");
});

/** Runs the load for a time. Returns the samples, one a second or so. */
export async function soak(
  minutes: number,
  procs: number,
  onSample: (sample: Sample) => void,
): Promise<Sample[]> {
  const runtime = await start({ procs });
  const until = performance.now() + minutes * 60_000;
  const samples: Sample[] = [];
  let seed = 1;
  try {
    while (performance.now() < until) {
      seed = await workUntilRest(runtime, seed);
      samples.push(await sample(runtime));
      onSample(samples[samples.length - 1] as Sample);
    }
  } finally {
    await runtime.close();
  }
  return samples;
}

async function workUntilRest(runtime: Runtime, first: number): Promise<number> {
  const began = performance.now();
  const running: Promise<void>[] = [];
  let seed = first;
  while (performance.now() - began < REST_EVERY_MS) {
    running.push(runtime.run(bundle, seed++));
    await new Promise((resolve) => setTimeout(resolve, 1000 / BUNDLES_PER_SECOND));
  }
  await Promise.all(running);
  return seed;
}

async function sample(runtime: Runtime): Promise<Sample> {
  await leakCheck(runtime, { withinMs: 10_000 });
  while (!isQuiet(runtime)) await new Promise((resolve) => setTimeout(resolve, 1));
  (globalThis as { gc?: () => void }).gc?.();
  const { goroutines, objects, timers, blocks } = audit(runtime);
  const { rss, heapUsed } = process.memoryUsage();
  return {
    residentMiB: rss / 2 ** 20,
    heapMiB: heapUsed / 2 ** 20,
    handles: process.getActiveResourcesInfo().length,
    goroutines,
    objects,
    timers,
    blocks,
  };
}

/** What has grown, a sentence each. */
export function growthIn(samples: readonly Sample[]): string[] {
  const third = Math.floor(samples.length / 3);
  if (third < 5) return [`${samples.length} samples are too few to tell`];
  const [before, after] = [samples.slice(third, 2 * third), samples.slice(2 * third)];
  return (Object.keys(SLACK) as (keyof Sample)[]).flatMap((what) => {
    const [was, is] = [lowest(before, what), lowest(after, what)];
    const grown = is - was > Math.max(was * GROWTH, SLACK[what]);
    return grown ? [`${what} went from ${was.toFixed(1)} to ${is.toFixed(1)}`] : [];
  });
}

/** The lowest of some samples: what garbage of the machines' has not been collected comes and goes, what leaks stays. */
export function lowest(samples: readonly Sample[], what: keyof Sample): number {
  return Math.min(...samples.map((one) => one[what]));
}
