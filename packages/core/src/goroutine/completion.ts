/**
 * The end of a goroutine, and those who wait for it. One word, G_JOIN:
 *
 * ```
 *  31                                3   2      1     0
 * ┌──────────────────────────────────┬──────┬──────┬──────┐
 * │ newest joiner (goroutine number) │ lock │ host │ done │
 * └──────────────────────────────────┴──────┴──────┴──────┘
 * ```
 *
 * - *join*: a joiner writes the present newest joiner into its own G_JOIN_NEXT and puts itself in its place by compare-and-swap.
 * - *complete*: the ending goroutine has stored its result, then swaps the word for "done", and readies everyone it found there.
 * - *leave*: a cancelled joiner locks the word, unlinks itself, unlocks. Found in the list: it owns its own wake-up. Not found: the ending
 *   goroutine took the list and will ready it.
 *
 * No wake-up is lost: both sides change the one word by compare-and-swap. Either the joiner's comes first, and `complete` finds it; or `complete`'s comes first,
 * and the joiner sees "done" and reads the result, which was stored before. Links behind the head are stable, since only the holder of the lock or the
 * taker of the whole list follows them.
 *
 * Most goroutines are started, run and joined on one thread, and no other ever learns of them. Their word is read and written plainly (`isOnlyOf`, `completeAlone`, `isDoneHere`): only who holds a handle joins, and the one handle is this
 * thread's. Before another thread can have one, this thread has counted it (G_REFS), and references are given back only after the end; so a count of 1 that this thread reads before the end is true, and stays true until the thread
 * itself does something else.
 *
 * A word that is locked holds the thread number of the one who locked it in place of the newest joiner, which that thread has noted in its own M_JOINERS before: should it die there, the word can be put right.
 *
 * "host" asks that the ended descriptor itself be put into the host's inbox: the result of a `run` travels without another record.
 */

import { G_JOIN, G_JOIN_NEXT, G_MACHINE, G_REFS, G_STARTER, M_JOINERS } from "../memory/layout.ts";

/** The goroutine has ended and its result can be read. */
export const DONE = 1;
/** The host wants the descriptor in its inbox at the end. */
export const HOST = 2;
const LOCKED = 4;
const HEAD_SHIFT = 3;
const FLAGS = 7;

const JOIN = G_JOIN;
const DONE_BIT = DONE;
const HOST_BIT = HOST;
const REFS = G_REFS;
const STARTER = G_STARTER;
const MACHINE = G_MACHINE;
const FLAG_BITS = FLAGS;
const JOIN_NEXT = G_JOIN_NEXT;

/** A thread that takes joiners out: its number, and the first word of its machine record. */
export interface JoinHolder {
  readonly thread: number;
  readonly record: number;
}

/** Whether the goroutine at `base` has ended. */
export function isDone(i32: Int32Array, base: number): boolean {
  return (Atomics.load(i32, base + JOIN) & DONE_BIT) !== 0;
}

/** Adds `joiner` (a goroutine number; its descriptor at `joinerBase`) to those who wait. False if the goroutine has ended: read the result instead. */
export function join(i32: Int32Array, base: number, joiner: number, joinerBase: number): boolean {
  // The usual case first: nobody waits yet.
  i32[joinerBase + JOIN_NEXT] = 0;
  if (Atomics.compareExchange(i32, base + JOIN, 0, joiner << HEAD_SHIFT) === 0) return true;
  for (;;) {
    const seen = Atomics.load(i32, base + JOIN);
    if ((seen & DONE_BIT) !== 0) return false;
    if ((seen & LOCKED) !== 0) continue;
    i32[joinerBase + JOIN_NEXT] = seen >>> HEAD_SHIFT;
    const word = (joiner << HEAD_SHIFT) | (seen & FLAGS);
    if (Atomics.compareExchange(i32, base + JOIN, seen, word) === seen) return true;
  }
}

/** Marks the end. Returns what was there: `firstJoiner` and `wantsHost` read it. The result must have been stored. */
export function complete(i32: Int32Array, base: number): number {
  // A plain read first: whether it was the latest value, the compare-and-swap tells.
  const guess = i32[base + JOIN];
  if ((guess & LOCKED) === 0 && Atomics.compareExchange(i32, base + JOIN, guess, DONE_BIT) === guess)
    return guess;
  for (;;) {
    const seen = Atomics.load(i32, base + JOIN);
    if ((seen & LOCKED) !== 0) continue;
    if (Atomics.compareExchange(i32, base + JOIN, seen, DONE_BIT) === seen) return seen;
  }
}

/** Whether the goroutine at `base`, which runs on `thread`, has one handle, which is that thread's own. */
export function isOnlyOf(i32: Int32Array, base: number, thread: number): boolean {
  return i32[base + STARTER] === thread && i32[base + REFS] === 1 && (i32[base + JOIN] & FLAG_BITS) === 0;
}

/** `complete` for a goroutine that `isOnlyOf` this thread. */
export function completeAlone(i32: Int32Array, base: number): number {
  const seen = i32[base + JOIN];
  i32[base + JOIN] = DONE_BIT;
  return seen;
}

/**
 * `isDone`, for a thread (its number) that has a handle, and that may miss an end which has only just come: whoever then waits finds it by the compare-and-swap in `join`.
 *
 * So a plain read will do for "no". A "yes" about a goroutine that ran elsewhere is read again atomically, so that the result, which was stored before, is seen. What ran on the thread itself has ended there.
 */
export function isDoneHere(i32: Int32Array, base: number, thread: number): boolean {
  if ((i32[base + JOIN] & DONE_BIT) === 0) return false;
  return i32[base + MACHINE] === thread + 1 || (Atomics.load(i32, base + JOIN) & DONE_BIT) !== 0;
}

/** The newest joiner in a word that `complete` returned; the others follow through `nextJoiner`. */
export function firstJoiner(completed: number): number {
  return completed >>> HEAD_SHIFT;
}

/** The joiner behind the one whose descriptor is at `joinerBase`; 0 for none. To be read before that one is made ready. */
export function nextJoiner(i32: Int32Array, joinerBase: number): number {
  return i32[joinerBase + JOIN_NEXT];
}

/** Whether the host asked for the descriptor. */
export function wantsHost(completed: number): boolean {
  return (completed & HOST_BIT) !== 0;
}

/** Takes a joiner out again. False if it is not there (any more): its wake-up is under way. `baseOf` finds a goroutine's descriptor. */
export function leave(
  i32: Int32Array,
  base: number,
  joiner: number,
  baseOf: (goroutine: number) => number,
  holder: JoinHolder,
): boolean {
  const seen = lockJoiners(i32, base, holder);
  if (seen === DONE_BIT) return false;
  let head = seen >>> HEAD_SHIFT;
  let found = head === joiner;
  if (found) {
    head = i32[baseOf(joiner) + JOIN_NEXT];
  } else {
    for (let at = head; at !== 0 && !found; at = i32[baseOf(at) + JOIN_NEXT]) {
      if (i32[baseOf(at) + JOIN_NEXT] !== joiner) continue;
      i32[baseOf(at) + JOIN_NEXT] = i32[baseOf(joiner) + JOIN_NEXT];
      found = true;
    }
  }
  Atomics.store(i32, base + JOIN, (head << HEAD_SHIFT) | (seen & HOST_BIT));
  return found;
}

/** Puts a word right that a thread had locked when it died. False if it was not this thread's. */
export function unlockForDead(i32: Int32Array, base: number, { thread, record }: JoinHolder): boolean {
  const seen = Atomics.load(i32, base + JOIN);
  if ((seen & LOCKED) === 0 || seen >>> HEAD_SHIFT !== thread) return false;
  // Taking one out is a single write, so the list behind the noted word is whole, with the joiner or without.
  Atomics.store(i32, base + JOIN, i32[record + M_JOINERS]);
  return true;
}

/** The newest joiner of a goroutine that has not ended; 0 for none, and while somebody takes one out. */
export function newestJoiner(i32: Int32Array, base: number): number {
  const seen = Atomics.load(i32, base + JOIN);
  return (seen & (DONE_BIT | LOCKED)) !== 0 ? 0 : seen >>> HEAD_SHIFT;
}

/** The unlocked word it replaced by a locked one, or `DONE`. */
function lockJoiners(i32: Int32Array, base: number, { thread, record }: JoinHolder): number {
  for (;;) {
    const seen = Atomics.load(i32, base + JOIN);
    if ((seen & DONE_BIT) !== 0) return DONE_BIT;
    if ((seen & LOCKED) !== 0) continue;
    i32[record + M_JOINERS] = seen;
    const word = (thread << HEAD_SHIFT) | LOCKED | (seen & HOST_BIT);
    if (Atomics.compareExchange(i32, base + JOIN, seen, word) === seen) return seen;
  }
}

/** One more handle names this goroutine, or a value under way does. */
export function retainHandle(i32: Int32Array, base: number): void {
  Atomics.add(i32, base + REFS, 1);
}

/**
 * A handle is done with an ended goroutine. True for the last one, which must free the descriptor. Handles let go only after the end, so the
 * ending side never competes.
 *
 * Alone, as nearly always, one need not write. A plain read tells: the count can be more than 1 only because this thread has sent a handle away, which it sees, its own write; that another thread has let
 * go since it may miss, and then it counts down like everybody else.
 */
export function releaseHandle(i32: Int32Array, base: number): boolean {
  if (i32[base + REFS] === 1) return true;
  return Atomics.sub(i32, base + REFS, 1) === 1;
}
