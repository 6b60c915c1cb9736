/**
 * A processor's run queue: a ring of goroutines that have never run, and one slot before it (Go's runq and runnext).
 *
 * One owner pushes and pops, at either end; any thief takes half of the ring at once, from its old end, or as a last resort the slot.
 *
 * Head and tail run freely and are reduced by the ring's size only to index it; `tail - head` is the length.
 * - The owner writes a place, then stores the tail. A thief that sees the new tail sees the place.
 * - Whoever takes (owner or thief) reads the places first and then moves the head by compare-and-swap. If that succeeds, nobody else took them, and the
 *   owner has not overwritten them: it reuses a place only after it has seen the head move past it. If it fails, what was read is thrown away.
 * - The slot is emptied by exchange or compare-and-swap, so it goes to one taker. Only the owner fills it: an owner that finds it empty need not look twice.
 * - The owner may also take what it pushed last, if that is the goroutine it wants (`takeNewest`). A thief may just be copying that place, and its compare-and-swap would go through, for the head stays where
 *   it is. So the owner moves head and tail by some whole rounds of the ring, which changes no place but fails every thief that has read the old head. The head first: whoever sees the new head with the old tail finds a
 *   negative length and takes nothing; that is not taken for empty (`isEmpty`), so nobody goes to sleep over it. The old head with the new tail makes a length that no ring has, and the thief looks again. (Eight million such
 *   moves bring the head back to an old value. A thief would have to stand still meanwhile, between two neighbouring steps, for most of a second, and wake up at just that value.) An owner whose thread dies between the two steps leaves
 *   that negative length behind; `restore` takes the first one back.
 *
 * Why the owner may keep a stale head: the head only grows, so a ring that looked to have room still has it. It looks again when the ring seems full.
 *
 * A thief takes half because whoever is out of work now is so again soon, and should not have to come back for each goroutine. Where goroutines are long that is a mistake: the thief gets several long ones, which stand behind each
 * other in its ring, and a list of them ends late on one processor. So it says how many it wants at most, by the time that those it has run took. Any number from one to half is safe: the argument above
 * does not use it.
 *
 * Thieves leave the slot alone except in their last round: the goroutine in it was made by the one that runs now, will be run next on the same core, and would be
 * copied to another cache for nothing.
 */

import { H_PROCS, H_RING_SIZE, P_HEAD, P_RING, P_RUNNEXT, P_TAIL } from "../memory/layout.ts";

const HEAD = P_HEAD;
const TAIL = P_TAIL;
const RUNNEXT = P_RUNNEXT;
const RING = P_RING;

/** Takes what a full ring spills: a chain of `count` goroutines. */
export interface SpillTarget {
  pushChain(goroutines: Int32Array, count: number): void;
}

/** The owner's end. Exists once for each processor that this machine holds. */
export class RunQueueOwner {
  private readonly i32: Int32Array;
  private readonly global: SpillTarget;
  private readonly mask: number;
  private readonly rounds: number;
  private readonly spilled: Int32Array;
  /** Whether there is one processor: then nobody steals, and its queue changes hands only with the processor, under a lock. The words are written plainly. */
  private readonly solo: boolean;
  private base = 0;
  private tail = 0;
  /** A head no newer than the real one. */
  private knownHead = 0;

  constructor(i32: Int32Array, global: SpillTarget) {
    this.i32 = i32;
    this.global = global;
    this.mask = i32[H_RING_SIZE] - 1;
    this.rounds = roundsOf(i32);
    this.solo = i32[H_PROCS] === 1;
    this.spilled = new Int32Array(this.mask / 2 + 2);
  }

  /** Takes up the queue of the processor whose record is at `base`. */
  attach(base: number): void {
    this.base = base;
    this.tail = Atomics.load(this.i32, base + TAIL);
    this.knownHead = Atomics.load(this.i32, base + HEAD);
  }

  /** Puts a goroutine into the slot; what was there goes to the ring. Go's runqput with next = true. */
  pushNext(goroutine: number): void {
    const { i32, base } = this;
    // Plain read: only the owner fills the slot, so what it shows empty is empty. A thief that empties it meanwhile is seen by the exchange.
    let previous = i32[base + RUNNEXT];
    if (this.solo) i32[base + RUNNEXT] = goroutine;
    else if (previous === 0) Atomics.store(i32, base + RUNNEXT, goroutine);
    else previous = Atomics.exchange(i32, base + RUNNEXT, goroutine);
    if (previous !== 0) this.push(previous);
  }

  /** Puts a goroutine at the end of the ring; half of a full ring goes to the global queue. */
  push(goroutine: number): void {
    const { i32, base, mask } = this;
    for (;;) {
      const { tail } = this;
      if (((tail - this.knownHead) | 0) <= mask) {
        i32[base + RING + (tail & mask)] = goroutine;
        this.tail = (tail + 1) | 0;
        if (this.solo) i32[base + TAIL] = this.tail;
        else Atomics.store(i32, base + TAIL, this.tail);
        return;
      }
      this.knownHead = Atomics.load(i32, base + HEAD);
      if (((tail - this.knownHead) | 0) > mask && this.spill(goroutine)) return;
    }
  }

  /** Moves half of a full ring and `goroutine` to the global queue (Go's runqputslow). False if thieves made room. */
  private spill(goroutine: number): boolean {
    const { i32, base, mask, spilled } = this;
    const head = this.knownHead;
    const half = (mask + 1) >> 1;
    for (let i = 0; i < half; i++) spilled[i] = i32[base + RING + ((head + i) & mask)];
    if (Atomics.compareExchange(i32, base + HEAD, head, (head + half) | 0) !== head) return false;
    this.knownHead = (head + half) | 0;
    spilled[half] = goroutine;
    this.global.pushChain(spilled, half + 1);
    return true;
  }

  /** Puts the first `count` of `goroutines`, from number `from` on, at the end of the ring, which must have `room` for them. Seen by thieves all at once. */
  pushAll(goroutines: Int32Array, from: number, count: number): void {
    const { i32, base, mask, tail } = this;
    for (let i = from; i < count; i++) i32[base + RING + ((tail + i - from) & mask)] = goroutines[i];
    this.tail = (tail + count - from) | 0;
    if (this.solo) i32[base + TAIL] = this.tail;
    else Atomics.store(i32, base + TAIL, this.tail);
  }

  /** The slot's goroutine, which shares the running slice; 0 for none. */
  popNext(): number {
    const { i32, base } = this;
    const next = i32[base + RUNNEXT];
    if (next === 0) return 0;
    if (!this.solo) return Atomics.exchange(i32, base + RUNNEXT, 0);
    i32[base + RUNNEXT] = 0;
    return next;
  }

  /** Whether the slot seems to hold this goroutine. */
  isNext(goroutine: number): boolean {
    return this.i32[this.base + RUNNEXT] === goroutine;
  }

  /** Takes the slot's goroutine if it is this one. */
  takeNext(goroutine: number): boolean {
    const { i32, base } = this;
    if (!this.solo) return Atomics.compareExchange(i32, base + RUNNEXT, goroutine, 0) === goroutine;
    i32[base + RUNNEXT] = 0;
    return true;
  }

  /** Whether this goroutine seems to be the ring's newest. */
  isNewest(goroutine: number): boolean {
    return this.i32[this.base + RING + ((this.tail - 1) & this.mask)] === goroutine;
  }

  /** Takes the ring's newest goroutine, which must have been seen to be this one. False if a thief was faster. */
  takeNewest(): boolean {
    return this.solo ? this.takeNewestPlainly() : this.takeNewestShared();
  }

  private takeNewestPlainly(): boolean {
    if (this.tail === this.knownHead) return false;
    this.tail = (this.tail - 1) | 0;
    this.i32[this.base + TAIL] = this.tail;
    return true;
  }

  private takeNewestShared(): boolean {
    const { i32, base, tail, rounds } = this;
    let head = this.knownHead;
    while (head !== tail) {
      const moved = (head + rounds) | 0;
      const seen = Atomics.compareExchange(i32, base + HEAD, head, moved);
      if (seen === head) {
        this.knownHead = moved;
        this.tail = (tail - 1 + rounds) | 0;
        Atomics.store(i32, base + TAIL, this.tail);
        return true;
      }
      head = seen;
    }
    this.knownHead = head;
    return false;
  }

  /** The ring's oldest goroutine; 0 for none. */
  pop(): number {
    const { i32, base, mask, tail } = this;
    // The known head is a guess: whether it is the head, the compare-and-swap tells.
    let head = this.knownHead;
    while (head !== tail) {
      const goroutine = i32[base + RING + (head & mask)];
      if (this.solo || Atomics.compareExchange(i32, base + HEAD, head, (head + 1) | 0) === head) {
        this.knownHead = (head + 1) | 0;
        if (this.solo) i32[base + HEAD] = this.knownHead;
        return goroutine;
      }
      head = Atomics.load(i32, base + HEAD);
    }
    this.knownHead = head;
    return 0;
  }

  /** Room that is certain to be there: thieves can only add to it. */
  room(): number {
    this.knownHead = Atomics.load(this.i32, this.base + HEAD);
    return this.mask + 1 - ((this.tail - this.knownHead) | 0);
  }

  /** Goroutines in the ring, at most. */
  length(): number {
    return (this.tail - this.knownHead) | 0;
  }

  /**
   * Steals half of `victim`'s ring into this one (Go's runqsteal), and at most `limit`. Returns one goroutine to run at once, 0 if there was nothing, and leaves in
   * `stolen` how many came. The ring must be empty, so that a half always fits.
   */
  stealFrom(victim: RunQueueStealer, takeNext: boolean, limit: number): number {
    const { i32, base, mask, tail } = this;
    const count = victim.grabInto(base + RING, mask, tail, takeNext, limit);
    this.stolen = count;
    if (count === 0) return 0;
    const last = (tail + count - 1) | 0;
    if (count > 1) {
      this.tail = last;
      Atomics.store(i32, base + TAIL, last);
    }
    return i32[base + RING + (last & mask)];
  }

  /** How many goroutines the last `stealFrom` moved. */
  stolen = 0;
}

/** Puts the queue of a processor right whose owner's thread has died. Thieves may be at it meanwhile: they find nothing before. */
export function restore(i32: Int32Array, base: number): void {
  const tail = i32[base + TAIL];
  if (((tail - Atomics.load(i32, base + HEAD)) | 0) < 0)
    Atomics.store(i32, base + TAIL, (tail + roundsOf(i32)) | 0);
}

/** What `takeNewest` moves head and tail by: whole rounds, and more than any length. */
function roundsOf(i32: Int32Array): number {
  return 2 * i32[H_RING_SIZE];
}

/** A thief's end of one processor's queue. */
export class RunQueueStealer {
  private readonly i32: Int32Array;
  private readonly base: number;
  private readonly mask: number;

  constructor(i32: Int32Array, base: number) {
    this.i32 = i32;
    this.base = base;
    this.mask = i32[H_RING_SIZE] - 1;
  }

  /** Whether there seems to be nothing: reads head, tail, slot and the tail again, so that a goroutine on its way from slot to ring is not missed. */
  isEmpty(): boolean {
    const { i32, base } = this;
    for (;;) {
      const head = Atomics.load(i32, base + HEAD);
      const tail = Atomics.load(i32, base + TAIL);
      const next = Atomics.load(i32, base + RUNNEXT);
      if (tail === Atomics.load(i32, base + TAIL)) return head === tail && next === 0;
    }
  }

  /** Goroutines in the ring and the slot, about. */
  length(): number {
    const { i32, base } = this;
    const ring = (Atomics.load(i32, base + TAIL) - Atomics.load(i32, base + HEAD)) | 0;
    return Math.max(0, Math.min(ring, this.mask + 1)) + (Atomics.load(i32, base + RUNNEXT) === 0 ? 0 : 1);
  }

  /** Copies half of the ring, rounded up, but no more than `limit` (1 or more), to the thief's places from `tail` on, then commits by moving the head. Returns how many. Go's runqgrab. */
  grabInto(ring: number, ringMask: number, tail: number, takeNext: boolean, limit: number): number {
    const { i32, base, mask } = this;
    for (;;) {
      const head = Atomics.load(i32, base + HEAD);
      const length = (Atomics.load(i32, base + TAIL) - head) | 0;
      const half = length - (length >> 1);
      if (half <= 0) {
        if (!takeNext) return 0;
        const next = Atomics.exchange(i32, base + RUNNEXT, 0);
        if (next === 0) return 0;
        i32[ring + (tail & ringMask)] = next;
        return 1;
      }
      // The head moved between the two loads: the length is nonsense.
      if (half > (mask + 1) >> 1) continue;
      const count = half < limit ? half : limit;
      for (let i = 0; i < count; i++)
        i32[ring + ((tail + i) & ringMask)] = i32[base + RING + ((head + i) & mask)];
      if (Atomics.compareExchange(i32, base + HEAD, head, (head + count) | 0) === head) return count;
    }
  }
}
