/**
 * A machine's inbox: goroutines that live on it and that another thread made ready.
 *
 * Many writers, one reader. A writer links the present newest behind its goroutine and puts the goroutine in its place by compare-and-swap; the reader takes the whole
 * list by exchange and turns it round. It cannot overflow, for the links are the goroutines' own. It cannot suffer ABA, for nobody takes single entries: a writer's
 * compare-and-swap against a reused number still links to what is really there.
 */

import { G_NEXT, G_WORDS, M_INBOX } from "../memory/layout.ts";

// Rebound: V8 folds a module's own constants, and imported or exported ones cost a load and a check each.
const WORDS = G_WORDS;
const NEXT = G_NEXT;
const INBOX = M_INBOX;

/** Puts a goroutine into the inbox of the machine whose record is at `machine`. True if it was empty before. */
export function post(i32: Int32Array, goroutines: number, machine: number, goroutine: number): boolean {
  const word = machine + INBOX;
  const link = goroutines + goroutine * WORDS + NEXT;
  for (;;) {
    const newest = Atomics.load(i32, word);
    i32[link] = newest;
    if (Atomics.compareExchange(i32, word, newest, goroutine) === newest) return newest === 0;
  }
}

/** Whether something seems to be there. A plain read: a miss costs one scheduling round, and the sleeper looks again atomically. */
export function seemsEmpty(i32: Int32Array, machine: number): boolean {
  return i32[machine + INBOX] === 0;
}

/** The same, as the recheck before sleep needs it. */
export function isEmpty(i32: Int32Array, machine: number): boolean {
  return Atomics.load(i32, machine + INBOX) === 0;
}

/** Takes everything: the oldest goroutine, the rest linked behind it through NEXT. 0 for nothing. */
export function takeAll(i32: Int32Array, goroutines: number, machine: number): number {
  let at = Atomics.exchange(i32, machine + INBOX, 0);
  let oldest = 0;
  while (at !== 0) {
    const link = goroutines + at * WORDS + NEXT;
    const next = i32[link];
    i32[link] = oldest;
    oldest = at;
    at = next;
  }
  return oldest;
}
