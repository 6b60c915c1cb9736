/**
 * Sides that run in one thread: plain promises and Effect's fibers. Their code is loaded by the side that measures
 * it: no side is to have another's code in its heap.
 */
import type { Context, Run, Sample } from "../case.ts";
import type * as fibers from "./fibers.ts";
import type * as promises from "./promises.ts";

export function withPromises(
  measure: (context: Context, loaded: typeof promises) => Promise<readonly Sample[]>,
): Run {
  return async (context) => await measure(context, await import("./promises.ts"));
}

export function withFibers(
  measure: (context: Context, loaded: typeof fibers) => Promise<readonly Sample[]>,
): Run {
  return async (context) => await measure(context, await import("./fibers.ts"));
}
