/**
 * Random schedules, for models too large to explore.
 *
 * Runs alternate between two kinds, for each finds what the other seldom meets:
 * - Priorities (after "A randomized scheduler with probabilistic guarantees of finding bugs", Burckhardt and others, ASPLOS 2010):
 *   threads have random priorities, the highest that can go on runs, and at a few random steps the running thread drops to the lowest. A bug
 *   that needs d such drops is met with a probability of at least 1 in threads × steps^d, however long the threads are.
 * - Coins: at each boundary somebody is drawn with a probability fixed for the run, else the current thread goes on.
 *
 * Timeouts and kills are no threads: when possible, they happen with a small probability.
 */

import type { SeededRandom } from "../seeded.ts";
import { type Decision, isStep, threadOf } from "./decision.ts";
import type { Model } from "./model.ts";
import type { Chooser } from "./runner.ts";

/** One in so many chances that a possible timeout or kill is taken. A guess: several boundaries usually offer it. */
const RARE = 8;
/** Priority drops in a run, at most. Bugs that need more are rare. */
const MOST_DROPS = 4;

/** Decides one random execution; the two kinds differ in whose step is next. */
abstract class RandomRun implements Chooser {
  protected readonly random: SeededRandom;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  choose(model: Model, decisions: readonly Decision[]): Decision {
    const steps = decisions.filter(isStep);
    const others = decisions.length - steps.length;
    if (steps.length === 0 || (others > 0 && this.random.below(RARE) === 0)) {
      return this.random.pick(decisions.filter((decision) => !isStep(decision)));
    }
    return this.chooseStep(model, steps);
  }

  protected abstract chooseStep(model: Model, steps: readonly Decision[]): Decision;
}

class CoinRun extends RandomRun {
  private readonly drawing: number;

  constructor(random: SeededRandom) {
    super(random);
    this.drawing = 0.5 ** random.below(6); // from each boundary to one in 32
  }

  protected chooseStep(model: Model, steps: readonly Decision[]): Decision {
    // The model puts the current thread first, if it can go on.
    const first = steps[0] as Decision;
    return model.canGoOn() && this.random.fraction() >= this.drawing ? first : this.random.pick(steps);
  }
}

class PriorityRun extends RandomRun {
  /** By thread; the larger goes first. */
  private readonly priorities: number[];
  /** Decisions at which the running thread drops. */
  private readonly drops: Set<number>;
  private lowest = -1;

  constructor(random: SeededRandom, threads: number, length: number) {
    super(random);
    this.priorities = random.shuffled(Array.from({ length: threads }, (_, index) => index));
    this.drops = new Set(Array.from({ length: 1 + random.below(MOST_DROPS) }, () => random.below(length)));
  }

  protected chooseStep(model: Model, steps: readonly Decision[]): Decision {
    if (model.canGoOn() && this.drops.has(model.state.decisions)) {
      this.priorities[model.state.current] = this.lowest--;
    }
    return steps.reduce((best, step) => (this.priority(step) > this.priority(best) ? step : best));
  }

  private priority(step: Decision): number {
    return this.priorities[threadOf(step)] as number; // all threads have one
  }
}

/** Makes the chooser for each run. */
export class RandomWalk {
  private readonly random: SeededRandom;
  private readonly threads: number;
  private runs = 0;
  /** Decisions of the longest run so far: where a priority may drop. */
  private longest = 1;

  constructor(random: SeededRandom, threads: number) {
    this.random = random;
    this.threads = threads;
  }

  nextRun(): Chooser {
    return this.runs++ % 2 === 0
      ? new CoinRun(this.random)
      : new PriorityRun(this.random, this.threads, this.longest);
  }

  noteLength(decisions: number): void {
    this.longest = Math.max(this.longest, decisions);
  }
}
