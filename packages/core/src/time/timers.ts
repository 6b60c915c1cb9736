/**
 * Timers for the layers above: a callback on whatever thread runs the timer.
 *
 * Such a timer has two users, its name and its firing, counted in T_REFS. The name ends with `stopTimer`, which is called exactly once for every
 * `startTimer`, also when the timer has fired long since; the firing ends when the callback has returned, or with a stop that came
 * before it. The record goes back when both have ended. So a name is never that of a later timer in the same record, and
 * need not be more than a word.
 */

import { T_REFS } from "../memory/layout.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { noTimerLeft, registerTimerKind, type TimerCallback } from "../scheduler/thread/timers.ts";

export { hasPendingTimers } from "../scheduler/thread/timers.ts";

/** Kinds of timers, of which each layer has its own; 1 and 2 are those of scheduler/thread/timers. This one starts a goroutine. */
export const FUNCTION_TIMER = 3;
/** Kinds whose callback is set with `setTimerCallback` begin here. */
export const FIRST_CALLBACK_TIMER = 4;

/** Says what the timers of a kind do; when the module is loaded. The callback may run on any thread, must not wait and must not throw. */
export function setTimerCallback(kind: number, callback: (thread: Thread, target: number) => void): void {
  const fire: TimerCallback = (thread, firing) => {
    const { timer, target } = firing;
    callback(thread, target);
    endTimerUse(thread, timer);
  };
  registerTimerKind(kind, { fire });
}

/** Starts a timer that calls its kind's callback with `target` in `delayMs`. Returns its name, above 0. Throws `MemoryLimitError` when there are too many. */
export function startTimer(thread: Thread, delayMs: number, kind: number, target: number): number {
  const { timers } = thread;
  const timer = timers.take(kind, target);
  if (timer === 0) throw noTimerLeft();
  Atomics.store(thread.i32, timers.baseOf(timer) + T_REFS, 2);
  timers.start(timer, delayMs);
  return timer;
}

/** Ends the name of a timer, which must not be used afterwards. True if this kept it from firing; false if the callback was, or is being, or will at once be called. */
export function stopTimer(thread: Thread, timer: number): boolean {
  const stopped = thread.timers.stop(timer);
  if (stopped) thread.timers.free(timer);
  else endTimerUse(thread, timer);
  return stopped;
}

/** One of the two users is done with the record. */
export function endTimerUse(thread: Thread, timer: number): void {
  const { timers, i32 } = thread;
  if (Atomics.sub(i32, timers.baseOf(timer) + T_REFS, 1) === 1) timers.free(timer);
}
