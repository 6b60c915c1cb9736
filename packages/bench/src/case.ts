/**
 * A case is one figure, taken from several sides: Heddle's own and those of its peers.
 *
 * Every side runs alone in a fresh process (side.ts), because what ran before in a process changes what is
 * measured after it: compiled code, shapes of objects, the size of the heap. The sides of a case take turns
 * for several rounds (runner.ts), so that a machine that grows slower or faster meanwhile does so for all of
 * them.
 */

/** What a figure is counted in. Whether more of it is better is said by the goal. */
export type Unit = "ns" | "µs" | "ms" | "bytes" | "MiB" | "tasks/s" | "× serial" | "× ideal" | "% of a core";

/** Pools of threads from the registry, and `piscina tuned`, which is Piscina with the settings that suit the case. */
export type PoolName =
  | "piscina"
  | "piscina tuned"
  | "tinypool"
  | "workerpool"
  | "poolifier"
  | "bthreads"
  | "nanothreads"
  | "comlink"
  | "jest-worker";
/** What runs in one thread of Node without a runtime of threads: promises alone, and Effect's fibers. */
export type SingleThreadedName = "promises" | "effect";
export type PeerName = "go" | SingleThreadedName | PoolName;
export type SideName = "heddle" | PeerName;

/** Where in the report a case stands: beside whom it is measured depends on what it is about. */
export type Section = "inside the runtime" | "lists of work" | "from the host" | "payloads" | "processors";

/** What a side is told by the runner. */
export interface Context {
  /** How long a side takes samples, in milliseconds, warm-up not counted. */
  readonly budgetMs: number;
  /**
   * How many steps of `burn` are a microsecond on this machine: measured once, so that all sides do the same
   * work.
   */
  readonly stepsPerUs: number;
}

/** One figure of one process, in the unit of its case. */
export interface Sample {
  readonly value: number;
  /** What a reader should know about the side, such as the setting that was chosen. */
  readonly note?: string;
}

export type Run = (context: Context) => Promise<readonly Sample[]>;

/** A case of the program in `packages/bench/go`, with its flags. */
export interface GoProgram {
  readonly go: string;
  readonly flags: Readonly<Record<string, string | number>>;
}

/**
 * A bar the project has set itself. With `beside`, the bound is on Heddle's figure over that peer's,
 * taken round by round; without, on the figure itself.
 */
export interface Goal {
  readonly beside?: PeerName;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface Case {
  /** Family and variant, `fib/2p`. */
  readonly name: string;
  readonly section: Section;
  /** What is done and what is counted, in one sentence for the report. */
  readonly scenario: string;
  readonly unit: Unit;
  readonly goals: readonly Goal[];
  /** Part of what `npm run bench` measures when no case is named. */
  readonly short: boolean;
  /** Heddle's side. */
  readonly run: Run;
  readonly peers: { readonly [name in PeerName]?: name extends "go" ? GoProgram : Run };
}
