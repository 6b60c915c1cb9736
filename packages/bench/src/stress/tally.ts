/** Adds up what rounds have done. */

import type { Beat, RoundResult } from "./round.ts";

/** The sums for one scenario, or for all. */
export interface Sums {
  rounds: number;
  failures: number;
  milliseconds: number;
  operations: number;
  goroutines: number;
  parks: number;
  steals: number;
  preemptions: number;
  handoffs: number;
  kills: number;
}

export function noSums(): Sums {
  return {
    rounds: 0,
    failures: 0,
    milliseconds: 0,
    operations: 0,
    goroutines: 0,
    parks: 0,
    steals: 0,
    preemptions: 0,
    handoffs: 0,
    kills: 0,
  };
}

/** Adds a round that has ended. */
export function addRound(sums: Sums, result: RoundResult): void {
  sums.rounds++;
  sums.milliseconds += result.milliseconds;
  if (result.failure !== undefined) sums.failures++;
  addBeat(sums, result);
}

/** Adds what a round has done so far. */
export function addBeat(sums: Sums, { operations, kills, stats }: Beat): void {
  sums.operations += operations;
  sums.goroutines += stats.spawned;
  sums.parks += stats.parks;
  sums.steals += stats.steals;
  sums.preemptions += stats.preemptions;
  sums.handoffs += stats.handoffs;
  sums.kills += kills;
}
