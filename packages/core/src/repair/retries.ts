/**
 * Goroutines that are run again because their thread was lost: `retry` of `spawnWith`.
 *
 * It is the same goroutine, with the same id, descriptor, handles, joiners and context: it only has not begun any more. So whoever has a handle notices nothing. It is made so by the sweep, and not at once: until then somebody may have it
 * in hand for what it waited for in its lost life.
 */

import { hasRetries, takeRetry } from "../context/plan.ts";
import { endLimits } from "../context/time-limits.ts";
import { contextsOf, LIVE } from "../context/tree.ts";
import { DETACHED, EXPLICIT_CONTEXT, PLANNED } from "../goroutine/descriptor.ts";
import { RUNNABLE } from "../goroutine/status.ts";
import {
  G_CANCELED,
  G_CANCELED_ID,
  G_CONTEXT,
  G_FRAME,
  G_ID,
  G_MACHINE,
  G_META,
  G_SELECT,
  G_STATUS,
  G_WAITER,
  W_RESULT,
} from "../memory/layout.ts";
import type { Thread } from "../scheduler/thread/thread.ts";

/** Whether the lost goroutine whose descriptor is at `base` is to be run again: it may be by its plan, and nobody has cancelled it. */
export function mayRunAgain(host: Thread, base: number): boolean {
  const { i32, f64 } = host;
  const meta = i32[base + G_META];
  if ((meta & PLANNED) === 0 || (meta & DETACHED) !== 0) return false;
  const isMarked =
    Atomics.load(i32, base + G_CANCELED) !== 0 && i32[base + G_CANCELED_ID] === (f64[(base + G_ID) >> 1] | 0);
  return !isMarked && contextsOf(host).state(i32[base + G_CONTEXT]) === LIVE && hasRetries(host, base);
}

/** Queues a lost goroutine once more. Nobody may have anything in hand. Throws `MemoryLimitError` if there is no room for its arguments. */
export function runAgain(host: Thread, goroutine: number, base: number): void {
  const { i32 } = host;
  endLimits(host, base);
  // Of its last wait.
  i32[base + G_WAITER + W_RESULT] = 0;
  const meta = takeRetry(host, base);
  i32[base + G_META] = (i32[base + G_META] & (PLANNED | EXPLICIT_CONTEXT)) | meta;
  i32[base + G_MACHINE] = 0;
  i32[base + G_FRAME] = 0;
  i32[base + G_SELECT] = 0;
  i32[base + G_STATUS] = RUNNABLE;
  host.globalQueue.push(goroutine);
}
