/** A process that plays rounds, as the conductor sees it. */

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { PlayerMessage, PlayMessage } from "./messages.ts";
import type { Beat, Patience, RoundFailure, RoundResult } from "./round.ts";
import type { RoundPlan } from "./scenario.ts";
import { scenarioNamed } from "./scenarios/index.ts";

/** Rounds that a process plays before a new one takes its place: enough to show what rounds leave behind, few enough that it does not matter for long. */
const ROUNDS_EACH = 20;
/** How much longer than a hang takes to be noticed a process may be silent: its host thread is stuck, or has no turn. */
const SILENCE_MS = 15_000;
/** Characters kept of what a process prints: a crash says why at the end. */
const KEPT_OUTPUT = 8000;

const noStats = {
  procs: 0,
  machines: 0,
  maxMachines: 0,
  blocked: 0,
  waitingMachines: 0,
  queued: 0,
  goroutines: 0,
  spawned: 0,
  steals: 0,
  preemptions: 0,
  handoffs: 0,
  parks: 0,
};
const nothingYet: Beat = { operations: 0, kills: 0, stats: noStats };

export class Player {
  private readonly onBeat: (beat: Beat, residentBytes: number) => void;
  private process: ChildProcess | undefined;
  /** Options of Node that the process was started with. */
  private execArgv = "";
  private played = 0;
  private output = "";
  private last: Beat = nothingYet;

  constructor(onBeat: (beat: Beat, residentBytes: number) => void) {
    this.onBeat = onBeat;
  }

  /** Plays a round, in a new process after a failure. Never rejects. */
  async play(plan: RoundPlan, patience: Patience): Promise<RoundResult> {
    const execArgv = ["--expose-gc", ...(scenarioNamed(plan.scenario).execArgv ?? [])];
    if (this.played >= ROUNDS_EACH || execArgv.join() !== this.execArgv) this.end();
    this.process ??= this.begin(execArgv);
    this.played++;
    const began = performance.now();
    this.last = nothingYet;
    const outcome = await this.outcomeOf(this.process, { plan, patience });
    if ("plan" in outcome) {
      if (outcome.failure !== undefined) this.end();
      return outcome;
    }
    this.end();
    return { plan, milliseconds: performance.now() - began, ...this.last, failure: outcome };
  }

  /** Ends the process. */
  end(): void {
    this.process?.kill("SIGKILL");
    this.process = undefined;
    this.played = 0;
  }

  private begin(execArgv: string[]): ChildProcess {
    const script = fileURLToPath(new URL("./player-process.js", import.meta.url));
    const child = fork(script, { stdio: ["ignore", "pipe", "pipe", "ipc"], execArgv });
    this.execArgv = execArgv.join();
    this.output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output = (this.output + text).slice(-KEPT_OUTPUT);
      });
    return child;
  }

  private outcomeOf(child: ChildProcess, message: PlayMessage): Promise<RoundResult | RoundFailure> {
    return new Promise((resolve) => {
      const silentAfter = message.patience.stillMs + SILENCE_MS;
      const settle = (outcome: RoundResult | RoundFailure): void => {
        clearTimeout(silence);
        child.off("message", onMessage);
        child.off("exit", onExit);
        resolve(outcome);
      };
      const onMessage = (said: unknown): void => {
        const answer = said as PlayerMessage;
        if (answer.kind === "played") {
          settle(answer.result);
        } else {
          silence.refresh();
          this.last = answer.beat;
          this.onBeat(answer.beat, answer.residentBytes);
        }
      };
      const onExit = (code: number | null, signal: NodeJS.Signals | null): void =>
        settle(this.failure("crash", `the process ended with ${signal ?? `status ${code}`}`));
      const silence = setTimeout(
        () => settle(this.failure("hang", "the host thread does not answer: it is stuck or has no turn")),
        silentAfter,
      );
      child.on("message", onMessage);
      child.on("exit", onExit);
      child.send(message);
    });
  }

  private failure(kind: RoundFailure["kind"], message: string): RoundFailure {
    return { kind, message: this.output === "" ? message : `${message}\n${this.output}` };
  }
}
