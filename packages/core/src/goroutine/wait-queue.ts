/**
 * Queues of waiters in shared objects: two words, head and tail, under the object's lock. First in, first out.
 *
 * A waiter stands in at most one queue (W_QUEUED says so) and can be taken out of the middle, for a cancelled operation, or a select that went through elsewhere. A waiter
 * of a select may stand for a goroutine that another case has already won: whoever takes it off the queue must first win G_SELECT by compare-and-swap, and skips it otherwise.
 *
 * Nobody is made ready here: the caller does that after it has released the lock, since readying may queue, post and wake.
 */

import { corruption } from "../memory/alarm.ts";
import {
  G_SELECT,
  G_WAITER,
  G_WORDS,
  W_CASE,
  W_GOROUTINE,
  W_NEXT,
  W_PREVIOUS,
  W_QUEUED,
} from "../memory/layout.ts";

const NEXT = W_NEXT;
const PREVIOUS = W_PREVIOUS;
const QUEUED = W_QUEUED;
const CASE = W_CASE;

/** The waiter of a goroutine whose descriptor is at `base`, made ready to be queued for an ordinary operation. */
export function ownWaiter(i32: Int32Array, base: number, goroutine: number): number {
  const waiter = base + G_WAITER;
  i32[waiter + W_GOROUTINE] = goroutine;
  i32[waiter + CASE] = 0;
  return waiter;
}

/** Puts a waiter at the end of the queue whose head is at word `queue`, the tail behind it. */
export function enqueueWaiter(i32: Int32Array, queue: number, waiter: number): void {
  const tail = i32[queue + 1];
  i32[waiter + NEXT] = 0;
  i32[waiter + PREVIOUS] = tail;
  i32[waiter + QUEUED] = 1;
  if (tail === 0) i32[queue] = waiter;
  else i32[tail + NEXT] = waiter;
  i32[queue + 1] = waiter;
}

/** Puts a waiter at the front: for one that has waited before. */
export function enqueueWaiterFirst(i32: Int32Array, queue: number, waiter: number): void {
  const head = i32[queue];
  i32[waiter + PREVIOUS] = 0;
  i32[waiter + NEXT] = head;
  i32[waiter + QUEUED] = 1;
  if (head === 0) i32[queue + 1] = waiter;
  else i32[head + PREVIOUS] = waiter;
  i32[queue] = waiter;
}

/** Takes a waiter out of the queue. False if it is not in it (any more). */
export function removeWaiter(i32: Int32Array, queue: number, waiter: number): boolean {
  if (i32[waiter + QUEUED] === 0) return false;
  const next = i32[waiter + NEXT];
  const previous = i32[waiter + PREVIOUS];
  // In this order: should the thread die in between, repair/wait-queues can tell how far it came.
  if (previous === 0) i32[queue] = next;
  else i32[previous + NEXT] = next;
  i32[waiter + QUEUED] = 0;
  if (next === 0) i32[queue + 1] = previous;
  else i32[next + PREVIOUS] = previous;
  return true;
}

/**
 * The first waiter that can still be served, which stays in the queue until it has been: 0 for none. So whoever dies while it serves the waiter leaves either one that waits on, or one that has what it
 * waited for. `descriptors` is the first word of descriptor 0.
 */
export function claimWaiter(i32: Int32Array, queue: number, descriptors: number): number {
  for (;;) {
    const waiter = i32[queue];
    if (waiter === 0) return 0;
    const place = i32[waiter + CASE];
    if (place === 0 || winSelect(i32, waiter, place, descriptors)) return waiter;
    if (!removeWaiter(i32, queue, waiter)) throw notQueued(i32, queue, waiter);
  }
}

/**
 * Takes the first waiter that can still be served; 0 for none. A select's waiter is served by winning its goroutine's G_SELECT.
 * `descriptors` is the first word of descriptor 0.
 */
export function dequeueWaiter(i32: Int32Array, queue: number, descriptors: number): number {
  for (;;) {
    const waiter = i32[queue];
    if (waiter === 0) return 0;
    if (!removeWaiter(i32, queue, waiter)) throw notQueued(i32, queue, waiter);
    const place = i32[waiter + CASE];
    if (place === 0 || winSelect(i32, waiter, place, descriptors)) return waiter;
  }
}

/** A queue whose first waiter says that it stands in none: its links lead astray, or in a circle. */
function notQueued(i32: Int32Array, queue: number, waiter: number): Error {
  return corruption(i32, `wait queue at word ${queue}: its first waiter, at word ${waiter}, is in no queue`);
}

/** Decides a select for one of its waiters. False if another case was first. */
function winSelect(i32: Int32Array, waiter: number, place: number, descriptors: number): boolean {
  const word = descriptors + i32[waiter + W_GOROUTINE] * G_WORDS + G_SELECT;
  return Atomics.compareExchange(i32, word, 0, place) === 0;
}

/** Empties a queue. Returns the goroutines to be made ready, the first in the queue first. */
export function drainWaiters(i32: Int32Array, queue: number, descriptors: number): number[] {
  const goroutines: number[] = [];
  for (
    let waiter = dequeueWaiter(i32, queue, descriptors);
    waiter !== 0;
    waiter = dequeueWaiter(i32, queue, descriptors)
  ) {
    goroutines.push(goroutineOf(i32, waiter));
  }
  return goroutines;
}

/** The goroutine that a waiter stands for. */
export function goroutineOf(i32: Int32Array, waiter: number): number {
  return i32[waiter + W_GOROUTINE];
}
