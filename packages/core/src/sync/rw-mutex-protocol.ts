/**
 * How a reader/writer mutex is locked, waited for and unlocked: the words of its record and nothing else.
 *
 * ```
 *  31                          2     1         0
 * ┌─────────────────────────────┬─────────┬────────┐
 * │ readers                     │ WAITING │ WRITER │   RW_STATE
 * └─────────────────────────────┴─────────┴────────┘
 * ```
 *
 * - WRITER: somebody writes; then there are no readers.
 * - WAITING: somebody queues. Newcomers go to the queue then, readers too: that is how a waiting writer holds off new readers.
 * - readers: how many read.
 *
 * A free mutex, or one that is only read, is taken by a compare-and-swap on this word; so is it given back while nobody waits. All else happens under the record's lock, and the mutex is always handed over,
 * never left free for those who wait to compete for:
 *
 * - a writer that leaves lets in all readers that queue; if there are none, the first writer;
 * - the last reader lets in the first writer.
 *
 * So writers and readers take turns, and nobody starves.
 *
 * **Invariants**, whenever the record's lock is free: WAITING is set exactly if one of the queues is not empty; then somebody reads or writes, and will hand over; and if it is read, a writer queues (or the readers in
 * the queue could be in).
 *
 * **No hand-over is lost.** A waiter queues under the lock, in the step that sets WAITING by a compare-and-swap from a state in which somebody holds the mutex. One who gave it back before makes that step
 * fail. One who gives it back afterwards fails with a compare-and-swap from a state without WAITING, and comes under the lock. Only readers that are not the last still leave without it: the count tells them so.
 */

import { MisuseError } from "../base/errors.ts";
import {
  dequeueWaiter,
  drainWaiters,
  enqueueWaiter,
  goroutineOf,
  ownWaiter,
  removeWaiter,
} from "../goroutine/wait-queue.ts";
import { G_WAITER, O_LOCK, RW_READERS, RW_STATE, RW_USE, RW_WRITERS } from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import type { Waker } from "./mutex-protocol.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const STATE = RW_STATE;

const WRITER = 1;
const WAITING = 2;
/** One reader. */
const READER = 4;

const NOBODY: readonly number[] = [];

/** Takes the mutex for reading, unless somebody writes or waits. The first read is a guess that the compare-and-swap checks. */
export function tryRead(i32: Int32Array, base: number): boolean {
  const word = base + STATE;
  let state = i32[word];
  while ((state & (WRITER | WAITING)) === 0) {
    const seen = Atomics.compareExchange(i32, word, state, state + READER);
    if (seen === state) return true;
    state = seen;
  }
  return false;
}

/** Takes the mutex for writing, if it is free. */
export function tryWrite(i32: Int32Array, base: number): boolean {
  if (Atomics.compareExchange(i32, base + STATE, 0, WRITER) !== 0) return false;
  // Plain: whoever writes is alone, and the next one sees it after the atomic step that lets them in.
  i32[base + RW_USE]++;
  return true;
}

/** Ends a reading. Throws `MisuseError` if nobody reads. */
export function endRead(thread: Waker, base: number): void {
  const { i32 } = thread;
  const word = base + STATE;
  const state = i32[word];
  if (
    state >= READER &&
    (state & WAITING) === 0 &&
    Atomics.compareExchange(i32, word, state, state - READER) === state
  )
    return;
  const woken = locked(thread, base, () => endReadHolding(thread, base));
  thread.readyAll(woken);
}

function endReadHolding(thread: Waker, base: number): readonly number[] {
  const { i32 } = thread;
  const word = base + STATE;
  for (;;) {
    const state = Atomics.load(i32, word);
    if (state < READER) throw new MisuseError("sync: RUnlock of unlocked RWMutex");
    // The last one while somebody waits: that is a writer. Nobody else changes this state without the lock.
    if (state === (READER | WAITING)) return letWriterIn(thread, base);
    if (Atomics.compareExchange(i32, word, state, state - READER) === state) return NOBODY;
  }
}

/** Ends a writing. Throws `MisuseError` if nobody writes. */
export function endWrite(thread: Waker, base: number): void {
  const { i32 } = thread;
  if (Atomics.compareExchange(i32, base + STATE, WRITER, 0) === WRITER) return;
  const woken = locked(thread, base, () => endWriteHolding(thread, base));
  thread.readyAll(woken);
}

function endWriteHolding(thread: Waker, base: number): readonly number[] {
  const { i32 } = thread;
  const state = Atomics.load(i32, base + STATE);
  if ((state & WRITER) === 0) throw new MisuseError("sync: Unlock of unlocked RWMutex");
  if ((state & WAITING) === 0) {
    Atomics.store(i32, base + STATE, 0);
    return NOBODY;
  }
  if (i32[base + RW_READERS] === 0) return letWriterIn(thread, base);
  const readers = drainWaiters(i32, base + RW_READERS, thread.descriptors);
  Atomics.store(i32, base + STATE, readers.length * READER + waiting(i32, base));
  return readers;
}

/** Ends the writing that was number `use`; not if it has ended. */
export function endWriteUse(thread: Waker, base: number, use: number): void {
  const { i32 } = thread;
  // While this writing lasts nobody changes RW_USE.
  if ((Atomics.load(i32, base + STATE) & WRITER) !== 0 && i32[base + RW_USE] === use) endWrite(thread, base);
}

/** The mutex, with nobody in it any more, goes to the first writer in the queue. */
function letWriterIn({ i32, descriptors }: Waker, base: number): readonly number[] {
  const waiter = dequeueWaiter(i32, base + RW_WRITERS, descriptors);
  i32[base + RW_USE]++;
  Atomics.store(i32, base + STATE, WRITER | waiting(i32, base));
  return [goroutineOf(i32, waiter)];
}

/** Queues a reader, or lets it in and returns false. */
export function queueReader(thread: Waker, base: number, goroutine: number, descriptor: number): boolean {
  const { i32 } = thread;
  return locked(thread, base, () => {
    if (!announce(i32, base, tryRead)) return false;
    enqueueWaiter(i32, base + RW_READERS, ownWaiter(i32, descriptor, goroutine));
    return true;
  });
}

/** Queues a writer, or lets it in and returns false. */
export function queueWriter(thread: Waker, base: number, goroutine: number, descriptor: number): boolean {
  const { i32 } = thread;
  return locked(thread, base, () => {
    if (!announce(i32, base, tryWrite)) return false;
    enqueueWaiter(i32, base + RW_WRITERS, ownWaiter(i32, descriptor, goroutine));
    return true;
  });
}

/** Sets WAITING. False if `attempt` got in instead. */
function announce(
  i32: Int32Array,
  base: number,
  attempt: (i32: Int32Array, base: number) => boolean,
): boolean {
  for (;;) {
    if (attempt(i32, base)) return false;
    const state = Atomics.load(i32, base + STATE);
    // Free meanwhile, or, for a reader, only read: the next attempt looks again.
    if (state === 0 || (attempt === tryRead && (state & (WRITER | WAITING)) === 0)) continue;
    if (Atomics.compareExchange(i32, base + STATE, state, state | WAITING) === state) return true;
  }
}

/** Restores what is promised of the queues, under the record's lock, for a thread that died with it: with nobody in the mutex, the first writer is let in, or else all readers. Returns the goroutines to make ready. */
export function restoreRWMutex(thread: Waker, base: number): readonly number[] {
  const { i32 } = thread;
  const word = base + STATE;
  if (waiting(i32, base) === 0) {
    Atomics.and(i32, word, ~WAITING);
    return NOBODY;
  }
  const state = Atomics.or(i32, word, WAITING) | WAITING;
  if ((state & WRITER) !== 0) return NOBODY;
  if (i32[base + RW_WRITERS] !== 0) return state === WAITING ? letWriterIn(thread, base) : NOBODY;
  const readers = drainWaiters(i32, base + RW_READERS, thread.descriptors);
  // Added, not stored: readers that are not the last leave without the lock.
  Atomics.add(i32, word, readers.length * READER);
  Atomics.and(i32, word, ~WAITING);
  return readers;
}

/** Takes a reader out of the queue. False if it has been let in. */
export function abandonRead(thread: Waker, base: number, descriptor: number): boolean {
  const { i32 } = thread;
  return locked(thread, base, () => {
    if (!removeWaiter(i32, base + RW_READERS, descriptor + G_WAITER)) return false;
    if (waiting(i32, base) === 0) Atomics.and(i32, base + STATE, ~WAITING);
    return true;
  });
}

/** Takes a writer out of the queue. False if it has been let in. The readers that it held off go in, if it was the last to do so. */
export function abandonWrite(thread: Waker, base: number, descriptor: number): boolean {
  const { i32 } = thread;
  let readers = NOBODY;
  const found = locked(thread, base, () => {
    if (!removeWaiter(i32, base + RW_WRITERS, descriptor + G_WAITER)) return false;
    const read = (Atomics.load(i32, base + STATE) & WRITER) === 0;
    if (read && i32[base + RW_WRITERS] === 0)
      readers = drainWaiters(i32, base + RW_READERS, thread.descriptors);
    // Added, not stored: readers that are not the last leave without the lock.
    if (readers.length > 0) Atomics.add(i32, base + STATE, readers.length * READER);
    if (waiting(i32, base) === 0) Atomics.and(i32, base + STATE, ~WAITING);
    return true;
  });
  thread.readyAll(readers);
  return found;
}

/** What the queues make of WAITING; under the lock. */
function waiting(i32: Int32Array, base: number): number {
  return i32[base + RW_WRITERS] === 0 && i32[base + RW_READERS] === 0 ? 0 : WAITING;
}

/** Runs a step under the record's lock. Whom it wakes it returns: nobody is made ready under the lock. */
function locked<T>(thread: Waker, base: number, step: () => T): T {
  acquire(thread.i32, base + O_LOCK, thread.number);
  try {
    return step();
  } finally {
    release(thread.i32, base + O_LOCK);
  }
}
