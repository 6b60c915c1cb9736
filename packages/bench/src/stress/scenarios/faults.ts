/**
 * Threads that are ended at random under a mixed load: fork and join, channels and selects, locks of every kind, sleeps, blocked threads, async bodies, cancellations, goroutines that have not begun.
 *
 * The load comes in bouts. In each it goes on until so many threads have ended; then all is left to come to rest, and the books are looked through: every goroutine must be accounted for, and nothing be left behind.
 */

import { Accounts } from "../faults/accounts.ts";
import { crews } from "../faults/crews.ts";
import { Deaths, HEAP_LIMITS } from "../faults/deaths.ts";
import { goods } from "../faults/goods.ts";
import type { Errand, Load } from "../faults/load.ts";
import { cancellations, singles } from "../faults/singles.ts";
import { trees } from "../faults/trees.ts";
import { areEnough, growthIn, type Sample, sampleAtRest } from "../growth.ts";
import { settle } from "../rest.ts";
import { expectSame, ledger, type Scenario, type Stage } from "../scenario.ts";

const KILLS_EACH_BOUT = 20;
/** Goroutines of a bout at the most, and places for what they share. */
const BOOK_PLACES = 1 << 19;
/** When no more than these are left, the bout is over: each errand that is about to begin finds room. */
const RESERVE = 1 << 15;
/** Threads beyond the processors, for those that are blocked. */
const SPARE = 4;
/** Records of a kind that a thread may have had in hand when it ended, and that are not found again: on average. A thirteenth of a block was seen, and nothing of the other kinds. */
const RECORDS_EACH_DEATH = 0.25;
/** Errands that end between two deaths, at the most. */
const MAX_ERRANDS_BETWEEN = 8;

/** What goes on side by side, in a round of usual size. */
const shifts: readonly (readonly [errand: Errand, sideBySide: number])[] = [
  [trees, 4],
  [goods, 3],
  [crews, 3],
  [singles, 8],
  [cancellations, 2],
];

/** One bout: the load, and the deaths in it. */
class Bout {
  private readonly load: Load;
  private readonly deaths: Deaths;
  private readonly until: number;
  private isFull = false;
  private errandEnded: () => void = () => {};

  constructor(load: Load, deaths: Deaths, kills: number) {
    this.load = load;
    this.deaths = deaths;
    this.until = deaths.count + kills;
  }

  async run(): Promise<void> {
    const { stage, accounts } = this.load;
    const shiftsOf = shifts.flatMap(([errand, sideBySide]) =>
      Array.from({ length: stage.many(sideBySide) }, () => this.repeat(errand)),
    );
    await Promise.all([this.kill(), ...shiftsOf]);
    await settle(stage.runtime, stage.kills);
    accounts.close(this.deaths.count);
  }

  private get isOver(): boolean {
    return this.isFull || this.deaths.count >= this.until;
  }

  private async repeat(errand: Errand): Promise<void> {
    const { accounts } = this.load;
    while (!this.isOver) {
      await errand.run(this.load);
      this.isFull ||= !accounts.hasRoomFor(RESERVE);
      this.errandEnded();
    }
  }

  /** Some errands are done between two deaths, so that there is something to be lost at every stage. */
  private async kill(): Promise<void> {
    const { random } = this.load.stage;
    while (!this.isOver) {
      for (let errands = random.below(MAX_ERRANDS_BETWEEN); errands > 0; errands--) await this.anErrand();
      await this.deaths.one();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private anErrand(): Promise<void> {
    return new Promise((resolve) => {
      this.errandEnded = resolve;
    });
  }
}

async function play(stage: Stage): Promise<void> {
  const load = { stage, accounts: new Accounts(BOOK_PLACES) };
  const deaths = new Deaths(load);
  const samples: Sample[] = [];
  const present = ledger(1);
  for (let bout = stage.often(3); bout > 0; bout--) {
    await new Bout(load, deaths, KILLS_EACH_BOUT).run();
    samples.push(await sampleAtRest(stage.runtime, present, stage.kills));
  }
  // A long round: many threads have come and gone, a third of them in each third of the samples.
  const lost = (deaths.count / 3) * RECORDS_EACH_DEATH;
  if (areEnough(samples))
    expectSame("what threads that end leave behind", growthIn(samples, lost).join("; "), "");
}

export const faults: Scenario = {
  name: "faults",
  about:
    "threads ended at random under a mixed load: every goroutine is accounted for once, by a result, as lost or as cancelled, nobody waits for ever, and nothing is left behind",
  options: ({ procs }) => ({
    maxMachines: procs + SPARE,
    resourceLimits: HEAP_LIMITS,
  }),
  // Node (20 at least) ends the process when the engine, in the background, allocates memory for code that it compiles for a thread whose end has just begun.
  execArgv: ["--no-concurrent-recompilation"],
  play,
};
