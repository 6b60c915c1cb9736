/** The queue of waiters in a sync object: goroutines and pseudo-goroutines, first in, first out, under the object's lock. */

import { G_QUEUE_NEXT, O_HEAD, O_TAIL, O_WAITERS } from "../memory/layout.ts";

/** Adds a waiter at the end. `descriptor` is its descriptor's first word, `descriptorOf` finds another's. */
export function appendWaiter(i32: Int32Array, object: number, waiter: number, descriptorOf: (goroutine: number) => number): void {
  i32[descriptorOf(waiter) + G_QUEUE_NEXT] = 0;
  const tail = i32[object + O_TAIL];
  if (tail === 0) i32[object + O_HEAD] = waiter;
  else i32[descriptorOf(tail) + G_QUEUE_NEXT] = waiter;
  i32[object + O_TAIL] = waiter;
  i32[object + O_WAITERS]++;
}

/** Empties the queue. Returns the first waiter; the others follow through `nextWaiter`. */
export function takeWaiters(i32: Int32Array, object: number): number {
  const first = i32[object + O_HEAD];
  i32[object + O_HEAD] = 0;
  i32[object + O_TAIL] = 0;
  i32[object + O_WAITERS] = 0;
  return first;
}

/** The waiter behind another of a list that was taken. To be read before that one is made ready. */
export function nextWaiter(i32: Int32Array, descriptor: number): number {
  return i32[descriptor + G_QUEUE_NEXT];
}
