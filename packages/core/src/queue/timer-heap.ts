/**
 * The timers of a processor, earliest first; those of equal times in the order in which they were put in.
 *
 * A leftist heap: a binary tree, linked through the timer records themselves, in which no timer is earlier than
 * the one above it, and the right side is never the higher one. T_RANK is the number of steps down the right side
 * to the end, so the rank of the left subheap is at least that of the right one, and a heap of n timers has a right
 * side of at most log2(n + 1) steps. Everything is done by merging two heaps along their right sides.
 *
 * Why not an array of indices, as Go has it: arrays for all processors would have to be large enough for all timers
 * each. Why not a pairing heap, which puts a timer in faster: its bounds hold on average only, and one removal after
 * many insertions takes time in proportion to their number, under a lock that others wait for. Here insertion and
 * removal, of any timer, take logarithmic time always.
 *
 * Everything here happens under the processor's P_TIMER_LOCK, which the caller holds. Only P_TIMER_NEXT is read
 * without it, by those who want to know whether it is worth taking.
 */

import {
  P_TIMER_NEXT,
  P_TIMER_ORDER,
  P_TIMER_ROOT,
  T_LEFT,
  T_ORDER,
  T_PARENT,
  T_RANK,
  T_RIGHT,
  T_WHEN,
  T_WORDS,
} from "../memory/layout.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const ROOT = P_TIMER_ROOT;
const NEXT = P_TIMER_NEXT;
const ORDER = P_TIMER_ORDER;
const WORDS = T_WORDS;
const LEFT = T_LEFT;
const RIGHT = T_RIGHT;
const PARENT = T_PARENT;
const RANK = T_RANK;
const WHEN = T_WHEN / 2;
const PLACE = T_ORDER / 2;

/** One thread's access to the heaps. A heap is named by the first word of its processor's record. */
export class TimerHeap {
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;
  private readonly timers: number;

  /** `timers` is the first word of timer 0, which stands for "none" and is never written. */
  constructor(i32: Int32Array, f64: Float64Array, timers: number) {
    this.i32 = i32;
    this.f64 = f64;
    this.timers = timers;
  }

  /** The earliest timer, 0 for none. */
  first(heap: number): number {
    return this.i32[heap + ROOT];
  }

  /** Puts a timer in, due at `when`. True if it is the earliest now. */
  insert(heap: number, timer: number, when: number): boolean {
    const { i32, f64 } = this;
    const base = this.timers + timer * WORDS;
    i32[base + LEFT] = 0;
    i32[base + RIGHT] = 0;
    i32[base + RANK] = 1;
    f64[(base >> 1) + WHEN] = when;
    f64[(base >> 1) + PLACE] = f64[(heap + ORDER) >> 1]++;
    this.setRoot(heap, this.merge(i32[heap + ROOT], timer));
    return i32[heap + ROOT] === timer;
  }

  /** Forgets all timers. */
  clear(heap: number): void {
    this.setRoot(heap, 0);
  }

  /** Takes a timer out that is in this heap. */
  remove(heap: number, timer: number): void {
    const { i32 } = this;
    const base = this.timers + timer * WORDS;
    const rest = this.merge(i32[base + LEFT], i32[base + RIGHT]);
    const parent = i32[base + PARENT];
    if (parent === 0) {
      this.setRoot(heap, rest);
      return;
    }
    const above = this.timers + parent * WORDS;
    if (i32[above + LEFT] === timer) i32[above + LEFT] = rest;
    else i32[above + RIGHT] = rest;
    if (rest !== 0) i32[this.timers + rest * WORDS + PARENT] = parent;
    this.repairUpFrom(parent);
  }

  private setRoot(heap: number, root: number): void {
    const { i32, f64 } = this;
    i32[heap + ROOT] = root;
    if (root === 0) {
      f64[(heap + NEXT) >> 1] = Number.POSITIVE_INFINITY;
      return;
    }
    const base = this.timers + root * WORDS;
    i32[base + PARENT] = 0;
    f64[(heap + NEXT) >> 1] = f64[(base >> 1) + WHEN];
  }

  private isBefore(a: number, b: number): boolean {
    const { f64, timers } = this;
    const x = (timers + a * WORDS) >> 1;
    const y = (timers + b * WORDS) >> 1;
    return f64[x + WHEN] === f64[y + WHEN] ? f64[x + PLACE] < f64[y + PLACE] : f64[x + WHEN] < f64[y + WHEN];
  }

  /** One heap of two; the first timer of each, 0 for an empty one. Returns the first of the merged one, whose T_PARENT is the caller's. */
  private merge(one: number, other: number): number {
    if (one === 0) return other;
    if (other === 0) return one;
    const root = this.isBefore(other, one) ? other : one;
    this.repairFrom(this.zip(root, root === one ? other : one), root);
    return root;
  }

  /** Goes down the right side of `at`, which comes first, and puts the timers of `other`'s right side in between. Returns the last timer that got another right side. */
  private zip(at: number, other: number): number {
    const { i32, timers } = this;
    for (;;) {
      const base = timers + at * WORDS;
      const right = i32[base + RIGHT];
      if (right === 0 || this.isBefore(other, right)) {
        i32[base + RIGHT] = other;
        i32[timers + other * WORDS + PARENT] = at;
        if (right === 0) return at;
        at = other;
        other = right;
      } else {
        at = right;
      }
    }
  }

  /** Puts the higher side to the left, and the ranks right, from `at` up to `root`. */
  private repairFrom(at: number, root: number): void {
    const { i32, timers } = this;
    while (at !== root) {
      this.repair(at);
      at = i32[timers + at * WORDS + PARENT];
    }
    this.repair(root);
  }

  /** The same after a subheap of `at` became lower: up to the first timer whose rank stays, above which nothing has changed. */
  private repairUpFrom(at: number): void {
    const { i32, timers } = this;
    while (at !== 0 && this.repair(at)) at = i32[timers + at * WORDS + PARENT];
  }

  /** True if the timer's rank has changed. */
  private repair(timer: number): boolean {
    const { i32, timers } = this;
    const base = timers + timer * WORDS;
    const left = i32[base + LEFT];
    const right = i32[base + RIGHT];
    const leftRank = i32[timers + left * WORDS + RANK];
    const rightRank = i32[timers + right * WORDS + RANK];
    if (leftRank < rightRank) {
      i32[base + LEFT] = right;
      i32[base + RIGHT] = left;
    }
    const rank = Math.min(leftRank, rightRank) + 1;
    if (i32[base + RANK] === rank) return false;
    i32[base + RANK] = rank;
    return true;
  }
}
