import type { Sample, SideName } from "./case.ts";

/** What the process of one side says, in one line of JSON; the Go program says the same. */
export interface SideOutput {
  readonly samples: readonly Sample[];
  /** Processor time of the whole process so far. */
  readonly cpuMs: number;
}

/** Every side once. */
export interface Round {
  readonly figures: { readonly [name in SideName]?: number };
  /** The share of all cores that other processes took meanwhile. */
  readonly foreignShare: number;
}

export interface CaseResult {
  readonly name: string;
  readonly rounds: readonly Round[];
  readonly notes: { readonly [name in SideName]?: string };
  /** Why a side has no figure, if it failed. */
  readonly failures: { readonly [name in SideName]?: string };
}
