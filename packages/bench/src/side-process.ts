/** One side of one case in a process of its own. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Context, GoProgram } from "./case.ts";
import type { SideOutput } from "./results.ts";

const execute = promisify(execFile);

/** The program of this tree that runs a side; a copy of it elsewhere finds the packages that are there. */
export const sideProgram: string = fileURLToPath(new URL("./side.js", import.meta.url));

/**
 * A side that takes longer has hung; the slowest honest one needs a few seconds. A guess with room for slow
 * machines.
 */
const TIMEOUT_MS = 120_000;

export function runNodeSide(
  program: string,
  caseName: string,
  side: string,
  context: Context,
): Promise<SideOutput> {
  return runProcess(process.execPath, [program, caseName, side, JSON.stringify(context)]);
}

export function runGoSide(program: string, { go, flags }: GoProgram, context: Context): Promise<SideOutput> {
  const settings = Object.entries(flags).map(([name, value]) => `-${name}=${value}`);
  return runProcess(program, ["-case", go, "-ms", String(context.budgetMs), ...settings]);
}

async function runProcess(program: string, args: readonly string[]): Promise<SideOutput> {
  try {
    const { stdout } = await execute(program, args, { timeout: TIMEOUT_MS, killSignal: "SIGKILL" });
    const lastLine = stdout.trimEnd().split("\n").at(-1) ?? "";
    return JSON.parse(lastLine) as SideOutput;
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error });
  }
}

/** What a failed process says of the reason: the line that names the error, which Node and Go both print. */
function reasonOf(error: unknown): string {
  const { message, stderr, killed } = error as { message: string; stderr?: string; killed?: boolean };
  if (killed === true) return `did not end within ${TIMEOUT_MS / 1000} s`;
  const line = (stderr ?? "")
    .split("\n")
    .find((text) => /^(?:Uncaught )?(?:\w*Error\b|panic:|fatal error:)/.test(text));
  return (line ?? message.split("\n")[0] ?? "").trim();
}
