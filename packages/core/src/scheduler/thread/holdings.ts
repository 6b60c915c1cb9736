/**
 * What the objects of a thread hold, written down where others can read it.
 *
 * A handle counts as a reference to its descriptor, a channel's stand-in as one to its record, and only the thread's own JavaScript knows them. Should the thread die, these references would never be given back. So each thread mirrors
 * its lists (its open handles, the watch lists, the selects that wait) in a buffer of its own, which the host has, too: one plain store for each entry. A list is dense, so the first 0 ends it. What is taken off the list is given back afterwards: whoever dies
 * in between has lost one record, not given one back twice.
 */

import { AWAIT_RESERVE, TIMER_CAPACITY } from "../../memory/layout.ts";
import { reserve } from "../../memory/reserve.ts";
import type { SharedMemory } from "../../memory/shared-memory.ts";

/** One thread's lists: numbers, then zeros. */
export interface Holdings {
  /** Selects that wait there: entries of waiting-selects.ts. */
  readonly selects: Float64Array;
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
  selects: new Float64Array(0),
  handles: new Int32Array(0),
  objects: new Int32Array(0),
  timers: new Int32Array(0),
  readings: new Int32Array(0),
};

/** For a thread that cannot die: what is needed to tell its readings from those of others. */
export function holdingsOfSurvivor({ shape }: SharedMemory): Holdings {
  return { ...NOT_WRITTEN, readings: new Int32Array(reserve(4 * (shape.maxObjects + 1))) };
}

/** Entries of the lists. No more selects can wait than there are descriptors. */
function roomIn({ shape }: SharedMemory): { selects: number; handles: number; objects: number } {
  const handles = shape.maxGoroutines + 1;
  return { selects: handles + AWAIT_RESERVE, handles, objects: shape.maxObjects + 1 };
}

/** A buffer for the lists of one thread. */
export function reserveHoldings(memory: SharedMemory): SharedArrayBuffer {
  const { selects, handles, objects } = roomIn(memory);
  return reserve(8 * selects + 4 * (handles + 2 * objects + TIMER_CAPACITY));
}

/** The lists in a buffer. Entries beyond their ends are not written down. */
export function holdingsIn(memory: SharedMemory, buffer: SharedArrayBuffer): Holdings {
  const room = roomIn(memory);
  let end = 8 * room.selects;
  const list = (length: number): Int32Array => {
    const view = new Int32Array(buffer, end, length);
    end += 4 * length;
    return view;
  };
  return {
    selects: new Float64Array(buffer, 0, room.selects),
    handles: list(room.handles),
    objects: list(room.objects),
    timers: list(TIMER_CAPACITY),
    readings: list(room.objects),
  };
}
