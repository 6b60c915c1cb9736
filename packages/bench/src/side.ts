/**
 * One side of one case, alone in this process: `node side.js <case> <side> <context as JSON>`. Writes its
 * samples as one line of JSON and ends by itself; a side that leaves a thread behind is stopped by the runner
 * and counts as failed.
 */

import type { Context, Run } from "./case.ts";
import { cases } from "./cases/index.ts";
import type { SideOutput } from "./results.ts";

function findRun(caseName: string | undefined, sideName: string | undefined): Run {
  const found = cases.find((one) => one.name === caseName);
  if (found === undefined) throw new RangeError(`side: no case ${caseName}`);
  const sides: Record<string, unknown> = { ...found.peers, heddle: found.run };
  const run = sides[sideName ?? ""];
  if (typeof run !== "function")
    throw new RangeError(`side: ${caseName} has no side ${sideName} to run here`);
  return run as Run;
}

const [caseName, sideName, context] = process.argv.slice(2);
const run = findRun(caseName, sideName);
const samples = await run(JSON.parse(context ?? "") as Context);
const { user, system } = process.cpuUsage();
const output: SideOutput = { samples, cpuMs: (user + system) / 1000 };
process.stdout.write(`${JSON.stringify(output)}\n`);
