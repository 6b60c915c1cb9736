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
 *
 * **Holders that die** are looked for while all machines are held (`releaseForDead`), when no living thread is between two steps.
 *
 * - A writer writes (1) WRITER, (2) RW_OWNER; at the end (1) 0 into RW_OWNER, (2) the state without WRITER. WRITER with a lost owner: the lock is taken from it and marked. WRITER with no owner: a thread died between the steps, outside of
 *   what the lock guards; it is taken without a mark. A writer that is let in from the queue gets its owner word from the one who lets it in, before it leaves the queue.
 * - Readers leave no name. Each thread counts, in memory of its own, the readings it has begun and not ended (Holdings.readings). What the word has more than the living threads together was the dead one's. A reading that was begun on one
 *   thread and ended on another makes these sums inexact, in one direction: a thread that has ended more than it has begun counts as 0, so the living are never taken for dead.
 * - Whoever is let in from a queue has W_RESULT set to the record before it leaves the queue, and clears it when it goes on. So it counts as a reader of its thread from then on; and should the one who lets it in die
 *   before it has left the queue, `restoreRWMutex` makes up for the rest.
 */

import { MisuseError } from "../base/errors.ts";
import { enqueueWaiter, goroutineOf, ownWaiter, removeWaiter } from "../goroutine/wait-queue.ts";
import {
  G_WAITER,
  O_LOCK,
  RW_ABANDONED,
  RW_OWNER,
  RW_READERS,
  RW_STATE,
  RW_USE,
  RW_WRITERS,
  W_RESULT,
} from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import { NO_OWNER, ownerOfWaiter, type Waker } from "./lock-owner.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const STATE = RW_STATE;
const OWNER = RW_OWNER;
const ABANDONED = RW_ABANDONED;
const NO_WRITER = NO_OWNER;

/** W_RESULT of a waiter that has not been let in; else it holds the first word of the record. */
const NOT_IN = 0;

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

/** Takes the mutex for writing, if it is free. `owner` as in lock-owner.ts. */
export function tryWrite(i32: Int32Array, base: number, owner: number): boolean {
  if (Atomics.compareExchange(i32, base + STATE, 0, WRITER) !== 0) return false;
  // Plain: whoever writes is alone, and the next one sees it after the atomic step that lets them in.
  i32[base + OWNER] = owner;
  i32[base + RW_USE]++;
  return true;
}

/** Whether the mutex was taken from a writer who was lost with it, and no other has written since. For who holds it. */
export function isAbandoned(i32: Int32Array, base: number): boolean {
  return i32[base + ABANDONED] !== 0;
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
  if ((i32[base + STATE] & WRITER) !== 0) {
    i32[base + OWNER] = NO_WRITER;
    if (i32[base + ABANDONED] !== 0) i32[base + ABANDONED] = 0;
    if (Atomics.compareExchange(i32, base + STATE, WRITER, 0) === WRITER) return;
  }
  const woken = locked(thread, base, () => endWriteHolding(thread, base));
  thread.readyAll(woken);
}

function endWriteHolding(thread: Waker, base: number): readonly number[] {
  const { i32 } = thread;
  const state = Atomics.load(i32, base + STATE);
  if ((state & WRITER) === 0) throw new MisuseError("sync: Unlock of unlocked RWMutex");
  i32[base + OWNER] = NO_WRITER;
  i32[base + ABANDONED] = 0;
  return passOn(thread, base);
}

/** The mutex of a writer that leaves goes to all readers in the queue, or else to the first writer. Returns whom to make ready. */
function passOn(thread: Waker, base: number): readonly number[] {
  const { i32 } = thread;
  if (waiting(i32, base) === 0) {
    Atomics.store(i32, base + STATE, 0);
    return NOBODY;
  }
  if (i32[base + RW_READERS] === 0) return letWriterIn(thread, base);
  // Nobody is in, and with WAITING nobody comes in but under the lock.
  Atomics.store(i32, base + STATE, WAITING);
  const readers = letReadersIn(thread, base);
  if (waiting(i32, base) === 0) Atomics.and(i32, base + STATE, ~WAITING);
  return readers;
}

/** All readers in the queue go in; nobody writes. Added one by one, not stored: readers that are not the last leave without the lock. */
function letReadersIn({ i32 }: Waker, base: number): number[] {
  const readers: number[] = [];
  for (let waiter = i32[base + RW_READERS]; waiter !== 0; waiter = i32[base + RW_READERS]) {
    Atomics.add(i32, base + STATE, READER);
    i32[waiter + W_RESULT] = base;
    removeWaiter(i32, base + RW_READERS, waiter);
    readers.push(goroutineOf(i32, waiter));
  }
  return readers;
}

/** Ends the writing that was number `use`; not if it has ended. */
export function endWriteUse(thread: Waker, base: number, use: number): void {
  const { i32 } = thread;
  // While this writing lasts nobody changes RW_USE.
  if ((Atomics.load(i32, base + STATE) & WRITER) !== 0 && i32[base + RW_USE] === use) endWrite(thread, base);
}

/** The mutex, with nobody in it any more, goes to the first writer in the queue. (Should there be none, since a reading that was begun on a thread that died had been ended on another, to the readers.) */
function letWriterIn(thread: Waker, base: number): readonly number[] {
  const { i32 } = thread;
  const waiter = i32[base + RW_WRITERS];
  if (waiter === 0) {
    Atomics.store(i32, base + STATE, WAITING);
    const readers = letReadersIn(thread, base);
    Atomics.and(i32, base + STATE, ~WAITING);
    return readers;
  }
  i32[waiter + W_RESULT] = base;
  i32[base + OWNER] = ownerOfWaiter(thread, waiter);
  i32[base + RW_USE]++;
  Atomics.store(i32, base + STATE, WRITER | WAITING);
  removeWaiter(i32, base + RW_WRITERS, waiter);
  if (waiting(i32, base) === 0) Atomics.store(i32, base + STATE, WRITER);
  return [goroutineOf(i32, waiter)];
}

/** Queues a reader, or lets it in and returns false. */
export function queueReader(thread: Waker, base: number, goroutine: number, descriptor: number): boolean {
  const { i32 } = thread;
  return locked(thread, base, () => {
    if (!announce(i32, base, (at) => tryRead(i32, at), WRITER | WAITING)) return false;
    enqueueWaiter(i32, base + RW_READERS, newWaiter(i32, descriptor, goroutine));
    return true;
  });
}

/** Queues a writer, or lets it in and returns false. */
export function queueWriter(
  thread: Waker,
  base: number,
  goroutine: number,
  descriptor: number,
  owner: number,
): boolean {
  const { i32 } = thread;
  return locked(thread, base, () => {
    if (!announce(i32, base, (at) => tryWrite(i32, at, owner), -1)) return false;
    enqueueWaiter(i32, base + RW_WRITERS, newWaiter(i32, descriptor, goroutine));
    return true;
  });
}

function newWaiter(i32: Int32Array, descriptor: number, goroutine: number): number {
  const waiter = ownWaiter(i32, descriptor, goroutine);
  i32[waiter + W_RESULT] = NOT_IN;
  return waiter;
}

/** Sets WAITING. False if `attempt` got in instead, which is held off by any of the bits in `obstacle`. */
function announce(
  i32: Int32Array,
  base: number,
  attempt: (base: number) => boolean,
  obstacle: number,
): boolean {
  for (;;) {
    if (attempt(base)) return false;
    const state = Atomics.load(i32, base + STATE);
    // Gone meanwhile: the next attempt looks again.
    if ((state & obstacle) === 0) continue;
    if (Atomics.compareExchange(i32, base + STATE, state, state | WAITING) === state) return true;
  }
}

/** Restores what is promised of the queues, under the record's lock, for a thread that died with it: with nobody in the mutex, the first writer is let in, or else all readers. Returns the goroutines to make ready. */
export function restoreRWMutex(thread: Waker, base: number): readonly number[] {
  const { i32 } = thread;
  const word = base + STATE;
  const [writer, reader] = [i32[base + RW_WRITERS], i32[base + RW_READERS]];
  // It is in already, but has not left the queue.
  if (writer !== 0 && i32[writer + W_RESULT] === base) return letWriterIn(thread, base);
  const woken: number[] = [];
  if (reader !== 0 && i32[reader + W_RESULT] === base && removeWaiter(i32, base + RW_READERS, reader))
    woken.push(goroutineOf(i32, reader));
  if (waiting(i32, base) === 0) {
    Atomics.and(i32, word, ~WAITING);
    return woken;
  }
  const state = Atomics.or(i32, word, WAITING) | WAITING;
  if ((state & WRITER) !== 0) return woken;
  if (i32[base + RW_WRITERS] !== 0) return state === WAITING ? letWriterIn(thread, base) : woken;
  woken.push(...letReadersIn(thread, base));
  Atomics.and(i32, word, ~WAITING);
  return woken;
}

/** What is known of those who hold a mutex when its dead are to be found. */
export interface LivingHolders {
  /** Whether a writer is lost, by its owner word. */
  isLost(owner: number): boolean;
  /** Readings, as living threads count them, those included that were let in and have not gone on yet. */
  readonly readings: number;
}

/** Takes from lost goroutines what they hold; while all machines are held. Returns the goroutines to make ready. */
export function releaseForDead(thread: Waker, base: number, living: LivingHolders): readonly number[] {
  const { i32 } = thread;
  const state = Atomics.load(i32, base + STATE);
  if ((state & WRITER) !== 0) {
    const owner = i32[base + OWNER];
    if (owner !== NO_WRITER && !living.isLost(owner)) return NOBODY;
    if (owner !== NO_WRITER) i32[base + ABANDONED] = 1;
    i32[base + OWNER] = NO_WRITER;
    // Those it had let in before it died are in.
    if (living.readings === 0) return passOn(thread, base);
    Atomics.store(i32, base + STATE, living.readings * READER + waiting(i32, base));
    return NOBODY;
  }
  const readers = Math.min(Math.floor(state / READER), living.readings);
  Atomics.store(i32, base + STATE, readers * READER + waiting(i32, base));
  if (readers !== 0) return NOBODY;
  return i32[base + RW_WRITERS] !== 0 ? letWriterIn(thread, base) : passOn(thread, base);
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
    if (read && i32[base + RW_WRITERS] === 0) readers = letReadersIn(thread, base);
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
