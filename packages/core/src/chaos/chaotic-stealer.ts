/** A thief that takes any number instead of half, and sometimes the slot first. */

import { H_RING_SIZE, P_HEAD, P_RING, P_TAIL } from "../memory/layout.ts";
import { RunQueueStealer } from "../queue/run-queue.ts";
import type { Decisions } from "./decisions.ts";

export class ChaoticStealer extends RunQueueStealer {
  private readonly words: Int32Array;
  private readonly record: number;
  private readonly places: number;
  private readonly decisions: Decisions;

  constructor(i32: Int32Array, base: number, decisions: Decisions) {
    super(i32, base);
    this.words = i32;
    this.record = base;
    this.places = i32[H_RING_SIZE];
    this.decisions = decisions;
  }

  /** See `RunQueueStealer`: from one to half of the ring, with a pause between the copy and the commit, where the owner may be faster. */
  override grabInto(ring: number, ringMask: number, tail: number, takeNext: boolean, limit: number): number {
    const { words: i32, record, places, decisions } = this;
    if (decisions.oneIn(4))
      return super.grabInto(ring, ringMask, tail, takeNext || decisions.oneIn(2), limit);
    const head = Atomics.load(i32, record + P_HEAD);
    const length = (Atomics.load(i32, record + P_TAIL) - head) | 0;
    const half = length - (length >> 1);
    if (half <= 0 || half > places >> 1) return super.grabInto(ring, ringMask, tail, takeNext, limit);
    const count = 1 + decisions.below(half);
    for (let i = 0; i < count; i++)
      i32[ring + ((tail + i) & ringMask)] = i32[record + P_RING + ((head + i) & (places - 1))];
    decisions.pause(8);
    if (Atomics.compareExchange(i32, record + P_HEAD, head, (head + count) | 0) === head) return count;
    return super.grabInto(ring, ringMask, tail, takeNext, limit);
  }
}
