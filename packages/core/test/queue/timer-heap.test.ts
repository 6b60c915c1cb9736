import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  P_TIMER_NEXT,
  P_WORDS,
  T_LEFT,
  T_PARENT,
  T_RANK,
  T_RIGHT,
  T_WHEN,
  T_WORDS,
} from "../../src/memory/layout.ts";
import { TimerHeap } from "../../src/queue/timer-heap.ts";

/** A heap at word 0 with room for `count` timers behind it, and a model: the timers in it, in order. */
class CheckedHeap {
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly heap: TimerHeap;
  readonly timers = Math.ceil(P_WORDS / 16) * 16;
  readonly expected: { timer: number; when: number }[] = [];

  constructor(count: number) {
    const buffer = new SharedArrayBuffer((this.timers + (count + 1) * T_WORDS) * 4);
    this.i32 = new Int32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.f64[P_TIMER_NEXT >> 1] = Number.POSITIVE_INFINITY;
    this.heap = new TimerHeap(this.i32, this.f64, this.timers);
  }

  insert(timer: number, when: number): void {
    const behind = this.expected.findIndex((other) => other.when > when);
    this.expected.splice(behind < 0 ? this.expected.length : behind, 0, { timer, when });
    expect(this.heap.insert(0, timer, when)).toBe(this.expected[0]?.timer === timer);
  }

  remove(timer: number): void {
    this.expected.splice(
      this.expected.findIndex((other) => other.timer === timer),
      1,
    );
    this.heap.remove(0, timer);
  }

  has(timer: number): boolean {
    return this.expected.some((other) => other.timer === timer);
  }

  /** First, times and shape. */
  check(): void {
    const first = this.expected[0];
    expect(this.heap.first(0)).toBe(first?.timer ?? 0);
    expect(this.f64[P_TIMER_NEXT >> 1]).toBe(first?.when ?? Number.POSITIVE_INFINITY);
    expect(this.countBelow(this.heap.first(0), 0)).toBe(this.expected.length);
    expect(this.i32.subarray(this.timers, this.timers + T_WORDS).every((word) => word === 0)).toBe(true);
  }

  private countBelow(timer: number, parent: number): number {
    if (timer === 0) return 0;
    const base = this.timers + timer * T_WORDS;
    const left = this.i32[base + T_LEFT];
    const right = this.i32[base + T_RIGHT];
    const rank = (child: number): number => this.i32[this.timers + child * T_WORDS + T_RANK];
    expect(this.i32[base + T_PARENT]).toBe(parent);
    expect(rank(left)).toBeGreaterThanOrEqual(rank(right));
    expect(rank(timer)).toBe(rank(right) + 1);
    if (parent !== 0) {
      const whenOf = (at: number): number => this.f64[(this.timers + at * T_WORDS + T_WHEN) >> 1];
      expect(whenOf(parent)).toBeLessThanOrEqual(whenOf(timer));
    }
    return 1 + this.countBelow(left, timer) + this.countBelow(right, timer);
  }

  /** Takes all out in the order of the heap. */
  drain(): number[] {
    const order: number[] = [];
    for (let timer = this.heap.first(0); timer !== 0; timer = this.heap.first(0)) {
      this.remove(timer);
      order.push(timer);
    }
    return order;
  }
}

describe("a heap of timers", () => {
  test("is what a sorted list is, whatever is put in and taken out", () => {
    const timers = 40;
    // A timer that is in is taken out, one that is not is put in; few times, so that many are equal.
    const step = fc.record({
      timer: fc.integer({ min: 1, max: timers }),
      when: fc.integer({ min: 0, max: 12 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new CheckedHeap(timers);
        for (const { timer, when } of steps) {
          if (heap.has(timer)) heap.remove(timer);
          else heap.insert(timer, when);
          heap.check();
        }
        const expected = heap.expected.map(({ timer }) => timer);
        expect(heap.drain()).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test("timers of one time come out in the order they were put in", () => {
    const heap = new CheckedHeap(1000);
    const timers = Array.from({ length: 1000 }, (_, i) => i + 1);
    for (const timer of timers) heap.insert(timer, 7.25);
    expect(heap.drain()).toEqual(timers);
    heap.check();
  });

  test("fractions of a millisecond and the far end of time are told apart", () => {
    const heap = new CheckedHeap(4);
    heap.insert(1, Number.MAX_VALUE);
    heap.insert(2, 1_000_000_000.0002);
    heap.insert(3, 1_000_000_000.0001);
    heap.insert(4, -5);
    heap.check();
    expect(heap.drain()).toEqual([4, 3, 2, 1]);
  });

  test("rising, falling and mixed times keep the right side short", () => {
    const count = 4096;
    const orders: ((i: number) => number)[] = [(i) => i, (i) => -i, (i) => (i * 7919) % count];
    for (const when of orders) {
      const heap = new CheckedHeap(count);
      for (let timer = 1; timer <= count; timer++) heap.heap.insert(0, timer, when(timer));
      const root = heap.timers + heap.heap.first(0) * T_WORDS;
      expect(heap.i32[root + T_RANK]).toBeLessThanOrEqual(Math.log2(count + 1));
    }
  });
});
