/** `sleep`. */

import { REASON_SLEEP } from "../goroutine/wait-reason.ts";
import type { Op } from "../scheduler/frames/types.ts";
import { ambientThread, currentMachine } from "../scheduler/thread/ambient.ts";
import { Operation } from "../scheduler/thread/operation.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { noTimerLeft, TIMER_READY } from "../scheduler/thread/timers.ts";
import { durationMs } from "./duration.ts";

/**
 * Pauses the goroutine for at least `ms` milliseconds; fractions count. Go's `time.Sleep`.
 *
 * With 0 or less it goes on at once, without letting others run. `Infinity` never ends. The goroutine runs again when its time has come
 * and a processor is free for it: behind goroutines that never yield, that is up to two time slices later. Those whose time comes at once go
 * on in the order in which they began to sleep. Cancelling the goroutine ends the sleep.
 *
 * @throws `TypeError` if `ms` is no number, `RangeError` if it is NaN, `NoRuntimeError` without an ambient runtime; `MemoryLimitError` when
 * there are more than a million timers
 *
 * @example
 * ```ts
 * yield* sleep(0.5); // half a millisecond
 * ```
 */
export function sleep(ms: number): Op<void> {
  return new SleepOperation(currentMachine ?? ambientThread(), durationMs("sleep", ms));
}

/** The goroutine is marked as waiting before the timer is started, so the timer cannot find it running. The record is this operation's. */
class SleepOperation extends Operation<void> {
  readonly reason = REASON_SLEEP;
  private readonly ms: number;
  private timer = 0;

  constructor(thread: Thread, ms: number) {
    super(thread);
    this.ms = ms;
  }

  attempt(): boolean {
    return this.ms <= 0;
  }

  enqueue(goroutine: number): boolean {
    const { timers } = this.thread;
    this.timer = timers.take(TIMER_READY, goroutine);
    if (this.timer === 0) return false;
    timers.start(this.timer, this.ms);
    return true;
  }

  abandon(): boolean {
    const { timers } = this.thread;
    if (!timers.stop(this.timer)) return false;
    timers.free(this.timer);
    return true;
  }

  finish(): void {
    const { timers } = this.thread;
    if (this.timer === 0) {
      if (this.ms > 0) throw noTimerLeft();
      return;
    }
    // Still in its heap only when the runtime was closed under a blocked thread.
    if (!timers.isStarted(this.timer)) timers.free(this.timer);
  }
}
