/**
 * Values that waiters of lost goroutines have: one that was handed over to a receiver which did not come to take it, or a sender's that nobody took.
 *
 * The waiter alone tells of it, in W_RESULT, and does so from the moment when its goroutine is about to wait (that word is cleared then) until the value has been taken from it (it is cleared again, before).
 */

import { DELIVERED, RESULT_TAG } from "../channel/channel-port.ts";
import { W_RESULT, W_VALUE, W_WORDS } from "../memory/layout.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { waitersOf } from "../scheduler/thread/waiting-selects.ts";

/** Drops what a waiter has, if anything. It must stand in no queue. May be called twice. */
export function dropUntaken({ i32, codec }: Thread, waiter: number): void {
  const result = i32[waiter + W_RESULT];
  i32[waiter + W_RESULT] = 0;
  // The tag of nothing is that of `undefined`.
  if ((result & DELIVERED) === 0) codec.drop(waiter + W_VALUE, result & RESULT_TAG);
}

/** Gives back the waiters of a lost select, an entry of its thread's list, and what they have. They must stand in no queue. */
export function giveBackSelect(host: Thread, entry: number): void {
  const { block, cases } = waitersOf(entry);
  for (let place = 0; place < cases; place++) dropUntaken(host, block + place * W_WORDS);
  host.slab.give(block * 4);
}
