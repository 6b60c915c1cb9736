/** Plays one round: a fresh runtime, the scenario, and what must hold after any scenario. */

import { type Runtime, type RuntimeStats, start } from "heddle";
import { dump, startWithChaos } from "heddle/testing";
import { settle } from "./rest.ts";
import { BrokenInvariant, type RoundPlan, Stage } from "./scenario.ts";
import { scenarioNamed } from "./scenarios/index.ts";

/** How a round ended, as it travels from the process that played it. */
export interface RoundResult extends Beat {
  readonly plan: RoundPlan;
  readonly milliseconds: number;
  readonly failure?: RoundFailure;
}

export interface RoundFailure {
  /** What kind: something did not hold, an error nobody expected, nothing moved any more, the process ended. */
  readonly kind: "invariant" | "error" | "hang" | "crash";
  readonly message: string;
  /** Every machine and goroutine at that moment. */
  readonly dump?: string;
}

/** What a round has done so far. */
export interface Beat {
  readonly operations: number;
  /** Threads that were ended on purpose. */
  readonly kills: number;
  readonly stats: RuntimeStats;
}

/** How long nothing may move, and how long a round may take. Bounds against waiting for ever: a round takes a second or two, and a minute on a machine with other work. */
export interface Patience {
  readonly stillMs: number;
  readonly roundMs: number;
}

const WATCH_EVERY_MS = 100;

/** Nothing moved, or it took too long. */
class Hang extends Error {}

/** Plays a round. Never rejects: what went wrong is in the result. */
export async function playRound(
  plan: RoundPlan,
  patience: Patience,
  onBeat: (beat: Beat) => void,
): Promise<RoundResult> {
  const began = performance.now();
  const scenario = scenarioNamed(plan.scenario);
  const options = { procs: plan.procs, ...scenario.options?.(plan) };
  const runtime = await (plan.chaos ? startWithChaos({ seed: plan.seed }, options) : start(options));
  const stage = new Stage(plan, runtime);
  let failure: RoundFailure | undefined;
  const watch = new Watch(stage, patience, onBeat);
  try {
    await watch.during(scenario.play(stage));
    await watch.during(settle(runtime, stage.kills));
    await watch.during(runtime.close());
  } catch (error) {
    failure = failureOf(error, runtime);
  } finally {
    watch.stop();
  }
  const { operations, kills } = stage;
  const milliseconds = performance.now() - began;
  const result = { plan, milliseconds, operations, kills, stats: runtime.stats() };
  return failure === undefined ? result : { ...result, failure };
}

function failureOf(error: unknown, runtime: Runtime): RoundFailure {
  const kind = error instanceof Hang ? "hang" : error instanceof BrokenInvariant ? "invariant" : "error";
  return { kind, message: describe(error), dump: dump(runtime) };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof BrokenInvariant || error instanceof Hang) return error.message;
  const cause = error.cause === undefined ? "" : `\ncaused by ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/** Looks at a round from outside: tells how far it is, and gives it up when nothing moves. */
class Watch {
  private readonly stage: Stage;
  private readonly patience: Patience;
  private readonly timer: NodeJS.Timeout;
  private readonly hung: Promise<never>;
  private giveUp!: (error: Hang) => void;
  private readonly began = performance.now();
  private movedAt = performance.now();
  private seen = -1;

  constructor(stage: Stage, patience: Patience, onBeat: (beat: Beat) => void) {
    this.stage = stage;
    this.patience = patience;
    this.hung = new Promise((_, reject) => {
      this.giveUp = reject;
    });
    // It may come when nobody waits for it.
    this.hung.catch(() => {});
    this.timer = setInterval(() => {
      const stats = stage.runtime.stats();
      onBeat({ operations: stage.operations, kills: stage.kills, stats });
      this.look(stats);
    }, WATCH_EVERY_MS);
  }

  /** Waits for a part of the round, unless nothing moves. */
  during<T>(part: Promise<T>): Promise<T> {
    part.catch(() => {});
    return Promise.race([part, this.hung]);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look({ parks, spawned, preemptions, steals, goroutines }: RuntimeStats): void {
    const now = performance.now();
    const moved = parks + spawned + preemptions + steals + goroutines + this.stage.operations;
    if (moved !== this.seen) this.movedAt = now;
    this.seen = moved;
    const { stillMs, roundMs } = this.patience;
    if (now - this.movedAt > stillMs)
      this.giveUp(new Hang(`nothing has moved for ${Math.round(stillMs / 1000)} s`));
    else if (now - this.began > roundMs)
      this.giveUp(new Hang(`the round has not ended after ${Math.round(roundMs / 1000)} s`));
  }
}
