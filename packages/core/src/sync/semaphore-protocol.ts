/**
 * How permits are taken, waited for and given back: the words of a semaphore's record and nothing else.
 *
 * SEM_FREE holds the free permits; its sign bit is set while somebody queues. While it is not, permits are taken and given by compare-and-swap. While it is, every such step fails (a negative number is below any request), so
 * that all changes happen under the record's lock, and permits go to the queue from its front only: strictly first come, first served, a large request is never overtaken by smaller ones.
 *
 * **No permit is lost and nobody is forgotten.** A waiter queues under the lock, in the step that sets the sign bit by a compare-and-swap from a number too small for it. Permits given back before make that step fail; those given
 * back afterwards come under the lock and find the waiter. Whenever the lock is free, the first in the queue asks for more than is free. Whoever leaves the queue, served or not, lets those behind it be looked at.
 *
 * **Threads that die.** To serve a waiter is several writes, so what they come to is written down first: SEM_LEFT, then SEM_SERVING, which is the step that decides. Whoever finds SEM_SERVING set under the lock of a dead
 * thread makes these writes again, which changes nothing where they had been made. A waiter that was served has the record's first word in W_RESULT until it goes on; if it is lost before, its permits go back (repair/abandoned-locks.ts).
 * Permits that a lost goroutine has taken stay taken: they are nobody's, and may be another's to give back.
 */

import { MisuseError } from "../base/errors.ts";
import { enqueueWaiter, goroutineOf, ownWaiter, removeWaiter } from "../goroutine/wait-queue.ts";
import {
  G_WAITER,
  O_LOCK,
  SEM_FREE,
  SEM_LEFT,
  SEM_PERMITS,
  SEM_SERVING,
  SEM_WAITERS,
  W_QUEUED,
  W_RESULT,
  W_VALUE,
} from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import type { Waker } from "./lock-owner.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const FREE = SEM_FREE;

/** The sign bit: somebody queues. */
const QUEUED: number = 1 << 31;
/** The number of permits in the other bits. */
const COUNT: number = ~QUEUED;

/** Takes `n` permits if they are free and nobody queues. The first read is a guess that the compare-and-swap checks. */
export function tryTake(i32: Int32Array, base: number, n: number): boolean {
  const word = base + FREE;
  let free = i32[word];
  while (free >= n) {
    const seen = Atomics.compareExchange(i32, word, free, free - n);
    if (seen === free) return true;
    free = seen;
  }
  return false;
}

/** Gives `n` permits back, and hands them to those that wait. Throws `MisuseError` if there would be more than there are. */
export function give(thread: Waker, base: number, n: number): void {
  const { i32 } = thread;
  const free = i32[base + FREE];
  // Never beyond SEM_PERMITS, which is below 2^31: so no overflow, and no sign bit.
  if (
    free >= 0 &&
    free + n <= i32[base + SEM_PERMITS] &&
    Atomics.compareExchange(i32, base + FREE, free, free + n) === free
  )
    return;
  acquire(i32, base + O_LOCK, thread.number);
  let woken: readonly number[];
  try {
    woken = giveHolding(thread, base, n);
  } finally {
    release(i32, base + O_LOCK);
  }
  thread.readyAll(woken);
}

function giveHolding(thread: Waker, base: number, n: number): readonly number[] {
  const { i32 } = thread;
  for (;;) {
    const seen = Atomics.load(i32, base + FREE);
    const free = (seen & COUNT) + n;
    if (free > i32[base + SEM_PERMITS]) throw new MisuseError("semaphore: released more than held");
    if (seen < 0) return serve(thread, base, free);
    if (Atomics.compareExchange(i32, base + FREE, seen, free) === seen) return [];
  }
}

/** Serves the queue from its front as far as `free` permits go; under the lock, with the sign bit set. Returns whom to make ready. */
function serve({ i32 }: Waker, base: number, free: number): readonly number[] {
  const queue = base + SEM_WAITERS;
  const served: number[] = [];
  let left = free;
  // What was given back is there, whatever happens to this thread. A plain sequence does: with the sign bit set nobody changes the word without the lock.
  Atomics.store(i32, base + FREE, left | QUEUED);
  for (let first = i32[queue]; first !== 0 && i32[first + W_VALUE] <= left; first = i32[queue]) {
    left -= i32[first + W_VALUE];
    i32[base + SEM_LEFT] = left;
    i32[base + SEM_SERVING] = first;
    finishServing(i32, base);
    served.push(goroutineOf(i32, first));
  }
  if (i32[queue] === 0) Atomics.store(i32, base + FREE, left);
  return served;
}

/** Makes the writes that serving a waiter comes to; once more if need be. False if it had left the queue. */
function finishServing(i32: Int32Array, base: number): boolean {
  const waiter = i32[base + SEM_SERVING];
  Atomics.store(i32, base + FREE, i32[base + SEM_LEFT] | QUEUED);
  // One that has left the queue was told before, and its permits may have been given back since: not twice.
  if (i32[waiter + W_QUEUED] !== 0) i32[waiter + W_RESULT] = base;
  const found = removeWaiter(i32, base + SEM_WAITERS, waiter);
  i32[base + SEM_SERVING] = 0;
  return found;
}

/** Queues a goroutine that asks for `n` permits. False if it got them after all. */
export function queueFor(
  thread: Waker,
  base: number,
  n: number,
  goroutine: number,
  descriptor: number,
): boolean {
  const { i32 } = thread;
  const waiter = ownWaiter(i32, descriptor, goroutine);
  i32[waiter + W_VALUE] = n;
  i32[waiter + W_RESULT] = 0;
  acquire(i32, base + O_LOCK, thread.number);
  const queued = announce(i32, base, n);
  if (queued) enqueueWaiter(i32, base + SEM_WAITERS, waiter);
  release(i32, base + O_LOCK);
  return queued;
}

/** Sets the sign bit. False if the permits were taken instead. */
function announce(i32: Int32Array, base: number, n: number): boolean {
  for (;;) {
    if (tryTake(i32, base, n)) return false;
    const free = Atomics.load(i32, base + FREE);
    if (free < 0) return true;
    if (free < n && Atomics.compareExchange(i32, base + FREE, free, free | QUEUED) === free) return true;
  }
}

/** Restores what is promised of the queue, under the record's lock, for a thread that died with it: those are served for whom there are permits. Returns the goroutines to make ready. */
export function restoreSemaphore(thread: Waker, base: number): readonly number[] {
  const { i32 } = thread;
  const serving = i32[base + SEM_SERVING];
  // If it has left the queue, it is found as one that waits nowhere.
  const woken = serving !== 0 && finishServing(i32, base) ? [goroutineOf(i32, serving)] : [];
  if (i32[base + SEM_WAITERS] === 0) {
    Atomics.and(i32, base + FREE, COUNT);
    return woken;
  }
  Atomics.or(i32, base + FREE, QUEUED);
  return [...woken, ...serve(thread, base, Atomics.load(i32, base + FREE) & COUNT)];
}

/** Takes a waiter out of the queue. False if it has been served. */
export function abandon(thread: Waker, base: number, descriptor: number): boolean {
  const { i32 } = thread;
  acquire(i32, base + O_LOCK, thread.number);
  const found = removeWaiter(i32, base + SEM_WAITERS, descriptor + G_WAITER);
  // It may have held off others whose requests are small enough.
  const served = found ? serve(thread, base, Atomics.load(i32, base + FREE) & COUNT) : [];
  release(i32, base + O_LOCK);
  thread.readyAll(served);
  return found;
}
