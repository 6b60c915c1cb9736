/**
 * An error, or a cause, on its way into a record. It is copied before the record's lock is taken, since copying runs code of the program (getters, traps of Proxies), which may wait, or want the same lock; under the lock only the two
 * words of its slot move.
 */

import { strippedError } from "../scheduler/frames/stripped-error.ts";
import type { Thread } from "../scheduler/thread/thread.ts";

/** The smallest block: a slot is 8 bytes. */
const BYTES = 8;
/** The failure itself, what is known of it, and at last the error that says why that could not be copied either: Heddle's own, if there is room. */
const ATTEMPTS = 3;
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
    let candidate = failure;
    for (let attempt = 0; attempt < ATTEMPTS && this.tag === NONE; attempt++) {
      try {
        this.tag = thread.codec.put(this.slot, candidate, where);
      } catch (reason) {
        candidate = attempt === 0 ? knownOf(failure, reason) : reason;
      }
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

/** What can be kept of a failure that cannot be copied, for `reason`. */
function knownOf(failure: unknown, reason: unknown): unknown {
  try {
    return failure instanceof Error ? strippedError(failure) : reason;
  } catch {
    // A Proxy that does not even say what it is.
    return reason;
  }
}
