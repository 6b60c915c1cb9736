/**
 * Atomic operations that now and then take long: the thread is made to lose its core right before or after a step that others see. Windows of nanoseconds, which a run of days may never hit,
 * become wide.
 *
 * The kernel names `Atomics` at every use, so a stand-in for the thread's global reaches all of it, and nothing has to be asked where chaos is off.
 */

import type { Decisions } from "./decisions.ts";

/** Operations between two naps, on average. A guess: a few naps for every goroutine that parks would leave nothing but naps. */
const STEPS_PER_NAP = 3000;

const STEPS = ["load", "store", "exchange", "compareExchange", "add", "sub", "and", "or"] as const;

type Step = (array: Int32Array, index: number, ...values: number[]) => number;

/** Replaces the thread's `Atomics`, for good: to be called before the kernel runs on it. */
export function slowDownAtomics(decisions: Decisions): void {
  const genuine = Atomics;
  const slowed = Object.create(genuine) as Record<string, unknown>;
  for (const name of STEPS) slowed[name] = slow(genuine[name] as Step, decisions);
  Object.defineProperty(globalThis, "Atomics", { value: slowed, writable: true, configurable: true });
}

function slow(step: Step, decisions: Decisions): Step {
  return (array, index, ...values) => {
    decisions.pause(STEPS_PER_NAP);
    return step(array, index, ...values);
  };
}
