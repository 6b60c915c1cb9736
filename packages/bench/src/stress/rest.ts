/** What must hold whenever a runtime has nothing to do: no goroutine is left, and the free lists of the shared memory are in order. */

import type { Runtime } from "heddle";
import { audit, isQuiet } from "heddle/testing";
import { BrokenInvariant } from "./scenario.ts";

/** How long the last goroutines may take to end once a scenario has all it waits for, and the machines to fall asleep. */
const SETTLE_MS = 15_000;
/** The longest pause between two looks. */
const LAST_LOOK_MS = 100;

/**
 * Waits until a runtime is at rest. Rejects if it does not come to rest, or something is wrong then. `kills`: threads that were ended on purpose, each of which may have had a record in hand.
 */
export async function settle(runtime: Runtime, kills = 0): Promise<void> {
  const until = performance.now() + SETTLE_MS;
  let problem = "";
  for (let wait = 1; performance.now() < until; wait = Math.min(LAST_LOOK_MS, wait * 2)) {
    problem = whatIsLeft(runtime, kills);
    if (problem === "") return;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  throw new BrokenInvariant(problem);
}

function whatIsLeft(runtime: Runtime, kills: number): string {
  // Its threads have been stopped wherever they were.
  if (runtime.closed) return "";
  const left = runtime.numGoroutine();
  if (left !== 0) return `${left} goroutines are left`;
  if (!isQuiet(runtime)) return "no goroutine is left, but a processor is still held";
  const { problems, goroutines, waiters, timers } = audit(runtime);
  if (problems.length > 0) return problems.join("; ");
  if (waiters > kills) return `${waiters} descriptors of waiting promises are left`;
  if (goroutines < 0 || timers < 0) return `${goroutines} descriptors, ${timers} timers in use`;
  return "";
}
