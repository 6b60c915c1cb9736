/** Runs a case: Heddle and its peers in turn. */
import type { Case, Context, SideName } from "./case.ts";
import type { GoToolchain } from "./go.ts";
import type { CaseResult, SideOutput } from "./results.ts";
import { runGoSide, runNodeSide, sideProgram } from "./side-process.ts";
import { type TurnOptions, takeTurns } from "./turns.ts";

export interface RunnerOptions extends TurnOptions {
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
  const sides = sidesOf(one, options.go).map((name) => ({
    name,
    measure: () => runSide(one, name, options),
    ended: () => options.onSide?.(one.name, name),
  }));
  return { name: one.name, ...(await takeTurns(sides, options)) };
}

/** One side in a process of its own. */
export function runSide(
  one: Case,
  side: SideName,
  { context, go }: Pick<RunnerOptions, "context" | "go">,
): Promise<SideOutput> {
  return side === "go" && go !== undefined && one.peers.go !== undefined
    ? runGoSide(go.program, one.peers.go, context)
    : runNodeSide(sideProgram, one.name, side, context);
}
