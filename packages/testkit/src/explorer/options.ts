/** What an exploration is asked to do: the options of `explore`, their defaults and their bounds. */

import { ExplorerError } from "./explorer-error.ts";
import type { ModelMemory } from "./intercept.ts";

/**
 * One thread of a model. It is run many times over, so whatever it changes beside the model's memory must be made inside it, and it
 * must do the same whenever it reads the same: no clock, no random numbers.
 */
export type ThreadFunction<Shared, Result> = (memory: ModelMemory, shared: Shared) => Result;

/** How an execution ended, for `check`. */
export interface ExecutionEnd {
  /** The thread that was killed in this execution. */
  readonly killed: number | undefined;
  /** What the repair thread returned, if there was a kill. */
  readonly repaired: unknown;
  /** Threads that did not end, being asleep or spinning for ever. Empty unless `allowBlocked`. */
  readonly blocked: readonly number[];
}

/** Who is killed, and what happens then. */
export interface KillOptions<Shared> {
  /** The thread that is killed. */
  readonly thread: number;
  /** Runs as one more thread after the kill. */
  readonly repair?: ThreadFunction<Shared, unknown>;
  /**
   * Whether it is killed in the middle of its steps, too, as a thread is that is terminated: after each access that changed memory. Other threads still run only between steps, so this is much cheaper than
   * `plainAccessesAreSteps`. Default false.
   */
  readonly withinSteps?: boolean;
  /**
   * Whether `repair`, while it can go on, may be interrupted by other threads. Default true. If false, others run while it waits or spins only: repairs are long, and each place in them at which somebody else may come
   * in between multiplies the schedules.
   */
  readonly interruptsRepair?: boolean;
}

/** A model and how to explore it. Write `setup` before `threads`, so that TypeScript knows the type of what it returns. */
export interface ExploreOptions<Shared, Results extends readonly unknown[]> {
  /** Size of the memory in 32-bit words, rounded up to an even number. Default 256. */
  readonly words?: number;
  /** Prepares the memory, once. What it returns is given to all functions below and must not change: indices, views, constants. */
  readonly setup?: (memory: ModelMemory) => Shared;
  /** The threads. Two or three; the number of schedules grows steeply with it. */
  readonly threads: readonly [...{ [Index in keyof Results]: ThreadFunction<Shared, Results[Index]> }];
  /**
   * Runs after every complete execution and throws if something is wrong. `results` are what the threads returned, `undefined` for a thread
   * that was killed or is blocked. It may change the memory (empty a queue, say); that is undone.
   */
  readonly check?: (memory: ModelMemory, results: Results, shared: Shared, end: ExecutionEnd) => void;
  /** Runs after every step and throws if the memory is inconsistent. */
  readonly invariant?: (memory: ModelMemory, shared: Shared) => void;

  /** How often a thread that could go on may be interrupted in one execution. Default 2; Infinity for all schedules. */
  readonly preemptions?: number;
  /** How often each thread's waits may time out while other threads could run, 0 to 15. Default 2. */
  readonly timeouts?: number;
  /** Whether plain accesses are scheduling points of their own, not only atomic ones. Default false. */
  readonly plainAccessesAreSteps?: boolean;
  /** Whether threads may be left asleep or spinning at the end. Default false: that is a failure. */
  readonly allowBlocked?: boolean;
  /**
   * Whether the code under test has catch clauses that let no error pass. Default false: swallowing the exception by which the explorer stops
   * a thread is reported. It does no harm, as long as the code does not try again for ever: whatever it does next has no effect on memory.
   */
  readonly allowCatchAll?: boolean;
  /** Kills one thread for ever after each of its steps in turn, and not at all. */
  readonly kill?: KillOptions<Shared>;
  /**
   * When a thread counts as spinning. `reads`: after so many reads in a row that told it nothing new it stands aside until another thread
   * changes memory; 1 to 255, default 16. Loops that spin a bounded number of times must spin fewer, or the explorer misses what they do next
   * while others are slow. `rounds`: how often spinning threads that are left alone go on before they count as stuck for ever. Default 64.
   */
  readonly spin?: { readonly reads?: number; readonly rounds?: number };
  /** Whether what follows a state is explored only once, however many schedules lead to it. Default true. */
  readonly reduce?: boolean;

  /** Complete executions before the exploration stops. Default 1 000 000. */
  readonly maxExecutions?: number;
  /** Whether stopping at `maxExecutions` makes `expectNoFailure` throw. Default "fail". */
  readonly onLimit?: "fail" | "accept";
  /** Accesses of one thread in one execution before it counts as endless. Default 10 000. */
  readonly maxAccesses?: number;

  /** Random schedules instead of all: so many runs, repeatable by the seed. `preemptions` does not bound them. */
  readonly random?: { readonly runs: number; readonly seed: number };
  /** One schedule instead of all, as a failure shows it. */
  readonly schedule?: string;
  /** Names words in traces. */
  readonly name?: (word: number) => string | undefined;
}

/** The bounds of an exploration, with defaults in place. */
export interface Bounds {
  readonly words: number;
  readonly preemptions: number;
  readonly timeouts: number;
  readonly maxExecutions: number;
  readonly maxAccesses: number;
  readonly idleReads: number;
  readonly rounds: number;
}

export function boundsOf<S, R extends readonly unknown[]>(options: ExploreOptions<S, R>): Bounds {
  requireWithin("threads", options.threads.length, 1, 15);
  if (options.kill !== undefined)
    requireWithin("kill.thread", options.kill.thread, 0, options.threads.length - 1);
  const words = requireWithin("words", options.words ?? 256, 1, 1 << 26);
  return {
    words: words + (words % 2),
    preemptions: requireWithin("preemptions", options.preemptions ?? 2, 0, Infinity),
    timeouts: requireWithin("timeouts", options.timeouts ?? 2, 0, 15),
    maxExecutions: requireWithin("maxExecutions", options.maxExecutions ?? 1_000_000, 1, Infinity),
    maxAccesses: requireWithin("maxAccesses", options.maxAccesses ?? 10_000, 1, Infinity),
    idleReads: requireWithin("spin.reads", options.spin?.reads ?? 16, 1, 255),
    rounds: requireWithin("spin.rounds", options.spin?.rounds ?? 64, 0, Infinity),
  };
}

function requireWithin(option: string, value: number, least: number, most: number): number {
  const isWhole = Number.isInteger(value) || value === Infinity;
  if (isWhole && value >= least && value <= most) return value;
  throw new ExplorerError(`explore: ${option} is ${value}, not a whole number from ${least} to ${most}`);
}
