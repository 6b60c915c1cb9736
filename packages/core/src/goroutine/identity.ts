/**
 * Goroutine ids: 1, 2, 3 … for the life of the runtime, never used twice, not consecutive.
 *
 * Every cache owner takes a batch of 1024 from the shared counter, as Go's processors take 16, so a spawn costs one plain addition. The counter is 32
 * bits wide, which makes 2^42 ids: at ten million a second, five days short of fourteen years.
 */

import { CACHE_GOID_LEFT, CACHE_GOID_NEXT, SCHED_GOID_BATCH } from "../memory/layout.ts";

/** Ids taken at once. */
export const GOID_BATCH = 1024;

const NEXT = CACHE_GOID_NEXT / 2;
const LEFT = CACHE_GOID_LEFT;
const BATCH = GOID_BATCH;

/** The next id of the owner of `cache` (a cache record's first word). */
export function nextGoroutineId(i32: Int32Array, f64: Float64Array, cache: number): number {
  const at = (cache >> 1) + NEXT;
  let left = i32[cache + LEFT];
  if (left === 0) {
    takeBatch(i32, f64, at);
    left = BATCH;
  }
  i32[cache + LEFT] = left - 1;
  // Always from memory: an id that might also be the result of a call would be an object to the engine, or have to be tried for being a small integer.
  const id = f64[at];
  f64[at] = id + 1;
  return id;
}

function takeBatch(i32: Int32Array, f64: Float64Array, at: number): void {
  const batch = Atomics.add(i32, SCHED_GOID_BATCH, 1) >>> 0;
  f64[at] = batch * BATCH + 1;
}
