/**
 * Goroutines that are to start later: the descriptor with its arguments is made when the program says so, and queued when the time has come.
 *
 * Until then it has the status idle and is on no list. It does not count as a goroutine: the creation takes it off the counter of those started, and the
 * queueing puts it back, on whatever thread that happens.
 */

import {
  COUNT_MASK,
  COUNT_SHIFT,
  DETACHED,
  PACKED,
  SLOT_WORDS,
  TAG_BITS,
  TAG_MASK,
} from "../goroutine/descriptor.ts";
import type { Body } from "../goroutine/functions.ts";
import { IDLE, transitionToHeld, transitionToRunnableFirst } from "../goroutine/status.ts";
import { CACHE_SPAWNED, G_ARGS, G_CONTEXT, G_META, G_STATUS } from "../memory/layout.ts";
import { cancellation } from "../scheduler/thread/cancellation.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import type { TimerKind } from "../scheduler/thread/timers.ts";
import { endTimerUse } from "./timers.ts";

/** Creates a goroutine that nobody queues yet. Its context is that of the goroutine that runs now. Throws as `go`. */
export function holdGoroutine(thread: Thread, body: Body, args: readonly unknown[]): number {
  const goroutine = thread.launch(thread.functionId(body), args, DETACHED);
  transitionToHeld(thread.i32, thread.descriptorOf(goroutine));
  thread.f64[(thread.cache + CACHE_SPAWNED) >> 1]--;
  return goroutine;
}

/**
 * What the timers of `afterFunc` do: the goroutine's time has come.
 *
 * While the firing is noted nobody but who has the timer in hand knows of the goroutine, which is on no list: if the thread dies, the host finds it held or runnable, and queues it. With the end of the note, but before the goroutine is queued,
 * it becomes one of those that are runnable and on no list, which the sweep finds (repair/orphans). The timer's record, of which the firing is a user, may be left in use then.
 */
export const startTimed: TimerKind = {
  fire(thread, { timer, target }) {
    begin(thread, target);
    thread.timers.note.end();
    thread.enqueueNew(target);
    endTimerUse(thread, timer);
  },
  finish(thread, { timer, target }) {
    if (thread.i32[thread.descriptorOf(target) + G_STATUS] === IDLE) begin(thread, target);
    thread.enqueueNew(target);
    endTimerUse(thread, timer);
  },
};

function begin(thread: Thread, goroutine: number): void {
  transitionToRunnableFirst(thread.i32, thread.descriptorOf(goroutine));
  thread.f64[(thread.cache + CACHE_SPAWNED) >> 1]++;
}

/** It will never start: gives back what it holds. */
export function discardHeld(thread: Thread, goroutine: number): void {
  const { i32 } = thread;
  const base = thread.descriptorOf(goroutine);
  const meta = i32[base + G_META];
  const count = (meta >>> COUNT_SHIFT) & COUNT_MASK;
  thread.dropSlots(base, meta, count === PACKED ? 1 : count);
  const context = i32[base + G_CONTEXT];
  i32[base + G_CONTEXT] = 0;
  if (context !== 0) cancellation.release(thread, context);
  thread.goroutines.give(goroutine);
}

/** What its body will be called with: copies of its own, which later changes by the caller do not reach. */
export function heldArguments(
  thread: Thread,
  goroutine: number,
  args: readonly unknown[],
): readonly unknown[] {
  if (args.every(isImmutable)) return args.slice();
  const { i32, codec } = thread;
  const base = thread.descriptorOf(goroutine);
  const meta = i32[base + G_META];
  const count = (meta >>> COUNT_SHIFT) & COUNT_MASK;
  const argument = (index: number): unknown =>
    codec.peek(base + G_ARGS + index * SLOT_WORDS, (meta >>> (index * TAG_BITS)) & TAG_MASK);
  if (count === PACKED) return argument(0) as unknown[];
  return Array.from({ length: count }, (_, index) => argument(index));
}

function isImmutable(value: unknown): boolean {
  return value === null || typeof value !== "object";
}
