/** The line that says what is going on. On a terminal it changes in place; elsewhere one is printed now and then. */

import { SingleBar } from "cli-progress";
import type { Beat } from "./round.ts";
import type { RoundPlan } from "./scenario.ts";
import { addBeat, type Sums } from "./tally.ts";

/** Between two lines where there is no terminal. */
const PRINT_EVERY_MS = 15_000;
/** Half a second of the past weighs half in what is shown per second. */
const WEIGHT_OF_NEWS = 0.13;

export class StatusLine {
  private readonly bar: SingleBar;
  private readonly began = performance.now();
  private rate = 0;
  private lastAt = performance.now();
  private lastOperations = 0;

  constructor(minutes: number) {
    this.bar = new SingleBar({
      format:
        "{bar} {elapsed} of {minutes} min | {what} | {goroutines} goroutines | {rate} op/s | {memory} MB | {counts}",
      barsize: 12,
      stream: process.stderr,
      noTTYOutput: true,
      notTTYSchedule: PRINT_EVERY_MS,
      clearOnComplete: true,
      linewrap: false,
      gracefulExit: false,
    });
    this.bar.start(Math.max(1, minutes * 60), 0, {
      minutes,
      elapsed: "0:00",
      what: "starting",
      goroutines: 0,
      rate: 0,
      memory: 0,
      counts: "",
    });
  }

  /** A round is under way; `before` is what the rounds before it did. */
  show(plan: RoundPlan, beat: Beat, before: Sums, residentBytes: number): void {
    const sums = { ...before };
    addBeat(sums, beat);
    const now = performance.now();
    const perSecond = ((sums.operations - this.lastOperations) / Math.max(1, now - this.lastAt)) * 1000;
    this.rate += (Math.max(0, perSecond) - this.rate) * WEIGHT_OF_NEWS;
    this.lastAt = now;
    this.lastOperations = sums.operations;
    const seconds = (now - this.began) / 1000;
    this.bar.update(Math.min(this.bar.getTotal(), seconds), {
      elapsed: `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`,
      what: `${plan.scenario} ${plan.procs}P${plan.chaos ? " chaos" : ""} seed ${plan.seed}`,
      goroutines: beat.stats.goroutines,
      rate: Math.round(this.rate).toLocaleString("en"),
      memory: Math.round(residentBytes / 2 ** 20),
      counts: countsOf(sums),
    });
  }

  close(): void {
    this.bar.stop();
  }
}

function countsOf({ rounds, steals, preemptions, handoffs, kills, failures }: Sums): string {
  const parts = [
    `${rounds} rounds`,
    `${steals} steals`,
    `${preemptions} preempted`,
    `${handoffs} handed off`,
    `${kills} killed`,
  ];
  return [...parts, `${failures} failed`].join(", ");
}
