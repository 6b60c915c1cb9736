/**
 * What a thread writes down of the timer that it has in hand, so that the host can finish the firing if the thread dies with it.
 *
 * A timer that was taken out of its heap stands nowhere else until its kind has done its work, so nobody could find it. A sleeper's needs no note: that the goroutine waits and no timer is to wake it tells all (repair/orphans); a
 * deadline's and a time limit's neither: their contexts name them. An `afterFunc` and a timer's channel have nothing of the kind. (Sleeping, which is frequent, so costs nothing more than before.)
 *
 * The note has a stage, which is written last when the note is made, and moves on with each step that may not be done twice:
 *
 * ```
 *            under the heap's lock                        the kind's work
 *  NONE ──► TAKING ──► TAKEN ─────────────────► TAKEN ──► SENT ──► NONE
 * ```
 *
 * - TAKING: the thread holds the heap's lock. Whether it got as far as to take the timer is told by the timer's record, as long as nobody else has had the lock: the repair decides when it takes the lock from the dead (`Timers.settleTaking`).
 * - TAKEN: the work is to be done, by the thread or in its place. A step that others could see the effect of is taken under a lock, and decided like the above (repair/firings), or is preceded by the end of the note.
 * - SENT: the channel has the tick, its reference is still to be given back.
 *
 * Firings do not nest: no kind's work runs timers. The words are the thread's own: plain writes, read by the host when the thread is no more.
 */

import {
  CACHE_FIRING,
  CACHE_FIRING_ARMING,
  CACHE_FIRING_RECEIVER,
  CACHE_FIRING_TARGET,
  CACHE_FIRING_TIMER,
  CACHE_FIRING_WHEN,
} from "../../memory/layout.ts";
import type { SharedMemory } from "../../memory/shared-memory.ts";
import { threadCache } from "./thread-pools.ts";

const NONE = 0;
/** About to be taken: under the lock of its heap. */
export const TAKING = 1;
/** Taken, and not fired yet. */
export const TAKEN = 2;
/** Its channel has been sent the time. */
export const SENT = 3;

/** The timer that is being run, as it was when it was taken out of its heap. */
export interface Firing {
  readonly timer: number;
  readonly target: number;
  /** T_ARMING of that moment: if the record's is another, the timer has been stopped since. */
  readonly arming: number;
}

/** The note of one thread: written by that thread, read by the host's repair. */
export class FiringNote implements Firing {
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;
  private readonly at: number;

  constructor(memory: SharedMemory, thread: number) {
    this.i32 = memory.i32;
    this.f64 = memory.f64;
    this.at = threadCache(memory, thread);
  }

  // ── the thread's side ──

  /** It is about to take a timer that is due at `when`; under the heap's lock. */
  begin({ timer, target, arming }: Firing, when: number): void {
    const { i32, f64, at } = this;
    i32[at + CACHE_FIRING_TIMER] = timer;
    i32[at + CACHE_FIRING_TARGET] = target;
    i32[at + CACHE_FIRING_ARMING] = arming;
    i32[at + CACHE_FIRING_RECEIVER] = 0;
    f64[(at + CACHE_FIRING_WHEN) >> 1] = when;
    i32[at + CACHE_FIRING] = TAKING;
  }

  /** It has taken it; still under that lock. */
  taken(): void {
    this.i32[this.at + CACHE_FIRING] = TAKEN;
  }

  /** It hands the time to the receiver whose waiter begins at this word; under the channel's lock. */
  serving(waiter: number): void {
    this.i32[this.at + CACHE_FIRING_RECEIVER] = waiter;
  }

  /** The channel has what the timer had to send, or is not to get it; still under that lock. */
  sent(): void {
    this.i32[this.at + CACHE_FIRING] = SENT;
  }

  /** What is left can be done without the note. */
  end(): void {
    this.i32[this.at + CACHE_FIRING] = NONE;
  }

  // ── the repair's side ──

  get stage(): number {
    return this.i32[this.at + CACHE_FIRING];
  }

  get timer(): number {
    return this.i32[this.at + CACHE_FIRING_TIMER];
  }

  get target(): number {
    return this.i32[this.at + CACHE_FIRING_TARGET];
  }

  get arming(): number {
    return this.i32[this.at + CACHE_FIRING_ARMING];
  }

  /** Waiter of the receiver that was being served, 0 for none. */
  get receiver(): number {
    return this.i32[this.at + CACHE_FIRING_RECEIVER];
  }

  /** When the timer was due. */
  get when(): number {
    return this.f64[(this.at + CACHE_FIRING_WHEN) >> 1];
  }
}
