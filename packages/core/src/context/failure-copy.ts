/**
 * An error, or a cause, on its way into a record. It is copied before the record's lock is taken, since copying runs code of the program (getters, traps of Proxies), which may wait, or want the same lock; under the lock only the two
 * words of its slot move.
 */

import { messageOf } from "../base/show.ts";
import type { Thread } from "../scheduler/thread/thread.ts";

/** The smallest block: a slot is 8 bytes. */
const BYTES = 8;
/** Tag of a copy that found no room. */
const NONE = -1;

export class FailureCopy {
  private readonly thread: Thread;
  /** First word of the slot, 0 for none. */
  private readonly slot: number;
  private tag = NONE;

  /** Copies `failure`, or, if it cannot be copied, what is known of it. Never throws. */
  constructor(thread: Thread, failure: unknown, where: string) {
    this.thread = thread;
    this.slot = thread.slab.take(BYTES) / 4;
    if (this.slot === 0) return;
    try {
      this.tag = thread.codec.put(this.slot, failure, where);
    } catch (reason) {
      this.putKnown(failure instanceof Error ? new Error(messageOf(failure)) : reason, where);
    }
  }

  private putKnown(known: unknown, where: string): void {
    try {
      this.tag = this.thread.codec.put(this.slot, known, where);
    } catch {
      this.tag = NONE;
    }
  }

  /** Whether there is something to be moved: false when memory had no room for it. */
  get isThere(): boolean {
    return this.tag !== NONE;
  }

  /** Moves the copy into the slot whose payload is at word `payload`; its tag. */
  moveTo(payload: number): number {
    const { slot, tag } = this;
    const { i32 } = this.thread;
    i32[payload] = i32[slot];
    i32[payload + 1] = i32[slot + 1];
    this.tag = NONE;
    return tag;
  }

  /** Gives back what was not moved. */
  end(): void {
    const { slot, tag } = this;
    const { codec, slab } = this.thread;
    if (tag !== NONE) codec.drop(slot, tag);
    this.tag = NONE;
    if (slot !== 0) slab.give(slot * 4);
  }
}
