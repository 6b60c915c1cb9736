/**
 * Runs the sides of a case in turn, each in a fresh process, for several rounds.
 *
 * A ratio is only as good as the rounds it is taken from: both its figures come from the same round, minutes
 * cannot lie between them. While a round runs, the processor time of the whole machine is compared with that
 * of the round's own processes; a round in which others took more than a twentieth is thrown away and
 * repeated. On a machine that never comes to rest the least disturbed rounds are kept, and the result says
 * how disturbed they were.
 */
import { execFile } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Case, Context, GoProgram, SideName } from "./case.ts";
import { medianOf } from "./figures.ts";
import type { GoToolchain } from "./go.ts";
import type { CaseResult, Round, SideOutput } from "./results.ts";

const execute = promisify(execFile);
const sideProgram = fileURLToPath(new URL("./side.js", import.meta.url));

/** The share of the cores that others may take during a round before it is repeated. */
const DISTURBED = 0.05;
/**
 * A side that takes longer has hung; the slowest honest one needs a few seconds. A guess with room for slow
 * machines.
 */
const SIDE_TIMEOUT_MS = 120_000;

export interface RunnerOptions {
  readonly rounds: number;
  /** Keep every round, however busy the machine was. */
  readonly keepDisturbed: boolean;
  readonly context: Context;
  readonly go: GoToolchain | undefined;
  /** Called as each side ends. */
  readonly onSide?: (caseName: string, side: SideName) => void;
}

/** Heddle first, then the peers that can run here. */
export function sidesOf(one: Case, go: GoToolchain | undefined): SideName[] {
  const peers = Object.keys(one.peers) as (keyof Case["peers"])[];
  return ["heddle", ...peers.filter((name) => name !== "go" || go !== undefined)];
}

export async function runCase(one: Case, options: RunnerOptions): Promise<CaseResult> {
  const remarks: Remarks = { notes: {}, failures: {} };
  const rounds: Round[] = [];
  const attempts = options.keepDisturbed ? options.rounds : 2 * options.rounds;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const sides = sidesOf(one, options.go).filter((name) => remarks.failures[name] === undefined);
    rounds.push(await runRound(one, sides, remarks, options));
    if (rounds.filter(isQuiet).length >= options.rounds) break;
  }
  return { name: one.name, rounds: leastDisturbed(rounds, options.rounds), ...remarks };
}

/**
 * What is known of the sides beside their figures, gathered over the rounds. A side that failed is not run
 * again.
 */
interface Remarks {
  readonly notes: Partial<Record<SideName, string>>;
  readonly failures: Partial<Record<SideName, string>>;
}

function isQuiet(round: Round): boolean {
  return round.foreignShare <= DISTURBED;
}

/** The quietest `count` rounds, in the order in which they ran. */
export function leastDisturbed(rounds: readonly Round[], count: number): Round[] {
  const kept = new Set(rounds.toSorted((a, b) => a.foreignShare - b.foreignShare).slice(0, count));
  return rounds.filter((round) => kept.has(round));
}

async function runRound(
  one: Case,
  sides: readonly SideName[],
  { notes, failures }: Remarks,
  options: RunnerOptions,
): Promise<Round> {
  const figures: Partial<Record<SideName, number>> = {};
  const watch = watchMachine();
  for (const side of sides) {
    try {
      const { samples, cpuMs } = await runSide(one, side, options);
      watch.own(cpuMs);
      figures[side] = medianOf(samples.map((sample) => sample.value));
      const note = samples.find((sample) => sample.note !== undefined)?.note;
      if (note !== undefined) notes[side] = note;
    } catch (error) {
      failures[side] = reasonOf(error);
    }
    options.onSide?.(one.name, side);
  }
  return { figures, foreignShare: watch.foreignShare() };
}

/** One side in a process of its own. */
export async function runSide(
  one: Case,
  side: SideName,
  { context, go }: Pick<RunnerOptions, "context" | "go">,
): Promise<SideOutput> {
  const [program, args] =
    side === "go" && go !== undefined && one.peers.go !== undefined
      ? [go.program, goArguments(one.peers.go, context)]
      : [process.execPath, [sideProgram, one.name, side, JSON.stringify(context)]];
  const { stdout } = await execute(program, args, { timeout: SIDE_TIMEOUT_MS, killSignal: "SIGKILL" });
  const lastLine = stdout.trimEnd().split("\n").at(-1) ?? "";
  return JSON.parse(lastLine) as SideOutput;
}

function goArguments({ go, flags }: GoProgram, context: Context): string[] {
  return [
    "-case",
    go,
    "-ms",
    String(context.budgetMs),
    ...Object.entries(flags).map(([name, value]) => `-${name}=${value}`),
  ];
}

/** What a failed process says of the reason: the line that names the error, which Node and Go both print. */
function reasonOf(error: unknown): string {
  const { message, stderr, killed } = error as { message: string; stderr?: string; killed?: boolean };
  if (killed === true) return `did not end within ${SIDE_TIMEOUT_MS / 1000} s`;
  const line = (stderr ?? "")
    .split("\n")
    .find((text) => /^(?:Uncaught )?(?:\w*Error\b|panic:|fatal error:)/.test(text));
  return (line ?? message.split("\n")[0] ?? "").trim();
}

interface MachineWatch {
  /** Processor time that was this round's own. */
  own(cpuMs: number): void;
  foreignShare(): number;
}

function watchMachine(): MachineWatch {
  const began = performance.now();
  const busyBefore = busyMs();
  const mine = process.cpuUsage();
  let ownMs = 0;
  return {
    own(cpuMs) {
      ownMs += cpuMs;
    },
    foreignShare() {
      const { user, system } = process.cpuUsage(mine);
      const foreignMs = busyMs() - busyBefore - ownMs - (user + system) / 1000;
      const availableMs = (performance.now() - began) * cpus().length;
      return Math.max(0, foreignMs / availableMs);
    },
  };
}

function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}
