/**
 * What the objects of a thread hold, written down where others can read it.
 *
 * A handle counts as a reference to its descriptor, a channel's stand-in as one to its record, and only the thread's own JavaScript knows them. Should the thread die, these references would never be given back. So each thread mirrors
 * its lists (its open handles, the watch lists) in a buffer of its own, which the host has, too: one plain store for each entry. A list is dense, so the first 0 ends it. What is taken off the list is given back afterwards: whoever dies
 * in between has lost one record, not given one back twice.
 */

import { TIMER_CAPACITY } from "../../memory/layout.ts";
import { reserve } from "../../memory/reserve.ts";
import type { SharedMemory } from "../../memory/shared-memory.ts";

/** One thread's lists: numbers, then zeros. */
export interface Holdings {
  /** Goroutines whose handles have no outcome yet. */
  readonly handles: Int32Array;
  /** Sync objects that have a stand-in there. */
  readonly objects: Int32Array;
  /** Timers that have a handle there. */
  readonly timers: Int32Array;
  /** No list: for each sync object the readings that the thread has begun, less those it has ended. */
  readonly readings: Int32Array;
}

/** Lists without room: a store beyond the end of a view does nothing. */
export const NOT_WRITTEN: Holdings = {
  handles: new Int32Array(0),
  objects: new Int32Array(0),
  timers: new Int32Array(0),
  readings: new Int32Array(0),
};

/** For a thread that cannot die: what is needed to tell its readings from those of others. */
export function holdingsOfSurvivor({ shape }: SharedMemory): Holdings {
  return { ...NOT_WRITTEN, readings: new Int32Array(reserve(4 * (shape.maxObjects + 1))) };
}

/** A buffer for the lists of one thread. */
export function reserveHoldings({ shape }: SharedMemory): SharedArrayBuffer {
  return reserve(4 * (shape.maxGoroutines + 1 + 2 * (shape.maxObjects + 1) + TIMER_CAPACITY));
}

/** The lists in a buffer. Entries beyond their ends are not written down. */
export function holdingsIn({ shape }: SharedMemory, buffer: SharedArrayBuffer): Holdings {
  const goroutines = shape.maxGoroutines + 1;
  const objects = shape.maxObjects + 1;
  return {
    handles: new Int32Array(buffer, 0, goroutines),
    objects: new Int32Array(buffer, 4 * goroutines, objects),
    timers: new Int32Array(buffer, 4 * (goroutines + objects), TIMER_CAPACITY),
    readings: new Int32Array(buffer, 4 * (goroutines + objects + TIMER_CAPACITY), objects),
  };
}
