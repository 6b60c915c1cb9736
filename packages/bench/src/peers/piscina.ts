/** Piscina, as it comes and with the settings that suit a case. */
import { availableParallelism } from "node:os";
import { Piscina } from "piscina";
import { timed } from "../measure.ts";
import { type Pool, submitAtOnce } from "./pool.ts";

const filename = new URL("./tasks.js", import.meta.url).href;

export type PiscinaOptions = NonNullable<ConstructorParameters<typeof Piscina>[0]>;

export function openPiscina(options: PiscinaOptions = {}): Pool {
  const pool = new Piscina({ filename, ...options });
  return {
    run: (name, argument) => pool.run(argument, { name }),
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}

/** A thread per core from the start and no bookkeeping of times: what suits tasks that are pure work. */
export const forWork: PiscinaOptions = {
  minThreads: availableParallelism(),
  maxThreads: availableParallelism(),
  idleTimeout: Number.POSITIVE_INFINITY,
  recordTiming: false,
};

/** Piscina with its buffers moved there and back instead of copied. */
export function openMovingPiscina(): AsyncDisposable & {
  moveThereAndBack(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
} {
  const pool = new Piscina({ ...forWork, filename: new URL("./moving-tasks.js", import.meta.url).href });
  return {
    moveThereAndBack: (bytes) => pool.run(bytes, { transferList: [bytes.buffer] }),
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}

/**
 * The settings from which the best for tiny tasks is taken. More tasks at a thread hide the way to it, up to
 * a point (8 to 64 measured best); a single thread leaves the other core to the host and often wins; which
 * way of waiting is best depends on the machine.
 */
const candidates: readonly PiscinaOptions[] = [1, availableParallelism()].flatMap((threads) =>
  (["sync", "async", "disabled"] as const).flatMap((atomics) =>
    [8, 64].map((concurrentTasksPerWorker) => ({
      ...forWork,
      minThreads: threads,
      maxThreads: threads,
      atomics,
      concurrentTasksPerWorker,
    })),
  ),
);

const TRIAL_TASKS = 5_000;

/** The candidate with the shortest trial, and its name for the report. */
export async function bestPiscina(): Promise<{ options: PiscinaOptions; note: string }> {
  let best = { options: forWork, ms: Number.POSITIVE_INFINITY };
  for (const options of candidates) {
    const ms = await trial(options);
    if (ms < best.ms) best = { options, ms };
  }
  const { maxThreads, atomics, concurrentTasksPerWorker } = best.options;
  return {
    options: best.options,
    note: `threads ${maxThreads}, atomics ${atomics}, ${concurrentTasksPerWorker} tasks per thread`,
  };
}

async function trial(options: PiscinaOptions): Promise<number> {
  await using pool = openPiscina(options);
  await submitAtOnce(pool, TRIAL_TASKS);
  return await timed(() => submitAtOnce(pool, TRIAL_TASKS));
}
