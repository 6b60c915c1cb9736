/** What a runtime says about itself in numbers. */

import {
  CACHE_HANDOFFS,
  CACHE_PARKS,
  CACHE_PREEMPTIONS,
  CACHE_SPAWNED,
  CACHE_STEALS,
} from "../memory/layout.ts";
import type { SharedMemory } from "../memory/shared-memory.ts";
import { liveGoroutines, total } from "../scheduler/counters.ts";
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
