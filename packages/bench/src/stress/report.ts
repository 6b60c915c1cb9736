/** What is left when all rounds have been played: a table, and a file for programs. */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import Table from "cli-table3";
import { commandFor, type Invocation } from "./options.ts";
import type { RoundResult } from "./round.ts";
import type { Sums } from "./tally.ts";

/** A failure, and the smallest round found that fails as well. */
export interface Finding {
  readonly first: RoundResult;
  readonly smallest: RoundResult;
}

const count = (value: number): string => Math.round(value).toLocaleString("en");

/** A line for each scenario, and the sum. */
export function renderTable(perScenario: ReadonlyMap<string, Sums>, all: Sums): string {
  const table = new Table({
    head: [
      "scenario",
      "rounds",
      "s",
      "operations",
      "goroutines",
      "parks",
      "steals",
      "preempted",
      "handed off",
      "killed",
      "failed",
    ],
    colAligns: ["left", ...Array.from({ length: 10 }, () => "right" as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const [name, sums] of [...perScenario, ["all", all] as const])
    table.push([
      name,
      count(sums.rounds),
      count(sums.milliseconds / 1000),
      count(sums.operations),
      count(sums.goroutines),
      count(sums.parks),
      count(sums.steals),
      count(sums.preemptions),
      count(sums.handoffs),
      count(sums.kills),
      count(sums.failures),
    ]);
  return table.toString();
}

/** What is printed of a failure: what happened, what everybody was doing, how to see it again. */
export function renderFailure({ plan, failure }: RoundResult): string {
  const dump = failure?.dump === undefined ? [] : ["", failure.dump, ""];
  return [
    `${plan.scenario}: ${failure?.kind}: ${failure?.message}`,
    ...dump,
    `again:   ${commandFor(plan)}`,
  ].join("\n");
}

/** What is printed when it has been made as small as could be. */
export function renderSmaller({ first, smallest }: Finding): string {
  if (smallest === first) return "nothing smaller that fails was found";
  return `${renderFailure(smallest)}\n(a smaller round than the one before)`;
}

/** Writes the report for programs. */
export async function writeReport(
  invocation: Invocation,
  perScenario: ReadonlyMap<string, Sums>,
  all: Sums,
  findings: readonly Finding[],
): Promise<void> {
  const report = {
    node: process.version,
    seed: invocation.seed,
    minutes: invocation.minutes,
    procs: invocation.procs,
    scenarios: Object.fromEntries(perScenario),
    all,
    findings: findings.map((finding) => ({
      ...finding,
      again: commandFor(finding.first.plan),
      smaller: commandFor(finding.smallest.plan),
    })),
  };
  await mkdir(dirname(invocation.report), { recursive: true });
  await writeFile(invocation.report, `${JSON.stringify(report, undefined, 2)}\n`);
}
