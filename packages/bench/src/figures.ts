import { max, median, min } from "simple-statistics";
import type { Case, Goal, PeerName, SideName } from "./case.ts";
import type { CaseResult, Round } from "./results.ts";

/** A figure over all rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Verdict {
  readonly goal: Goal;
  /**
   * The figure the goal is about: a ratio or Heddle's own figure; `undefined` when a side of it is missing.
   */
  readonly figure: Spread | undefined;
  readonly met: boolean | undefined;
}

export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const copy = [...values];
  return { median: median(copy), min: min(copy), max: max(copy) };
}

/** A side's figures, round by round; rounds in which it failed are left out. */
export function figuresOf(result: CaseResult, side: SideName): number[] {
  return result.rounds.flatMap((round) => round.figures[side] ?? []);
}

/**
 * Heddle over a peer. Both come from the same round, so what disturbed one of them likely disturbed the
 * other.
 */
export function ratiosTo(result: CaseResult, peer: PeerName): number[] {
  return result.rounds.flatMap((round) => ratioIn(round, peer) ?? []);
}

function ratioIn({ figures }: Round, peer: PeerName): number | undefined {
  const ours = figures.heddle;
  const theirs = figures[peer];
  return ours === undefined || theirs === undefined ? undefined : ours / theirs;
}

export function verdictsOn(one: Case, result: CaseResult): Verdict[] {
  return one.goals.map((goal) => {
    const values = goal.beside === undefined ? figuresOf(result, "heddle") : ratiosTo(result, goal.beside);
    const figure = spreadOf(values);
    return { goal, figure, met: figure === undefined ? undefined : isWithin(goal, figure.median) };
  });
}

function isWithin(
  { atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY }: Goal,
  value: number,
): boolean {
  return atLeast <= value && value <= atMost;
}
