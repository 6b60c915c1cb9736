/**
 * Does anything grow? Everything that could pile up is counted in moments of rest: resident memory, what keeps the event loop alive, descriptors, objects, timers, blocks for values.
 *
 * The lowest of the last third must be no more than 5 % above the lowest of the second; the first third is for warming up. A thread takes more than 10 MiB, and how many there are depends on what was blocked just then: so memory is compared between
 * moments with the same number of threads.
 */

import { goroutine, type Runtime } from "heddle";
import { audit } from "heddle/testing";
import { settle } from "./rest.ts";
import { ledger } from "./scenario.ts";

/** What may be added to any count from one third to the next. */
const GROWTH = 0.05;
/** Samples of a third, at least: with fewer of them nothing can be told. */
const LEAST = 5;
/** How long a goroutine holds its thread to wait for the others: with no other thread to run them they would never come. */
const MEETING_MS = 50;

/** What is counted in a moment of rest. */
export interface Sample {
  /** Threads of machines. */
  readonly machines: number;
  readonly residentMiB: number;
  readonly heapMiB: number;
  /** What keeps the host's event loop alive. */
  readonly handles: number;
  /** Of goroutines: live ones, and those whose result somebody may still ask for. */
  readonly descriptors: number;
  /** Descriptors of promises that wait. */
  readonly waiters: number;
  readonly objects: number;
  readonly timers: number;
  /** Slots for values, and what they take. */
  readonly blocks: number;
  readonly blockKiB: number;
}

/** Growth too small to mean anything: pages come in chunks, caches hold a batch more or less, collectors take their time. */
const SLACK: Omit<Sample, "machines"> = {
  residentMiB: 8,
  heapMiB: 3,
  handles: 3,
  descriptors: 64,
  waiters: 16,
  objects: 64,
  timers: 32,
  blocks: 64,
  blockKiB: 256,
};

/** Collects what garbage this thread has, twice: finalizers, which come with the next turn of its event loop, may leave some more. */
async function collectGarbage(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Collects garbage on its thread, which it holds until all others are there: so each has a thread of its own. */
const collects = goroutine(
  import.meta,
  async function collects(present: Int32Array, parties: number): Promise<void> {
    Atomics.add(present, 0, 1);
    const until = performance.now() + MEETING_MS;
    while (Atomics.load(present, 0) < parties && performance.now() < until);
    await collectGarbage();
  },
);

/** Waits for a runtime to come to rest, lets every thread collect its garbage, and counts. Node must have been started with --expose-gc. */
export async function sampleAtRest(
  runtime: Runtime,
  present: Int32Array = ledger(1),
  kills = 0,
): Promise<Sample> {
  await settle(runtime, kills);
  const { procs, machines } = runtime.stats();
  Atomics.store(present, 0, 0);
  await Promise.all(Array.from({ length: procs }, () => runtime.run(collects, present, procs)));
  await settle(runtime, kills);
  await collectGarbage();
  const { goroutines, waiters, objects, timers, blocks, bytes } = audit(runtime);
  const { rss, heapUsed } = process.memoryUsage();
  return {
    machines,
    residentMiB: rss / 2 ** 20,
    heapMiB: heapUsed / 2 ** 20,
    handles: process.getActiveResourcesInfo().length,
    descriptors: goroutines,
    waiters,
    objects,
    timers,
    blocks,
    blockKiB: bytes / 2 ** 10,
  };
}

/** Whether there are enough samples to tell. */
export function areEnough(samples: readonly Sample[]): boolean {
  return samples.length >= 3 * LEAST;
}

/** The lowest of the second third and of the last: what garbage of the machines' has not been collected comes and goes, what leaks stays. */
export function lowestOf(samples: readonly Sample[], what: keyof Sample): [was: number, is: number] {
  const third = Math.floor(samples.length / 3);
  const thirds = [samples.slice(third, 2 * third), samples.slice(2 * third)] as const;
  const machines = what === "residentMiB" ? usualMachines(thirds) : undefined;
  const lowest = (some: readonly Sample[]): number =>
    Math.min(...some.filter((one) => (machines ?? one.machines) === one.machines).map((one) => one[what]));
  return [lowest(thirds[0]), lowest(thirds[1])];
}

/** The number of threads that is found most often in each of two parts; `undefined` if none is found in both. */
function usualMachines(parts: readonly [readonly Sample[], readonly Sample[]]): number | undefined {
  const timesIn = (part: readonly Sample[], count: number): number =>
    part.filter(({ machines }) => machines === count).length;
  let usual: number | undefined;
  let most = 0;
  for (const count of new Set(parts[0].map(({ machines }) => machines))) {
    const times = Math.min(timesIn(parts[0], count), timesIn(parts[1], count));
    if (times > most) [usual, most] = [count, times];
  }
  return usual;
}

/** Counts of records in shared memory. */
const RECORDS: ReadonlySet<keyof Sample> = new Set(["descriptors", "waiters", "objects", "timers", "blocks"]);

/** What has grown, a sentence each. `lost`: records of each kind that may have been lost between the second third and the last. */
export function growthIn(samples: readonly Sample[], lost = 0): string[] {
  if (!areEnough(samples)) return [`${samples.length} samples are too few to tell`];
  return (Object.keys(SLACK) as (keyof typeof SLACK)[]).flatMap((what) => {
    const [was, is] = lowestOf(samples, what);
    const slack = SLACK[what] + (RECORDS.has(what) ? lost : 0);
    const grown = is - was > Math.max(was * GROWTH, slack);
    return grown ? [`${what} went from ${was.toFixed(1)} to ${is.toFixed(1)}`] : [];
  });
}
