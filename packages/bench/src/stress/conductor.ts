/** Plays rounds for as long as was asked, and keeps account. */

import { type Invocation, roundsOf } from "./options.ts";
import { Player } from "./player.ts";
import type { Finding } from "./report.ts";
import type { Patience, RoundResult } from "./round.ts";
import type { RoundPlan } from "./scenario.ts";
import { shrink } from "./shrink.ts";
import { StatusLine } from "./status-line.ts";
import { addRound, noSums, type Sums } from "./tally.ts";

/** How long a round may take: far longer than any usual one. One of greater length has accordingly more time. */
const ROUND_MS = 240_000;
/** How long a failing round is made smaller. */
const SHRINK_MS = 120_000;
/** Patience with the rounds that shrinking plays: some of them hang, and there are many. */
const SHRINK_STILL_MS = 8000;

export interface Outcome {
  readonly perScenario: ReadonlyMap<string, Sums>;
  readonly all: Sums;
  readonly findings: readonly Finding[];
}

/** Who conducts tells of failures as they come. */
export interface ConductorEvents {
  /** A round has failed. Looking for a smaller one takes a while. */
  failed(first: RoundResult): void;
  /** All that is known of it. */
  found(finding: Finding): void;
}

export class Conductor {
  private readonly invocation: Invocation;
  private readonly events: ConductorEvents;
  private readonly status: StatusLine;
  private readonly player: Player;
  private readonly perScenario = new Map<string, Sums>();
  private readonly all = noSums();
  private readonly findings: Finding[] = [];
  private playing: RoundPlan | undefined;

  constructor(invocation: Invocation, events: ConductorEvents) {
    this.invocation = invocation;
    this.events = events;
    this.status = new StatusLine(invocation.minutes);
    this.player = new Player((beat, residentBytes) => {
      if (this.playing !== undefined) this.status.show(this.playing, beat, this.all, residentBytes);
    });
    for (const name of invocation.scenarios) this.perScenario.set(name, noSums());
  }

  async conduct(): Promise<Outcome> {
    const { minutes, repeat, stillMs, length } = this.invocation;
    const until = performance.now() + minutes * 60_000;
    const patience = { stillMs, roundMs: Math.max(ROUND_MS * Math.max(1, length), 2 * stillMs) };
    let played = 0;
    try {
      for (const plan of roundsOf(this.invocation)) {
        const enough = repeat > 0 ? played >= repeat : performance.now() >= until;
        if (enough || this.isOver()) break;
        if (this.failed.has(plan.scenario)) continue;
        played++;
        const result = await this.play(plan, patience);
        this.account(result);
        if (result.failure !== undefined) await this.note(result, patience);
      }
    } finally {
      this.player.end();
      this.status.close();
    }
    return { perScenario: this.perScenario, all: this.all, findings: this.findings };
  }

  /** Whether failures leave nothing to do. */
  private isOver(): boolean {
    const { size } = this.failed;
    return size === this.perScenario.size || (size > 0 && this.invocation.untilFailure);
  }

  /** Scenarios that have failed are not played again: they would only fail again. */
  private readonly failed = new Set<string>();

  private async play(plan: RoundPlan, patience: Patience): Promise<RoundResult> {
    this.playing = plan;
    const result = await this.player.play(plan, patience);
    this.playing = undefined;
    return result;
  }

  private account(result: RoundResult): void {
    const sums = this.perScenario.get(result.plan.scenario);
    if (sums !== undefined) addRound(sums, result);
    addRound(this.all, result);
  }

  private async note(first: RoundResult, patience: Patience): Promise<void> {
    this.failed.add(first.plan.scenario);
    this.events.failed(first);
    const hasty = { ...patience, stillMs: Math.min(patience.stillMs, SHRINK_STILL_MS) };
    const smallest = this.invocation.shrink
      ? await shrink(first, (plan) => this.play(plan, hasty), hasty, performance.now() + SHRINK_MS)
      : first;
    const finding = { first, smallest };
    this.findings.push(finding);
    this.events.found(finding);
  }
}
