/** What a runtime says about itself in numbers. */

import {
  CACHE_HANDOFFS,
  CACHE_PARKS,
  CACHE_PREEMPTIONS,
  CACHE_SPAWNED,
  CACHE_STEALS,
  GLOBAL_SIZE,
  M_HELD,
  M_LISTED,
  M_WORDS,
  P_WORDS,
} from "../memory/layout.ts";
import type { SharedMemory } from "../memory/shared-memory.ts";
import { RunQueueStealer } from "../queue/run-queue.ts";
import { liveGoroutines, total } from "../scheduler/idle/counters.ts";
import { type IdleCoordinator } from "../scheduler/idle/idle-coordinator.ts";
import { LISTED_WAITING } from "../scheduler/idle/idle-lists.ts";

/** What `stats()` of a runtime says: the state of the moment, and counts since the start. Numbers that others change meanwhile need not fit together exactly. */
export interface RuntimeStats {
  /** Processors. */
  procs: number;
  /** Threads that run goroutines: alive or on their way. */
  machines: number;
  /** How many there may be. */
  maxMachines: number;
  /** Machines whose thread is held by `block()` or `blocking()`. When all `maxMachines` are, what has not begun waits until one is free. */
  blocked: number;
  /** Machines that have something to go on with and wait for a processor, first come, first served. */
  waitingMachines: number;
  /** Goroutines that have not begun: in the global queue, first in, first out, and in those of the processors. */
  queued: number;
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

function machineStates({ i32, layout, shape }: SharedMemory): { blocked: number; waitingMachines: number } {
  let blocked = 0;
  let waitingMachines = 0;
  for (let m = 1; m <= shape.maxMachines; m++) {
    const record = layout.machines + m * M_WORDS;
    if (Atomics.load(i32, record + M_HELD) !== 0) blocked++;
    if (Atomics.load(i32, record + M_LISTED) === LISTED_WAITING) waitingMachines++;
  }
  return { blocked, waitingMachines };
}

function queuedGoroutines({ i32, layout, shape }: SharedMemory): number {
  let queued = Atomics.load(i32, GLOBAL_SIZE);
  for (let p = 0; p < shape.procs; p++)
    queued += new RunQueueStealer(i32, layout.processors + p * P_WORDS).length();
  return queued;
}

/** Reads all counters. */
export function readStats(memory: SharedMemory, idle: IdleCoordinator): RuntimeStats {
  return {
    procs: memory.shape.procs,
    machines: idle.machineCount(),
    maxMachines: memory.shape.maxMachines,
    ...machineStates(memory),
    queued: queuedGoroutines(memory),
    goroutines: liveGoroutines(memory),
    spawned: total(memory, CACHE_SPAWNED),
    steals: total(memory, CACHE_STEALS),
    preemptions: total(memory, CACHE_PREEMPTIONS),
    handoffs: total(memory, CACHE_HANDOFFS),
    parks: total(memory, CACHE_PARKS),
  };
}
