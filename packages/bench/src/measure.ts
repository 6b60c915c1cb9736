import { mean, median } from "simple-statistics";
import { Bench, type Statistics } from "tinybench";
import type { Context, Sample } from "./case.ts";

const NS_PER_MS = 1e6;
const US_PER_MS = 1e3;

/**
 * The cost of an operation that is too short to be timed from here. `batch` does `operations` of them where
 * they belong, say inside one goroutine, and says how many milliseconds they took there. The mean, so that
 * what the garbage collector costs is in it.
 */
export async function nsPerOperation(
  context: Context,
  operations: number,
  batch: () => Promise<number>,
): Promise<Sample[]> {
  const measured = await statistics(context, async () => ({ overriddenDuration: await batch() }));
  return [{ value: (measured.mean * NS_PER_MS) / operations }];
}

/**
 * Milliseconds of a pass that times itself where it happens, as in `nsPerOperation`; the mean, after a pass
 * or more to warm up.
 */
export async function msPerPass(context: Context, pass: () => Promise<number>): Promise<Sample[]> {
  const measured = await statistics(context, async () => ({ overriddenDuration: await pass() }));
  return [{ value: measured.mean }];
}

/** The distribution of what an operation takes, one at a time, seen from this thread. */
export async function latency(
  context: Context,
  percentile: "p50" | "p99",
  operation: () => Promise<unknown>,
): Promise<Sample[]> {
  const measured = await statistics(context, operation);
  return [{ value: measured[percentile] * US_PER_MS }];
}

/**
 * Parallel passes before a measurement. Each thread of a pool, whoever's it is, compiles what it runs for itself, beside what is measured: on two cores, with Heddle, 40 ms of CPU time for each of the first passes of a list that
 * takes 170, and next to none from the sixth on. The serial side has its code after one pass.
 */
const WARM_UP_PASSES = 6;
/** Longer than that nobody warms up in whole passes. About what six of them take of 100,000 tasks. */
const LONGEST_WARM_UP_MS = 1000;

/**
 * How many tasks end per second when `tasks` of them are submitted at once. Whole passes warm up, several unless they take long; a pass may take seconds with a slow pool, so there are no more
 * passes than the time allows.
 */
export async function tasksPerSecond(
  context: Context,
  tasks: number,
  submitAtOnce: (tasks: number) => Promise<unknown>,
): Promise<Sample[]> {
  const warm = performance.now() + LONGEST_WARM_UP_MS;
  let warmUps = 0;
  do await submitAtOnce(tasks);
  while (++warmUps < WARM_UP_PASSES && performance.now() < warm);
  const passesMs: number[] = [];
  const end = performance.now() + context.budgetMs;
  do {
    passesMs.push(await timed(() => submitAtOnce(tasks)));
  } while (performance.now() < end);
  return [{ value: (tasks * 1000) / mean(passesMs) }];
}

/**
 * Median times of two ways of doing one thing, in milliseconds, measured in turn after some passes of each to
 * warm up.
 */
export async function compareInTurn(
  context: Context,
  serial: () => unknown,
  parallel: () => Promise<unknown>,
): Promise<{ serialMs: number; parallelMs: number }> {
  const serials: number[] = [];
  const parallels: number[] = [];
  await timed(serial);
  for (let pass = 0; pass < WARM_UP_PASSES; pass++) await timed(parallel);
  const end = performance.now() + context.budgetMs;
  do {
    serials.push(await timed(serial));
    parallels.push(await timed(parallel));
  } while (serials.length < 3 || performance.now() < end);
  return { serialMs: median(serials), parallelMs: median(parallels) };
}

export async function timed(body: () => unknown): Promise<number> {
  const began = performance.now();
  await body();
  return performance.now() - began;
}

/** V8 compiles what runs often only after some time, however short the measurement is. A guess. */
const LEAST_WARM_UP_MS = 150;

async function statistics(context: Context, operation: () => Promise<unknown>): Promise<Statistics> {
  const bench = new Bench({
    time: context.budgetMs,
    warmupTime: Math.max(context.budgetMs / 4, LEAST_WARM_UP_MS),
    iterations: 3, // of 100 000 goroutines each a few are enough
    warmupIterations: 1,
    throws: true,
  });
  bench.add("operation", operation);
  const [task] = await bench.run();
  const result = task?.result;
  if (result === undefined || !("latency" in result))
    throw new Error(`bench: no result, state ${result?.state}`);
  return result.latency;
}
