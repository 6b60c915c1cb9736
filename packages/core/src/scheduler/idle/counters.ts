/** Counters of a runtime, added up over the caches that its processors and threads keep them in. */

import { CACHE_ENDED, CACHE_SPAWNED, CACHE_WORDS } from "../../memory/layout.ts";
import type { SharedMemory } from "../../memory/shared-memory.ts";

/** Adds one counter up. Each addend is written by one thread at a time; the sum is exact for everything that happened before an atomic step the caller has seen. */
export function total(memory: SharedMemory, counter: number): number {
  const { layout, shape, f64 } = memory;
  let sum = 0;
  const caches = shape.procs + shape.maxMachines + 2;
  for (let c = 0; c < caches; c++) sum += f64[(layout.caches + c * CACHE_WORDS + counter) >> 1];
  return sum;
}

/** Goroutines that have been started and have not ended. */
export function liveGoroutines(memory: SharedMemory): number {
  // Ended first: a goroutine that starts and ends in between makes the number too large rather than negative.
  const ended = total(memory, CACHE_ENDED);
  return total(memory, CACHE_SPAWNED) - ended;
}
