import type { Sample, SideName } from "./case.ts";

/** What the process of one side says, in one line of JSON; the Go program says the same. */
export interface SideOutput {
  readonly samples: readonly Sample[];
  /** Processor time of the whole process so far. */
  readonly cpuMs: number;
}

/** Every side once. */
export interface Round<Name extends string = SideName> {
  readonly figures: { readonly [name in Name]?: number };
  /** The share of all cores that other processes took meanwhile. */
  readonly foreignShare: number;
}

/** What came of taking turns. */
export interface Turns<Name extends string = SideName> {
  readonly rounds: readonly Round<Name>[];
  /** How many rounds were thrown away because others kept the machine busy. */
  readonly discarded: number;
  readonly notes: { readonly [name in Name]?: string };
  /** Why a side has no figure, if it failed. */
  readonly failures: { readonly [name in Name]?: string };
}

export interface CaseResult extends Turns {
  readonly name: string;
}
