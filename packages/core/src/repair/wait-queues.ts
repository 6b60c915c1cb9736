/**
 * Puts a queue of waiters right that a thread was changing, under the object's lock, when it died.
 *
 * What goroutine/wait-queue.ts does to a queue is three writes, and what they leave half done can be told apart:
 *
 * - *Taken out*: (1) the link from before, or the head, passes the waiter by, (2) W_QUEUED becomes 0, (3) the link from behind, or the tail, passes it by. After (1) it is still found from behind, and still says that it is
 *   queued: it is put back in its place, as if nothing had happened. After (2) it is gone, and (3) is made up for.
 * - *Put in*: (1) its own links and W_QUEUED, (2) the link from its neighbour, or the end of the queue that was empty, (3) the other end. Before (2) nobody finds it, and it is not in the queue: it is the dead thread's
 *   own. After (2) it is found from one side, and (3) is made up for.
 *
 * So the links forward are followed, each link backward is held against them, and a waiter that only a link backward names is in the queue if it says so itself and its own links agree.
 */

import { W_NEXT, W_PREVIOUS, W_QUEUED } from "../memory/layout.ts";

/** Repairs the queue whose head is at word `queue`, the tail behind it. */
export function repairQueue(i32: Int32Array, queue: number): void {
  let before = 0;
  let at = i32[queue];
  while (at !== 0) {
    const skipped = i32[at + W_PREVIOUS];
    if (skipped !== before && isBetween(i32, skipped, before, at)) {
      link(i32, queue, before, skipped);
      at = skipped;
    }
    i32[at + W_PREVIOUS] = before;
    before = at;
    at = i32[at + W_NEXT];
  }
  const last = i32[queue + 1];
  if (last !== before && last !== 0 && isBetween(i32, last, before, 0)) {
    link(i32, queue, before, last);
    i32[last + W_PREVIOUS] = before;
    before = last;
  }
  i32[queue + 1] = before;
}

/** Whether a waiter that is not linked from before belongs between two others: it was about to be taken out, or put in. */
function isBetween(i32: Int32Array, waiter: number, before: number, behind: number): boolean {
  return (
    waiter !== 0 &&
    i32[waiter + W_QUEUED] === 1 &&
    i32[waiter + W_PREVIOUS] === before &&
    i32[waiter + W_NEXT] === behind
  );
}

function link(i32: Int32Array, queue: number, before: number, waiter: number): void {
  if (before === 0) i32[queue] = waiter;
  else i32[before + W_NEXT] = waiter;
}
