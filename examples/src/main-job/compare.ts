import type { Job } from "./job.ts";
import { openProgress } from "./progress.ts";
import type { Outcome } from "./report.ts";
import type { Side } from "./side.ts";
import { openSide } from "./sides/index.ts";
import { checksum, emptyTally, type Tally } from "./tally.ts";

/**
 * One file in so many is counted once before the clock starts, so that threads are up and code is compiled.
 */
const WARM_UP_EVERY = 10;

/**
 * All sides stay open to the end: threads that wait cost the others nothing, and none of them starts cold.
 */
export async function compare(job: Job): Promise<Outcome[]> {
  const sides: { name: string; side: Side }[] = [];
  try {
    for (const name of job.sideNames) sides.push({ name, side: await openSide(name) });
    for (const { side } of sides) await warmUp(side, job.selection.paths);
    const passes = await takeTurns(sides, job);
    return sides.map(({ name }) => outcomeOf(name, passes));
  } finally {
    for (const { side } of sides) await side[Symbol.asyncDispose]();
  }
}

async function warmUp(side: Side, paths: readonly string[]): Promise<void> {
  await side.count(
    paths.filter((_, index) => index % WARM_UP_EVERY === 0),
    () => {},
  );
}

interface Pass {
  readonly name: string;
  readonly ms: number;
  readonly tally: Tally;
}

async function takeTurns(sides: readonly { name: string; side: Side }[], job: Job): Promise<Pass[]> {
  const passes: Pass[] = [];
  for (let round = 0; round < job.rounds; round++) {
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
