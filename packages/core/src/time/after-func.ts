/** `afterFunc`. */

import { printsAs } from "../base/printing.ts";
import type { Body } from "../goroutine/functions.ts";
import { T_REFS, T_TARGET, TIMER_CAPACITY } from "../memory/layout.ts";
import type { GoFunction } from "../scheduler/frames/types.ts";
import { ambientThread, currentMachine } from "../scheduler/thread/ambient.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { noTimerLeft } from "../scheduler/thread/timers.ts";
import { WatchList } from "../scheduler/thread/watch-list.ts";
import { neverCopied } from "../values/classify.ts";
import { durationMs } from "./duration.ts";
import { discardHeld, heldArguments, holdGoroutine } from "./held-goroutine.ts";
import { endTimerUse, FUNCTION_TIMER } from "./timers.ts";

/** A call that is to come. Go's time.Timer, as `time.AfterFunc` returns it. It stays on the thread on which it was made: sending it throws `CloneError`. */
export interface Timer {
  /** Calls it off. True if this kept it from firing; false if it has fired, or was stopped before. What it has started goes on. */
  stop(): boolean;
  /**
   * Makes it fire in `ms` milliseconds from now instead, also when it has fired or was stopped. True if it was to fire yet.
   *
   * @throws `TypeError` or `RangeError` if `ms` is no duration; `GoroutineLimitError`, `MemoryLimitError`
   */
  reset(ms: number): boolean;
}

/**
 * Starts a goroutine in `ms` milliseconds, as `go` would; with 0 or less at once, with `Infinity` never. Arguments are copied now, and the goroutine's context is that of the caller. Go's
 * `time.AfterFunc`.
 *
 * The goroutine counts from the moment it starts: `numGoroutine` does not show it before, and closing the runtime does not wait for it. A timer that nobody holds fires all the same.
 *
 * @throws as `go`; `TypeError` or `RangeError` if `ms` is no duration; `MemoryLimitError` when there are more than a million timers
 *
 * @example
 * ```ts
 * const timer = afterFunc(5000, warn, "still waiting");
 * yield* job;
 * timer.stop();
 * ```
 */
export function afterFunc<A extends unknown[], R>(ms: number, fn: GoFunction<A, R>, ...args: A): Timer {
  const delay = durationMs("afterFunc", ms);
  const thread = currentMachine ?? ambientThread();
  const goroutine = holdGoroutine(thread, fn as never, args);
  const known = handlesOf(thread);
  let timer = thread.timers.take(FUNCTION_TIMER, goroutine);
  // Handles that nobody holds may keep many.
  if (timer === 0 && known.collectInNeed(FEW_HANDLES)) timer = thread.timers.take(FUNCTION_TIMER, goroutine);
  if (timer === 0) {
    discardHeld(thread, goroutine);
    throw noTimerLeft();
  }
  // One user is the handle, the other the firing to come.
  Atomics.store(thread.i32, thread.timers.baseOf(timer) + T_REFS, 2);
  const call = { thread, timer, body: fn as never, args: heldArguments(thread, goroutine, args) };
  const handle = new FunctionTimer(call);
  known.add(handle);
  thread.timers.start(timer, delay);
  return handle;
}

/** Handles without which it is pointless to collect garbage though the timers have run out. */
const FEW_HANDLES = 1000;

interface DelayedCall {
  readonly thread: Thread;
  readonly timer: number;
  readonly body: Body;
  readonly args: readonly unknown[];
}

class FunctionTimer implements Timer {
  readonly #call: DelayedCall;
  readonly stop: () => boolean = () => this.#stop();
  readonly reset: (ms: number) => boolean = (ms) => this.#reset(durationMs("Timer.reset", ms));

  constructor(call: DelayedCall) {
    this.#call = call;
  }

  /** @internal */
  get index(): number {
    return this.#call.timer;
  }

  #stop(): boolean {
    const { thread, timer } = this.#call;
    if (!thread.timers.stop(timer)) return false;
    discardHeld(thread, thread.i32[thread.timers.baseOf(timer) + T_TARGET]);
    endTimerUse(thread, timer);
    return true;
  }

  #reset(ms: number): boolean {
    const { thread, timer, body, args } = this.#call;
    const { timers, i32 } = thread;
    const pending = timers.stop(timer);
    if (!pending) {
      i32[timers.baseOf(timer) + T_TARGET] = holdGoroutine(thread, body, args);
      Atomics.add(i32, timers.baseOf(timer) + T_REFS, 1);
    }
    timers.start(timer, ms);
    return pending;
  }
}

neverCopied(FunctionTimer.prototype, "a Timer");
printsAs(FunctionTimer.prototype, () => "Timer {}");

const handles = new WeakMap<Thread, WatchList>();

/** The handles of a thread: one that nobody holds has no more use for its timer. */
function handlesOf(thread: Thread): WatchList {
  let list = handles.get(thread);
  if (list === undefined) {
    list = new WatchList(TIMER_CAPACITY, (timer) => endTimerUse(thread, timer), thread.holdings.timers);
    handles.set(thread, list);
  }
  return list;
}
