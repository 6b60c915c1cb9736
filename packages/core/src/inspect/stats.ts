/** Counters of a runtime, added up over the caches that its processors and threads keep them in. */

import {
  CACHE_ENDED,
  CACHE_HANDOFFS,
  CACHE_PARKS,
  CACHE_PREEMPTIONS,
  CACHE_SPAWNED,
  CACHE_STEALS,
  CACHE_WORDS,
} from "../memory/layout.ts";
import type { SharedMemory } from "../memory/shared-memory.ts";
import type { IdleCoordinator } from "../scheduler/idle.ts";

/** See `RuntimeStats` of the public package. */
export interface RuntimeStats {
  /** Processors. */
  procs: number;
  /** Threads that run goroutines: alive or on their way. */
  machines: number;
  /** Goroutines that have started or wait to, the ended not counted. */
  goroutines: number;
  /** Goroutines ever started. */
  spawned: number;
  /** Goroutines taken from another processor's queue. */
  steals: number;
  /** Goroutines that gave way because their time slice was over. */
  preemptions: number;
  /** Processors handed to another machine. */
  handoffs: number;
  /** Times a goroutine parked. */
  parks: number;
}

/** Adds one counter up. Each addend is written by one thread at a time; the sum is exact for everything that happened before an atomic step the caller has seen. */
function total(memory: SharedMemory, counter: number): number {
  const { layout, shape, f64 } = memory;
  let sum = 0;
  const caches = shape.procs + shape.maxMachines + 1;
  for (let c = 0; c < caches; c++) sum += f64[(layout.caches + c * CACHE_WORDS + counter) >> 1];
  return sum;
}

/** Goroutines that have been started and have not ended. */
export function liveGoroutines(memory: SharedMemory): number {
  // Ended first: a goroutine that starts and ends in between makes the number too large rather than negative.
  const ended = total(memory, CACHE_ENDED);
  return total(memory, CACHE_SPAWNED) - ended;
}

/** Reads all counters. */
export function readStats(memory: SharedMemory, idle: IdleCoordinator): RuntimeStats {
  return {
    procs: memory.shape.procs,
    machines: idle.machineCount(),
    goroutines: liveGoroutines(memory),
    spawned: total(memory, CACHE_SPAWNED),
    steals: total(memory, CACHE_STEALS),
    preemptions: total(memory, CACHE_PREEMPTIONS),
    handoffs: total(memory, CACHE_HANDOFFS),
    parks: total(memory, CACHE_PARKS),
  };
}
