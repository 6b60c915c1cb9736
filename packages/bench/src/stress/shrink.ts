/** Makes a failing round smaller while it still fails. */

import type { Patience, RoundResult } from "./round.ts";
import type { RoundPlan } from "./scenario.ts";

/** Times that a smaller round is played before it counts as one that does not fail: the operating system has a say in it. */
const TRIES = 6;
/** Below this size a scenario does nothing of interest. */
const SMALLEST = 1 / 64;

type Play = (plan: RoundPlan, patience: Patience) => Promise<RoundResult>;

/** The smallest round found in the time there is, with its failure. */
export async function shrink(
  failed: RoundResult,
  play: Play,
  patience: Patience,
  until: number,
): Promise<RoundResult> {
  let smallest = failed;
  for (let next = await firstToFail(smallest.plan); next !== undefined; next = await firstToFail(next.plan))
    smallest = next;
  return smallest;

  async function firstToFail(plan: RoundPlan): Promise<RoundResult | undefined> {
    for (const smaller of smallerThan(plan)) {
      for (let attempt = 0; attempt < TRIES && performance.now() < until; attempt++) {
        const result = await play(smaller, patience);
        if (result.failure !== undefined) return result;
      }
    }
    return undefined;
  }
}

/** What is smaller by one step, the largest steps first. */
export function smallerThan(plan: RoundPlan): RoundPlan[] {
  const smaller: RoundPlan[] = [];
  if (plan.scale / 4 >= SMALLEST) smaller.push({ ...plan, scale: plan.scale / 4 });
  if (plan.length / 4 >= SMALLEST) smaller.push({ ...plan, length: plan.length / 4 });
  if (plan.scale / 2 >= SMALLEST) smaller.push({ ...plan, scale: plan.scale / 2 });
  if (plan.length / 2 >= SMALLEST) smaller.push({ ...plan, length: plan.length / 2 });
  if (plan.procs > 1) smaller.push({ ...plan, procs: plan.procs >> 1 });
  return smaller;
}
