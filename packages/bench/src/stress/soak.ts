/**
 * A mixed load at a constant rate for as long as one likes, on one runtime. Every second it rests, and what could pile up is counted (growth.ts).
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
import { type Sample, sampleAtRest } from "./growth.ts";
import { ledger } from "./scenario.ts";
import { digest, randomValue } from "./values.ts";

/** Bundles of work a second, and how long a second of work is before the rest. */
const BUNDLES_PER_SECOND = 40;
const REST_EVERY_MS = 1000;
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
  const present = ledger(1);
  let seed = 1;
  try {
    while (performance.now() < until) {
      seed = await workUntilRest(runtime, seed);
      const sample = await sampleAtRest(runtime, present);
      samples.push(sample);
      onSample(sample);
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
