/**
 * A lock for threads, one word: 0 free, else the holder's thread number + 1.
 *
 * It guards a few dozen instructions at a time, so a waiter spins first. When the holder has lost its core, spinning only
 * keeps it from coming back; the waiter then sleeps in short waits on the word itself. Unlocking therefore needs no notify,
 * which would cost every unlock a call into the engine: a sleeper notices within one of its short waits.
 *
 * The word names its holder, so a supervisor can release what a dead thread held (`releaseIfHeldBy`).
 * JavaScript's atomics are sequentially consistent: everything written under the lock is seen by the next holder.
 */

/** Looks at a held lock before the first sleep. Guess: about a microsecond, many times the usual hold. */
const SPINS = 100;
/** One short sleep. Long enough for the holder to be given its core back, short against a time slice. */
const NAP_MS = 0.05;

/** Naps between two doubts whether the holder is alive. A few milliseconds: a holder that has lost its core has it back by then, mostly. */
const DOUBT_AFTER = 64;

const doubts = new WeakMap<Int32Array, (holder: number) => void>();

/**
 * Says what a thread does that waits for a lock for long: `ask` is called with the holder's thread number. For the host, which hears of a thread's death in its event loop, and would wait for ever for a lock that died with it.
 * `i32` is this thread's view of the memory.
 */
export function setDoubt(i32: Int32Array, ask: (holder: number) => void): void {
  doubts.set(i32, ask);
}

/** Takes the lock. `owner` is the thread's number. Not re-entrant: taking it twice throws, for it could never return. */
export function acquire(i32: Int32Array, word: number, owner: number): void {
  if (Atomics.compareExchange(i32, word, 0, owner + 1) === 0) return;
  acquireContended(i32, word, owner);
}

function acquireContended(i32: Int32Array, word: number, owner: number): void {
  for (let spins = 0; ; spins++) {
    // Reads first: a compare-and-swap would take the cache line from the holder each time.
    const holder = Atomics.load(i32, word);
    if (holder === 0) {
      if (Atomics.compareExchange(i32, word, 0, owner + 1) === 0) return;
    } else if (holder === owner + 1) {
      throw new Error(`acquire: thread ${owner} already holds the lock at word ${word}`);
    } else if (spins > SPINS) {
      Atomics.wait(i32, word, holder, NAP_MS);
      if (spins % DOUBT_AFTER === 0) doubts.get(i32)?.(holder - 1);
    }
  }
}

/** Takes the lock if it is free. */
export function tryAcquire(i32: Int32Array, word: number, owner: number): boolean {
  return Atomics.compareExchange(i32, word, 0, owner + 1) === 0;
}

/** Gives the lock back. Only the holder may call it. */
export function release(i32: Int32Array, word: number): void {
  Atomics.store(i32, word, 0);
}

/** Takes a dead thread's lock from it. True if it held the lock, so that what the lock guards must be checked. */
export function releaseIfHeldBy(i32: Int32Array, word: number, owner: number): boolean {
  return Atomics.compareExchange(i32, word, owner + 1, 0) === owner + 1;
}
