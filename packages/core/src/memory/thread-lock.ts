/**
 * A lock for threads, one word: 0 free, else the holder's thread number + 1.
 *
 * It guards a few dozen instructions at a time, so a waiter spins first. When the holder has lost its core, spinning only
 * keeps it from coming back; the waiter then sleeps in short waits on the word itself. Unlocking therefore needs no notify,
 * which would cost every unlock a call into the engine: a sleeper notices within one of its short waits.
 *
 * The word names its holder, so a supervisor can release what a dead thread held (`releaseIfHeldBy`).
 *
 * Nothing throws under a lock but the engine, when a body has used up the stack just there. Then the lock stays taken, and what it guards is in the middle of a change. The thread can still tell, once no call of the runtime's is on its stack any more: it counts the locks that it has taken and not
 * given back (`hasLocks`). A machine's thread ends itself then, which the repair of dead threads knows what to do about; a host cannot, and stops the runtime.
 * JavaScript's atomics are sequentially consistent: everything written under the lock is seen by the next holder.
 */

import { MachineLostError } from "../base/errors.ts";

/** Looks at a held lock before the first sleep. Guess: about a microsecond, many times the usual hold. */
const SPINS = 100;
/** One short sleep. Long enough for the holder to be given its core back, short against a time slice. */
const NAP_MS = 0.05;

/** Naps between two doubts whether the holder is alive. A few milliseconds: a holder that has lost its core has it back by then, mostly. */
const DOUBT_AFTER = 64;

const doubts = new WeakMap<Int32Array, (holder: number) => void>();

/** Locks that this thread has taken and not given back, in all memories, and the memory of the one that was taken first. */
let taken = 0;
let firstIn: Int32Array | undefined;

/** Whether this thread has a lock in a memory of which it has this view. To be asked where it can have none. */
export function hasLocks(i32: Int32Array): boolean {
  return taken > 0 && firstIn === i32;
}

/** Counts no lock any more: whoever asked `hasLocks` has seen to it that nobody waits for them. */
export function forgetLocks(): void {
  taken = 0;
}

/**
 * Says what a thread does that waits for a lock for long: `ask` is called with the holder's thread number. For the host, which hears of a thread's death in its event loop, and would wait for ever for a lock that died with it.
 * `i32` is this thread's view of the memory.
 */
export function setDoubt(i32: Int32Array, ask: (holder: number) => void): void {
  doubts.set(i32, ask);
}

/** Takes the lock. `owner` is the thread's number. Not re-entrant: taking it twice throws, for it could never return. */
export function acquire(i32: Int32Array, word: number, owner: number): void {
  // Counted first, here and not in a call: the stack may end anywhere.
  if (taken++ === 0) firstIn = i32;
  if (Atomics.compareExchange(i32, word, 0, owner + 1) !== 0) acquireContended(i32, word, owner);
}

function acquireContended(i32: Int32Array, word: number, owner: number): void {
  for (let spins = 0; ; spins++) {
    // Reads first: a compare-and-swap would take the cache line from the holder each time.
    const holder = Atomics.load(i32, word);
    if (holder === 0) {
      if (Atomics.compareExchange(i32, word, 0, owner + 1) === 0) return;
    } else if (holder === owner + 1) {
      taken--;
      throw new MachineLostError(
        `acquire: thread ${owner} already holds the lock at word ${word}: a stack has overflowed there`,
      );
    } else if (spins > SPINS) {
      Atomics.wait(i32, word, holder, NAP_MS);
      if (spins % DOUBT_AFTER === 0) doubts.get(i32)?.(holder - 1);
    }
  }
}

/** Takes the lock if it is free. */
export function tryAcquire(i32: Int32Array, word: number, owner: number): boolean {
  if (taken++ === 0) firstIn = i32;
  if (Atomics.compareExchange(i32, word, 0, owner + 1) === 0) return true;
  taken--;
  return false;
}

/** Gives the lock back. Only the holder may call it. */
export function release(i32: Int32Array, word: number): void {
  Atomics.store(i32, word, 0);
  taken--;
}

/** Takes a dead thread's lock from it. True if it held the lock, so that what the lock guards must be checked. */
export function releaseIfHeldBy(i32: Int32Array, word: number, owner: number): boolean {
  return Atomics.compareExchange(i32, word, owner + 1, 0) === owner + 1;
}
