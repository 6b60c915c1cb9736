/** Options of `start`, checked, with their defaults. */

import { availableParallelism } from "node:os";
import { show } from "@heddle/core";
import { cpuQuota, usableCores } from "./cpu-quota.ts";

/** Options of a runtime. */
export interface RuntimeOptions {
  /** Processors: how many goroutines run at the same time, as GOMAXPROCS. 1–256, default `availableParallelism()`, or what a container's CPU quota pays for if that is less. */
  procs?: number;
  /** Machine threads, blocked ones included. `procs`–1024, default `procs` + 64. */
  maxMachines?: number;
  /** Slots in the goroutine table; starting one more throws `GoroutineLimitError`. 16–4,000,000, default 2,000,000. A slot costs memory from its first use on. */
  maxGoroutines?: number;
  /** Time slice in milliseconds. 0.1–10,000, default 10. */
  timeSlice?: number;
  /** worker_threads limits for every machine. */
  resourceLimits?: {
    maxOldGenerationSizeMb?: number;
    maxYoungGenerationSizeMb?: number;
    stackSizeMb?: number;
  };
  /** Node options for every machine; default: those of this process. */
  execArgv?: string[];
  /** Environment of every machine; default: this process's. */
  env?: Record<string, string>;
}

/** Options with nothing left open. */
export interface CheckedOptions {
  readonly procs: number;
  readonly maxMachines: number;
  readonly maxGoroutines: number;
  readonly timeSliceMs: number;
  readonly threads: Pick<RuntimeOptions, "resourceLimits" | "execArgv" | "env">;
}

/** Bounded by the 16-bit counts of the idle word, and by sense. */
const MAX_PROCS = 256;
const MAX_MACHINES = 1024;
/** Bounded by the buffer's 2 GiB. */
const MAX_GOROUTINES = 4_000_000;
const LIMITS = ["maxOldGenerationSizeMb", "maxYoungGenerationSizeMb", "stackSizeMb"] as const;
/** A guess at how many threads may block at once. */
const SPARE_MACHINES = 64;

/** Checks the options of `start`. Throws `RangeError` or `TypeError` that names option, value and bounds. */
export function checkOptions(options: RuntimeOptions = {}): CheckedOptions {
  if (options === null || typeof options !== "object")
    throw new TypeError(`options must be an object, not ${show(options)}`);
  const procs =
    options.procs === undefined ? defaultProcs() : integer("procs", options.procs, 1, 1, MAX_PROCS);
  const { resourceLimits, execArgv, env } = options;
  if (resourceLimits !== undefined) checkLimits(resourceLimits);
  return {
    procs,
    maxMachines: integer("maxMachines", options.maxMachines, procs + SPARE_MACHINES, procs, MAX_MACHINES),
    maxGoroutines: integer("maxGoroutines", options.maxGoroutines, 2_000_000, 16, MAX_GOROUTINES),
    timeSliceMs: bounded("timeSlice", options.timeSlice, 10, 0.1, 10_000),
    threads: {
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
      ...(execArgv === undefined ? {} : { execArgv }),
      ...(env === undefined ? {} : { env }),
    },
  };
}

/** Node takes anything for a limit, and silently ignores what is none. */
function checkLimits(limits: unknown): void {
  if (limits === null || typeof limits !== "object")
    throw new TypeError(`options.resourceLimits must be an object, not ${show(limits)}`);
  for (const name of LIMITS) {
    const limit = (limits as Record<string, unknown>)[name];
    bounded(`resourceLimits.${name}`, limit, 0, 0, Number.MAX_SAFE_INTEGER);
  }
}

function defaultProcs(): number {
  return Math.min(usableCores(availableParallelism(), cpuQuota()), MAX_PROCS);
}

function integer(name: string, value: unknown, otherwise: number, least: number, most: number): number {
  const checked = bounded(name, value, otherwise, least, most);
  if (!Number.isInteger(checked)) throw outOfRange(name, value, `an integer from ${least} to ${most}`);
  return checked;
}

function bounded(name: string, value: unknown, otherwise: number, least: number, most: number): number {
  if (value === undefined) return otherwise;
  if (typeof value !== "number")
    throw new TypeError(`options.${name} must be a number from ${least} to ${most}, not ${show(value)}`);
  if (!(value >= least && value <= most)) throw outOfRange(name, value, `from ${least} to ${most}`);
  return value;
}

function outOfRange(name: string, value: unknown, bounds: string): RangeError {
  return new RangeError(`options.${name} must be ${bounds}, not ${show(value)}`);
}
