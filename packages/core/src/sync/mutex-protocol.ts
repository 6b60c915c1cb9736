/**
 * How a mutex is locked, waited for and unlocked: the words of its record and nothing else.
 *
 * ```
 *  31   5      4         3        2        1       0
 * ┌──────┬───────────┬────────┬──────────┬───────┬────────┐
 * │ 0    │ ABANDONED │ QUEUED │ STARVING │ WOKEN │ LOCKED │   MUTEX_STATE
 * └──────┴───────────┴────────┴──────────┴───────┴────────┘
 * ```
 *
 * - LOCKED: somebody holds it. Taken by compare-and-swap by anyone who finds it clear, waiting or not.
 * - WOKEN: one waiter has been taken off the queue and is on its way to compete for the lock; unlocking wakes no second one.
 * - STARVING: unlocking hands the lock to the first in the queue; LOCKED stays set, so that nobody can come between.
 * - QUEUED: the queue is not empty. Changed under the record's lock only, as the queue is.
 * - ABANDONED: it was taken from a holder who was lost with his thread. Set by the repair, for the next holder to learn; his unlock clears it.
 *
 * **The two modes are Go's.** In the *normal* one a woken waiter competes with whoever runs already, and mostly loses: that is fast, since the lock is taken while its
 * owner is on a processor, where handing it over would leave it idle until the waiter runs. One that lost goes back to the front of the queue. Having waited for more than a
 * millisecond, it sets STARVING as it does: now unlocking hands over, in the order of the queue. The mode ends with an owner who was the last in the queue or waited for less.
 *
 * Nobody spins, as Go's waiters do for a moment: on the two cores where it was measured spinning for 20 to 1000 looks gained nothing, and 100 looks made two goroutines that compete for one lock slower more often than faster.
 *
 * **No wake-up is lost.** Whenever the record's lock is free: if the queue is not empty then LOCKED or WOKEN is set, so somebody will unlock, or somebody woken will take the lock, queue again, or
 * pass the wake-up on.
 *
 * 1. A waiter queues under the record's lock, in the step that sets QUEUED by a compare-and-swap from a state with LOCKED. An unlock before that step makes it fail, and the waiter takes the lock instead.
 * 2. An unlock after that step finds QUEUED; without the record's lock it goes through only with QUEUED clear, or WOKEN set. So it wakes the first waiter, or somebody is woken already.
 * 3. A woken waiter clears WOKEN only in the step that takes the lock (its own unlock will wake the next), or queues again under 1, or, when it is cancelled, wakes the next itself.
 * 4. A waiter that is cancelled in the queue leaves it under the record's lock. One that is no longer there has been woken, or handed the lock: it goes on and does as 3 says.
 *
 * **Uses.** MUTEX_USE says in which use the mutex is held, so that the guard of an earlier use does nothing to the present one. Only who holds the lock writes it, plainly: a new number after it has taken the lock, 0 before it
 * unlocks. A wait for a condition gives the lock up and takes it again in the same use, for the guard that was made before.
 *
 * **Holders that die.** Who takes the lock writes (1) LOCKED, (2) MUTEX_OWNER, (3) MUTEX_USE; who unlocks writes (1) 0 into MUTEX_USE, (2) the state without LOCKED. `releaseForDead` looks at these words while all machines are held, when
 * no living thread is between two of these steps:
 *
 * - MUTEX_USE is not 0: the lock is held, and MUTEX_OWNER says by whom. If that goroutine is lost, the lock is taken from it and marked ABANDONED.
 * - LOCKED and MUTEX_USE 0: a thread died between the steps of taking or of giving up. It had not entered the critical section, or had left it; so the lock is taken from it without a mark, and a mark that was there stays.
 * - A lock that is handed over, which stays LOCKED, gets owner and use of its heir from the one who hands it over, before he leaves the queue. So the above holds from then on, though the heir may come much later.
 *
 * A mark is not lost on the way: it is cleared in the step that unlocks, by a holder whose use was numbered, and who learned it.
 */

import { MisuseError } from "../base/errors.ts";
import {
  claimWaiter,
  enqueueWaiter,
  enqueueWaiterFirst,
  goroutineOf,
  ownWaiter,
  removeWaiter,
} from "../goroutine/wait-queue.ts";
import {
  G_WAITER,
  MUTEX_OWNER,
  MUTEX_STATE,
  MUTEX_USE,
  MUTEX_USES,
  MUTEX_WAITERS,
  O_LOCK,
  W_RESULT,
} from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import { NO_OWNER, ownerOfWaiter, type Waker } from "./lock-owner.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const STATE = MUTEX_STATE;
const CURRENT = MUTEX_USE;
const USES = MUTEX_USES;
const OWNER = MUTEX_OWNER;
const NOBODY = NO_OWNER;

const LOCKED = 1;
const WOKEN = 2;
const STARVING = 4;
const QUEUED = 8;
const ABANDONED_SHIFT = 4;
const ABANDONED: number = 1 << ABANDONED_SHIFT;
/** What an unlock clears. */
const HELD: number = LOCKED | ABANDONED;

/** Who has waited longer starves. Go's number. */
const STARVING_AFTER_MS = 1;

/** W_RESULT: come and compete. */
const COMPETE = 0;
/** W_RESULT: the lock is yours. */
const OWNED = 1;

/** `tryTake`, for one who comes anew and mostly finds a lock that nobody wants: as few steps as can be. */
export function takeFree(i32: Int32Array, base: number, owner: number): number {
  const word = base + STATE;
  // A plain guess, which the swap checks.
  if (i32[word] === 0 && Atomics.compareExchange(i32, word, 0, LOCKED) === 0)
    return beginUse(i32, base, owner, 0);
  return tryTake(i32, base, owner);
}

/** Takes the lock for `owner` if nobody holds it, and clears what is not in `keep`. Returns the use, never 0; 0 if somebody holds it. */
export function tryTake(i32: Int32Array, base: number, owner: number = NOBODY, keep = -1): number {
  const word = base + STATE;
  // A plain guess, which the swap checks. That somebody holds the lock is worth a second look.
  let state = i32[word];
  if ((state & LOCKED) !== 0) state = Atomics.load(i32, word);
  while ((state & LOCKED) === 0) {
    const seen = Atomics.compareExchange(i32, word, state, (state | LOCKED) & keep);
    if (seen === state) return beginUse(i32, base, owner, state);
    state = seen;
  }
  return 0;
}

/** Says who holds the lock, and numbers the use that begins: even, or odd if the `state` from which it was taken is marked. Plain: whoever holds the lock is alone with these words. */
function beginUse(i32: Int32Array, base: number, owner: number, state: number): number {
  i32[base + OWNER] = owner;
  // After 2^31 uses the numbers come again; 0 is nobody's.
  const use = ((i32[base + USES] + 2) & ~1 || 2) | ((state >>> ABANDONED_SHIFT) & 1);
  i32[base + USES] = use;
  i32[base + CURRENT] = use;
  return use;
}

/** Whether the lock came from one who was lost with it, by the number of the use. */
export function isAbandonedUse(use: number): boolean {
  return (use & 1) !== 0;
}

/** Whether the lock is marked as taken from one who was lost with it: until its present holder, or the next, unlocks it. */
export function isAbandoned(i32: Int32Array, base: number): boolean {
  return (Atomics.load(i32, base + STATE) & ABANDONED) !== 0;
}

/** Whether somebody holds the lock. */
export function isLocked(i32: Int32Array, base: number): boolean {
  return (Atomics.load(i32, base + STATE) & LOCKED) !== 0;
}

/** The use in which the caller holds the lock. */
export function currentUse(i32: Int32Array, base: number): number {
  return i32[base + CURRENT];
}

/** The caller, who has taken the lock again, goes on in its earlier use. */
export function continueUse(i32: Int32Array, base: number, use: number): void {
  i32[base + CURRENT] = use;
}

/** Unlocks. Throws `MisuseError` if nobody holds the lock. */
export function unlock(thread: Waker, base: number): void {
  const { i32 } = thread;
  i32[base + CURRENT] = 0;
  const word = base + STATE;
  // Mostly nobody waits, and the plain guess is right. One who comes to wait now fails in step 1.
  if (i32[word] === LOCKED && Atomics.compareExchange(i32, word, LOCKED, 0) === LOCKED) return;
  const guess = i32[word];
  if (!wakesNobody(guess) || Atomics.compareExchange(i32, word, guess, guess & ~HELD) !== guess)
    unlockSlowly(thread, base);
}

/** Whether it is a state of a held lock that is unlocked without waking anybody: nobody waits, or somebody woken competes. */
function wakesNobody(state: number): boolean {
  return (state & (LOCKED | QUEUED)) === LOCKED || (state & (LOCKED | WOKEN)) === (LOCKED | WOKEN);
}

/** Unlocks if it is still held in this use. Plain: a use that is over was ended before, by this thread or by one that has told it. */
export function unlockUse(thread: Waker, base: number, use: number): void {
  if (thread.i32[base + CURRENT] === use) unlock(thread, base);
}

function unlockSlowly(thread: Waker, base: number): void {
  const { i32 } = thread;
  if (unlockAlone(i32, base)) return;
  let waiter: number;
  acquire(i32, base + O_LOCK, thread.number);
  try {
    // Again: the one who waited may have left.
    waiter = unlockAlone(i32, base) ? 0 : unlockForNext(thread, base);
  } finally {
    release(i32, base + O_LOCK);
  }
  if (waiter !== 0) thread.ready(goroutineOf(i32, waiter));
}

/** Unlocks if nobody needs to be woken: nobody waits, or somebody woken competes. */
function unlockAlone(i32: Int32Array, base: number): boolean {
  const word = base + STATE;
  for (;;) {
    const state = Atomics.load(i32, word);
    if ((state & LOCKED) === 0) throw new MisuseError("sync: unlock of unlocked mutex");
    if (!wakesNobody(state)) return false;
    if (Atomics.compareExchange(i32, word, state, state & ~HELD) === state) return true;
  }
}

/**
 * Wakes the first in the queue to compete for the lock, or hands it over; under the record's lock. Returns the waiter to make ready.
 *
 * The state is LOCKED, QUEUED and not WOKEN. Whoever changes such a state holds the record's lock, except an owner that ends the starving mode, which it does before it unlocks. So a plain sequence does.
 */
function unlockForNext(thread: Waker, base: number): number {
  const { i32, descriptors } = thread;
  const queue = base + MUTEX_WAITERS;
  const state = Atomics.load(i32, base + STATE);
  const waiter = claimWaiter(i32, queue, descriptors);
  if ((state & STARVING) !== 0) {
    handOver(thread, base, waiter);
    const left = state & ~ABANDONED;
    Atomics.store(i32, base + STATE, i32[queue] === 0 ? left & ~(QUEUED | STARVING) : left);
    return waiter;
  }
  i32[waiter + W_RESULT] = COMPETE;
  removeWaiter(i32, queue, waiter);
  const left = (state & ~HELD) | WOKEN;
  Atomics.store(i32, base + STATE, i32[queue] === 0 ? left & ~(QUEUED | STARVING) : left);
  return waiter;
}

/** Makes the first in the queue the holder. Its W_RESULT, which is written first, says so to `restoreMutex` if the thread dies before it has left the queue. */
function handOver(thread: Waker, base: number, waiter: number): void {
  const { i32 } = thread;
  i32[waiter + W_RESULT] = OWNED;
  beginUse(i32, base, ownerOfWaiter(thread, waiter), 0);
  removeWaiter(i32, base + MUTEX_WAITERS, waiter);
}

/**
 * Restores what is promised of the queue, under the record's lock, for a thread that died with it. Returns the goroutines to make ready.
 *
 * QUEUED follows from the queue. Whether WOKEN stands for somebody cannot be told; one more who is woken to compete does no harm, and one whose WOKEN is cleared competes all the same.
 */
export function restoreMutex(thread: Waker, base: number): number[] {
  const { i32, descriptors } = thread;
  const word = base + STATE;
  const queue = base + MUTEX_WAITERS;
  const first = i32[queue];
  const woken: number[] = [];
  if (first !== 0 && i32[first + W_RESULT] === OWNED) {
    handOver(thread, base, first);
    woken.push(goroutineOf(i32, first));
  }
  if (i32[queue] === 0) {
    Atomics.and(i32, word, ~(QUEUED | STARVING | WOKEN));
    return woken;
  }
  Atomics.or(i32, word, QUEUED);
  if ((Atomics.load(i32, word) & LOCKED) !== 0) {
    Atomics.and(i32, word, ~WOKEN);
    return woken;
  }
  Atomics.or(i32, word, WOKEN);
  const waiter = claimWaiter(i32, queue, descriptors);
  i32[waiter + W_RESULT] = COMPETE;
  removeWaiter(i32, queue, waiter);
  if (i32[queue] === 0) Atomics.and(i32, word, ~(QUEUED | STARVING));
  woken.push(goroutineOf(i32, waiter));
  return woken;
}

/**
 * Takes the lock from a goroutine that is lost, which `isLost` tells by its owner word; while all machines are held. Also has somebody compete again if the one who was woken for it is lost. Returns the goroutines to make ready.
 */
export function releaseForDead(thread: Waker, base: number, isLost: (owner: number) => boolean): number[] {
  const { i32 } = thread;
  const state = Atomics.load(i32, base + STATE);
  if ((state & LOCKED) !== 0) {
    const named = i32[base + CURRENT] !== 0;
    if (!named || isLost(i32[base + OWNER])) {
      i32[base + CURRENT] = 0;
      Atomics.store(i32, base + STATE, (state & ~LOCKED) | (named ? ABANDONED : 0));
    }
  }
  return (state & (WOKEN | QUEUED)) === 0 ? [] : restoreMutex(thread, base);
}

/** One goroutine's way to the lock, after the first attempt: what `Mutex.lock` and the second half of `Cond.wait` have in common. */
export class LockWait {
  /** The use in which this goroutine holds the lock; 0 before. */
  use = 0;
  private readonly thread: Waker;
  private readonly base: number;
  private readonly owner: number;
  private waiter = 0;
  /** When it queued first. */
  private since = 0;
  private hasQueued = false;
  /** Whether WOKEN is this goroutine's. */
  private woken = false;
  private starving = false;

  constructor(thread: Waker, base: number) {
    this.thread = thread;
    this.base = base;
    this.owner = thread.ownerMark();
  }

  attempt(): boolean {
    this.use = tryTake(this.thread.i32, this.base, this.owner, this.kept());
    if (this.use === 0) return false;
    this.woken = false;
    return true;
  }

  /** Queues, or takes the lock after all and returns false. */
  enqueue(goroutine: number, base: number): boolean {
    const { i32, number } = this.thread;
    if (!this.hasQueued) this.since = this.thread.clock();
    this.waiter = ownWaiter(i32, base, goroutine);
    i32[this.waiter + W_RESULT] = COMPETE;
    acquire(i32, this.base + O_LOCK, number);
    const queued = this.announce();
    if (queued) {
      const queue = this.base + MUTEX_WAITERS;
      if (this.hasQueued) enqueueWaiterFirst(i32, queue, this.waiter);
      else enqueueWaiter(i32, queue, this.waiter);
      this.hasQueued = true;
    }
    release(i32, this.base + O_LOCK);
    return queued;
  }

  /** Sets QUEUED while somebody holds the lock; holding the record's lock. False if the lock was taken instead. */
  private announce(): boolean {
    const { i32 } = this.thread;
    const word = this.base + STATE;
    for (;;) {
      if (this.attempt()) return false;
      const state = Atomics.load(i32, word);
      if ((state & LOCKED) === 0) continue;
      const announced = (state & this.kept()) | QUEUED | (this.starving ? STARVING : 0);
      if (Atomics.compareExchange(i32, word, state, announced) !== state) continue;
      this.woken = false;
      return true;
    }
  }

  /** The waiter was made ready. True if this goroutine has the lock now; false if it has to queue again. Throws `interrupt`. */
  resume(interrupt: Error | undefined): boolean {
    if (interrupt !== undefined) {
      this.passOn();
      throw interrupt;
    }
    const { i32 } = this.thread;
    const waitedLong = this.thread.clock() - this.since > STARVING_AFTER_MS;
    if (i32[this.waiter + W_RESULT] === OWNED) {
      this.use = currentUse(i32, this.base);
      if (!waitedLong && !this.starving) Atomics.and(i32, this.base + STATE, ~STARVING);
      return true;
    }
    this.woken = true;
    this.starving ||= waitedLong;
    return this.attempt();
  }

  /** Takes the waiter of the goroutine whose descriptor is at `base` out of the queue. False if it has been woken. */
  abandon(base: number): boolean {
    const { i32, number } = this.thread;
    acquire(i32, this.base + O_LOCK, number);
    const found = removeWaiter(i32, this.base + MUTEX_WAITERS, base + G_WAITER);
    if (found && i32[this.base + MUTEX_WAITERS] === 0)
      Atomics.and(i32, this.base + STATE, ~(QUEUED | STARVING));
    release(i32, this.base + O_LOCK);
    return found;
  }

  /** A woken goroutine will not take the lock: the next in the queue is to compete for it in its place. */
  private passOn(): void {
    if (!this.woken) return;
    this.woken = false;
    const { i32, number } = this.thread;
    acquire(i32, this.base + O_LOCK, number);
    const next = this.nextToCompete();
    release(i32, this.base + O_LOCK);
    if (next !== 0) this.thread.ready(goroutineOf(i32, next));
  }

  /** Clears WOKEN if somebody holds the lock, who will wake the next, or nobody waits. Otherwise returns the waiter that WOKEN now stands for. */
  private nextToCompete(): number {
    const { i32, descriptors } = this.thread;
    const word = this.base + STATE;
    const queue = this.base + MUTEX_WAITERS;
    for (;;) {
      const state = Atomics.load(i32, word);
      if ((state & LOCKED) !== 0 || (state & QUEUED) === 0) {
        if (Atomics.compareExchange(i32, word, state, state & ~WOKEN) === state) return 0;
        continue;
      }
      const waiter = claimWaiter(i32, queue, descriptors);
      i32[waiter + W_RESULT] = COMPETE;
      removeWaiter(i32, queue, waiter);
      // WOKEN stays set: whoever takes the lock meanwhile leaves it, and their unlock wakes nobody, rightly.
      if (i32[queue] === 0) Atomics.and(i32, word, ~QUEUED);
      return waiter;
    }
  }

  private kept(): number {
    return this.woken ? ~WOKEN : -1;
  }
}
