/**
 * The books of the scenario faults: what became of every goroutine, by its place in a ledger that all threads share.
 *
 * A place notes three things, each in bits of its own: that the goroutine was made (by whoever started it, once `spawn` has returned), that it has begun and that it has reached its end (by itself). Whoever waits for it
 * notes its fate beside them. When all is at rest, that must fit together: nobody has begun twice; who gave a result has begun and ended once; who was surely made has begun, unless a thread ended between taking it up and
 * its first step, which can happen to one goroutine for each thread that ends.
 */

import { CanceledError, MachineLostError } from "heddle";
import { BrokenInvariant, ledger } from "../scenario.ts";

/** What becomes of a goroutine, as far as who waits for it can tell. */
export type Fate = "done" | "lost" | "cancelled";

/** Each of these is added to a place's word. */
const BEGUN = 1;
const ENDED = 1 << 8;
const MADE = 1 << 16;
const COUNT = 0xff;

/** So many of a kind are described. */
const DESCRIBED = 6;

const begunAt = (word: number): number => word & COUNT;
const endedAt = (word: number): number => (word >> 8) & COUNT;
const madeAt = (word: number): number => (word >> 16) & COUNT;

/** Whoever started it: it is there. */
export function noteMade(marks: Int32Array, place: number): void {
  Atomics.add(marks, place, MADE);
}

/** A body's first step. */
export function noteBegun(marks: Int32Array, place: number): void {
  Atomics.add(marks, place, BEGUN);
}

/** A body's last step. */
export function noteEnded(marks: Int32Array, place: number): void {
  Atomics.add(marks, place, ENDED);
}

export class Accounts {
  readonly marks: Int32Array;
  /** How many goroutines had each fate, since the beginning. */
  readonly fates: Record<Fate, number> = { done: 0, lost: 0, cancelled: 0 };
  private readonly fateAt = new Map<number, Fate>();
  /** Those that may begin more than once: how often. */
  private readonly runsAt = new Map<number, number>();
  /** What was said of those that are lost. */
  private readonly lossAt = new Map<number, string>();
  private used = 0;
  /** Kills up to the last look through the books. */
  private killsBefore = 0;

  constructor(places: number) {
    this.marks = ledger(places);
  }

  /** Whether so many places are left. */
  hasRoomFor(places: number): boolean {
    return this.used + places <= this.marks.length;
  }

  /** The first of so many places of its own. */
  take(places: number): number {
    const first = this.used;
    if (!this.hasRoomFor(places)) throw new RangeError(`the books have no room for ${places} more places`);
    this.used += places;
    return first;
  }

  /** Waits for the goroutine of a place, which has just been started, and notes its fate. `judge` looks at a result. */
  follow<R>(place: number, work: PromiseLike<R>, judge?: (result: R) => void): Promise<Fate> {
    noteMade(this.marks, place);
    return this.followMade(place, work, judge);
  }

  /** A goroutine that is run again when it is lost may begin so many times. */
  allowRuns(place: number, runs: number): void {
    this.runsAt.set(place, runs);
  }

  /** The same as `follow` for one that another goroutine has started. */
  async followMade<R>(
    place: number,
    work: PromiseLike<R>,
    judge: (result: R) => void = () => {},
  ): Promise<Fate> {
    const fate = await this.fateOf(place, work, judge);
    if (this.fateAt.has(place)) throw new BrokenInvariant(`the goroutine of place ${place} has two fates`);
    this.fateAt.set(place, fate);
    this.fates[fate]++;
    return fate;
  }

  /** Looks through the books when all is at rest, and closes them. `kills`: how many threads have been ended since the beginning. */
  close(kills: number): void {
    const { marks, fateAt, used } = this;
    const neverBegun: number[] = [];
    for (let place = 0; place < used; place++) {
      const word = marks[place] as number;
      const problem = problemOf(word, fateAt.get(place), this.runsAt.get(place) ?? 1);
      if (problem !== "") throw new BrokenInvariant(`the goroutine of place ${place} ${problem}`);
      if (madeAt(word) > 0 && begunAt(word) === 0 && !this.needNotBegin(place)) neverBegun.push(place);
    }
    const since = kills - this.killsBefore;
    if (neverBegun.length > since)
      throw new BrokenInvariant(
        `${neverBegun.length} goroutines were started and have never begun, and only ${since} threads have ended: ${this.describe(neverBegun)}`,
      );
    this.killsBefore = kills;
    marks.fill(0, 0, used);
    fateAt.clear();
    this.lossAt.clear();
    this.runsAt.clear();
    this.used = 0;
  }

  private async fateOf<R>(place: number, work: PromiseLike<R>, judge: (result: R) => void): Promise<Fate> {
    try {
      judge(await work);
      return "done";
    } catch (error) {
      if (error instanceof CanceledError) return "cancelled";
      if (!(error instanceof MachineLostError)) throw error;
      this.lossAt.set(place, error.message);
      return "lost";
    }
  }

  /** Cancelled, or given up because too many threads have ended while they loaded its module. */
  private needNotBegin(place: number): boolean {
    return this.fateAt.get(place) === "cancelled" || (this.lossAt.get(place) ?? "").includes("cannot begin");
  }

  /** Places, with what is known of them. */
  private describe(places: readonly number[]): string {
    const said = places.map((place) => `${place}: ${this.lossAt.get(place) ?? "nobody waited for it"}`);
    return said.slice(0, DESCRIBED).join("; ");
  }
}

/** What does not fit together, or nothing. `runs`: how often it may begin. */
function problemOf(word: number, fate: Fate | undefined, runs: number): string {
  const [begun, ended, made] = [begunAt(word), endedAt(word), madeAt(word)];
  if (begun > runs) return `has begun ${begun} times`;
  if (ended > begun) return `has begun ${begun} times and ended ${ended} times`;
  if (made > 1) return `was made ${made} times`;
  // Lost between its last step and the news of it, it is run again.
  if (fate === "done" && (ended < 1 || ended > runs))
    return `gave a result, has begun ${begun} times and ended ${ended} times`;
  return "";
}
