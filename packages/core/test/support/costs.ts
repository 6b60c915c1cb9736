/**
 * What an operation costs in things that can be counted: atomic operations, wake-ups of threads, bytes of heap.
 *
 * A runtime of one machine runs a body that does an operation some number of times and then twice as often. The
 * difference is what the operations cost, without what it takes to begin and to end. The clock stands still while
 * the machine runs, so neither a turn nor a time slice ends in between, and the counts are the same every time.
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type AtomicsCounts, countAtomics } from "@heddle/testkit";
import { liveGoroutines } from "../../src/scheduler/idle/counters.ts";
import { IdleCoordinator } from "../../src/scheduler/idle/idle-coordinator.ts";
import { type TimedMachine, timedMachine } from "./timed-machine.ts";

/** A body that does an operation so many times. */
export type Repeated = (times: number) => unknown;

export interface DrivenMachine extends TimedMachine {
  /**
   * Runs a body to its end, without a turn of the microtask queue in between. The host starts one goroutine in each
   * of those turns at once, so there must have been one since the last.
   */
  drive(repeated: Repeated, times: number): void;
}

/** More than any timer of a measured body waits for. */
const MS_BETWEEN_RUNS = 50;
/** Runs of the machine after which a body that has not ended is taken to be stuck. */
const MOST_RUNS = 1000;

/** A second processor is held by a machine that does not exist, so that it counts as busy. */
export function drivenMachine(procs: 1 | 2): DrivenMachine {
  const runtime = timedMachine(1000, { maxGoroutines: 20_000, procs });
  const { memory, machine, host, pass } = runtime;
  machine.run(); // takes its processor before the other is taken
  if (procs === 2) new IdleCoordinator(memory, 0).tryAcquireProcessor(2);
  const drive = (repeated: Repeated, times: number): void => {
    void host.run(repeated as never, [times]);
    for (let runs = 0; runs === 0 || liveGoroutines(memory) > 0; runs++) {
      if (runs > MOST_RUNS) throw new Error("the body does not come to its end");
      machine.run();
      host.drain();
      pass(MS_BETWEEN_RUNS);
    }
  };
  return { ...runtime, drive };
}

/** Awaited, it lets what waits for a turn of the microtask queue go on. */
const microtasks = Promise.resolve();

const TIMES = 2048; // a multiple of every batch in which records move

/** How many of each atomic operation one operation of a body takes. */
export async function atomicsPerOperation(
  { drive }: DrivenMachine,
  repeated: Repeated,
): Promise<AtomicsCounts> {
  drive(repeated, 3 * TIMES); // caches and pools are filled
  await microtasks;
  const once = countAtomics(() => drive(repeated, TIMES));
  await microtasks;
  const twice = countAtomics(() => drive(repeated, 2 * TIMES));
  await microtasks;
  const names = Object.keys(once) as (keyof AtomicsCounts)[];
  const each = names.map((name) => [name, (twice[name] - once[name]) / TIMES] as const);
  return Object.fromEntries(each) as AtomicsCounts;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** By then the engine has compiled a body and what it calls: 600,000 operations. A guess, and a generous one. */
const MOST_TRIES = 300;

/**
 * Bytes of heap that one operation of a body takes, the least of several tries: a try can only be disturbed into
 * more by what the engine itself does (it interprets, compiles, collects feedback), and into less by a collection in
 * its midst, which shows as a negative number or, with so few operations, not at all. There are no more tries once
 * one has taken `enough` or less.
 */
export async function bytesPerOperation(
  { drive }: DrivenMachine,
  repeated: Repeated,
  enough: number,
): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < MOST_TRIES && least > enough; attempt++) {
    if (attempt % COLLECT_EVERY === 0) collectGarbage();
    const before = process.memoryUsage().heapUsed;
    drive(repeated, TIMES);
    const bytes = (process.memoryUsage().heapUsed - before) / TIMES;
    if (bytes > 0) least = Math.min(least, bytes);
    await microtasks;
  }
  return least;
}

/** A collection takes longer than a try. */
const COLLECT_EVERY = 10;
