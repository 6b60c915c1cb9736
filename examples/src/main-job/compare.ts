import type { Job } from "./job.ts";
import { openProgress } from "./progress.ts";
import type { Outcome } from "./report.ts";
import type { Side } from "./side.ts";
import { openSide } from "./sides/index.ts";
import { checksum, emptyTally, type Tally } from "./tally.ts";

/**
 * All sides stay open to the end: threads that wait cost the others nothing. A first round is not counted: in it
 * threads come up and code is compiled, on each of them anew.
 */
export async function compare(job: Job): Promise<Outcome[]> {
  const sides: { name: string; side: Side }[] = [];
  try {
    for (const name of job.sideNames) sides.push({ name, side: await openSide(name) });
    await takeTurns(sides, job, 1);
    const passes = await takeTurns(sides, job, job.rounds);
    return sides.map(({ name }) => outcomeOf(name, passes));
  } finally {
    for (const { side } of sides) await side[Symbol.asyncDispose]();
  }
}

interface Pass {
  readonly name: string;
  readonly ms: number;
  readonly tally: Tally;
}

async function takeTurns(
  sides: readonly { name: string; side: Side }[],
  job: Job,
  rounds: number,
): Promise<Pass[]> {
  const passes: Pass[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const { name, side } of sides) passes.push(await timePass(name, side, job.selection.paths));
  }
  return passes;
}

async function timePass(name: string, side: Side, paths: readonly string[]): Promise<Pass> {
  const progress = openProgress(name, paths.length);
  try {
    const began = performance.now();
    const tally = await side.count(paths, progress.update);
    return { name, ms: performance.now() - began, tally };
  } finally {
    progress.close();
  }
}

function outcomeOf(side: string, passes: readonly Pass[]): Outcome {
  const own = passes.filter(({ name }) => name === side);
  return {
    side,
    roundsMs: own.map(({ ms }) => ms),
    checksums: own.map(({ tally }) => checksum(tally)),
    tally: own.at(-1)?.tally ?? emptyTally(),
  };
}
