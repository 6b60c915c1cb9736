/**
 * A scenario is a way to use a runtime hard, with a ledger of its own that tells afterwards whether anything was lost, done twice, out of order or left behind.
 *
 * It stands in one file, bodies included: machines import that file to find them, so nothing may happen when it is loaded. What it does in a round follows from the round's seed; sizes
 * come from `Stage`, so that a failing round can be made smaller.
 */

import { type SeededRandom, seeded } from "@heddle/testkit";
import type { Runtime, RuntimeOptions } from "heddle";

/** What decides a round, and is enough to play it again. */
export interface RoundPlan {
  readonly scenario: string;
  readonly seed: number;
  readonly procs: number;
  /** Factor on how many goroutines there are at once. */
  readonly scale: number;
  /** Factor on how much each of them does. */
  readonly length: number;
  readonly chaos: boolean;
}

export interface Scenario {
  readonly name: string;
  /** What is done and what must hold, in a sentence. */
  readonly about: string;
  /** Whether it is left out unless it is named. */
  readonly byNameOnly?: boolean;
  /** Options of the round's runtime beside the number of processors. */
  readonly options?: (plan: RoundPlan) => RuntimeOptions;
  /** Options of Node for the process that plays it. */
  readonly execArgv?: readonly string[];
  /** Plays a round. Rejects if something does not hold. */
  readonly play: (stage: Stage) => Promise<void>;
}

/** Something that must hold did not. */
export class BrokenInvariant extends Error {
  override readonly name = "BrokenInvariant";
}

/** What a round is played on. */
export class Stage {
  readonly plan: RoundPlan;
  readonly runtime: Runtime;
  readonly random: SeededRandom;
  private done = 0;
  private ended = 0;
  private readonly parts: Stage[] = [];

  constructor(plan: RoundPlan, runtime: Runtime) {
    this.plan = plan;
    this.runtime = runtime;
    this.random = seeded(plan.seed);
  }

  /** A number of goroutines: `usual`, in a round of usual size. */
  many(usual: number): number {
    return Math.max(1, Math.round(usual * this.plan.scale));
  }

  /** A number of repetitions. */
  often(usual: number): number {
    return Math.max(1, Math.round(usual * this.plan.length));
  }

  /** A stage for a part of the round, on the same runtime, with sizes of its own. */
  part(plan: RoundPlan): Stage {
    const part = new Stage({ ...plan, seed: this.seed() }, this.runtime);
    this.parts.push(part);
    return part;
  }

  /** Operations done so far, those of parts included. */
  get operations(): number {
    return this.parts.reduce((sum, part) => sum + part.operations, this.done);
  }

  /** Threads that were ended on purpose so far, in parts, too. */
  get kills(): number {
    return this.parts.reduce((sum, part) => sum + part.kills, this.ended);
  }

  /** A seed for a part of the round. */
  seed(): number {
    return this.random.next() | 0;
  }

  /** Counts operations that have gone well. */
  did(operations: number): void {
    this.done += operations;
  }

  /** Counts a thread that was ended on purpose. */
  killed(): void {
    this.ended++;
  }
}

/** A row of counters that all threads share, each 0 at first. */
export function ledger(places: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Math.max(1, places) * 4));
}

/** Throws unless the two are the same. */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  if (!Object.is(actual, expected))
    throw new BrokenInvariant(`${what}: ${String(actual)} instead of ${String(expected)}`);
}

/** Throws unless every place of a ledger holds `expected`. */
export function expectEach(what: string, entries: Int32Array, expected: number): void {
  const wrong = entries.findIndex((entry) => entry !== expected);
  if (wrong < 0) return;
  const others = entries.reduce((sum, entry) => sum + (entry === expected ? 0 : 1), 0);
  throw new BrokenInvariant(
    `${what}: number ${wrong} ${entries[wrong]} times instead of ${expected} (${others} of ${entries.length} are wrong)`,
  );
}

/** Throws unless it holds. */
export function expectThat(what: string, holds: boolean): void {
  if (!holds) throw new BrokenInvariant(what);
}
