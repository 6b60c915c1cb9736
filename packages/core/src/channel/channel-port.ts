/**
 * One thread's hands on channel records. Go's chan.go.
 *
 * A channel is a sync object: a line of words, its buffer in the slab, two queues of waiters. What is done to it is done under its lock, in these steps:
 *
 * 1. enter: take the lock (see ChannelRecord for when that is not needed);
 * 2. `take`, `put` or `close`: nothing here parks, calls the program or copies more than the eight bytes of a slot;
 * 3. leave;
 * 4. make those ready who were served. Not before: readying queues, posts and wakes.
 *
 * A value on its way is a slot, a payload of two words and a tag. The value in the hands of this thread is in `slot`, those of waiters in their own W_VALUE with the tag in W_RESULT,
 * those of the buffer in the buffer. A waiter that was taken off its queue belongs to who took it until that one makes it ready, so hand-offs may be finished after step 3.
 *
 * Invariants, while nobody has entered:
 * - in the buffer are C_COUNT values, from C_TAKE_AT on, wrapping at C_CAPACITY; C_PUT_AT is where they end; the tags of all other places say NO_VALUE;
 * - a value in the buffer means that no receiver waits; room in the buffer means that no sender waits; once closed, nobody waits. A waiter of a select that another case
 *   has won counts as gone: it stays in the queue until its select removes it or somebody skips it;
 * - receivers and senders both wait only where selects do both on one channel without a buffer.
 */

import { CorruptValueError } from "../base/errors.ts";
import { claimWaiter, dequeueWaiter, goroutineOf, removeWaiter } from "../goroutine/wait-queue.ts";
import {
  C_BUFFER,
  C_CAPACITY,
  C_CLOSED,
  C_COUNT,
  C_HIDDEN,
  C_PUT_AT,
  C_RECEIVERS,
  C_SENDERS,
  C_TAKE_AT,
  CACHE_VALUE,
  W_NEXT,
  W_RESULT,
  W_VALUE,
} from "../memory/layout.ts";
import type { Slab } from "../memory/slab.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { threadCache } from "../scheduler/thread/thread-pools.ts";
import type { ValueCodec } from "../values/codec.ts";
import { TAG_NUMBER } from "../values/tags.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const CLOSED_WORD = C_CLOSED;
const COUNT = C_COUNT;
const CAPACITY = C_CAPACITY;
const PUT_AT = C_PUT_AT;
const TAKE_AT = C_TAKE_AT;
const BUFFER = C_BUFFER;
const RECEIVERS = C_RECEIVERS;
const SENDERS = C_SENDERS;
const RESULT = W_RESULT;
const VALUE = W_VALUE;
const NEXT = W_NEXT;
const NUMBER = TAG_NUMBER;

/** Nothing to take. */
export const EMPTY = -1;
/** Closed, and for `take` drained as well. */
export const CLOSED = -2;
/** No room, and nobody who takes it. */
export const FULL = -1;
/** The value was taken. */
export const SENT = 0;

/** In a receiver's W_RESULT, beside the tag: it was given a value. Without it the channel was closed. */
export const RECEIVED = 256;
/** In a place of the buffer, instead of a tag: no value stands there. So the places themselves tell how many values there are, should a thread die between its writes: see repair/channels. */
export const NO_VALUE = 255;

/** In a sender's W_RESULT, instead of the tag or beside it: its value was taken. Otherwise the channel was closed, and tag and payload are still there. */
export const DELIVERED = 512;
/** The tag in a W_RESULT. */
export const RESULT_TAG = 63;

/** What a port needs of its thread. */
export type ChannelThread = Pick<Thread, "i32" | "f64" | "number" | "descriptors" | "ready"> & {
  readonly memory: Pick<Thread["memory"], "u8" | "layout" | "shape">;
  readonly codec: Pick<ValueCodec, "put" | "take" | "drop">;
  readonly slab: Pick<Slab, "take" | "give">;
};

export class ChannelPort {
  readonly thread: ChannelThread;
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  /** The thread's number, for locks. */
  readonly number: number;
  readonly descriptors: number;
  readonly codec: ChannelThread["codec"];
  /** Payload of the value in this thread's hands. */
  readonly slot: number;
  /** Goroutine that the last `take` or `put` served, 0 for none. Whoever leaves the channel makes it ready and clears this. */
  served = 0;

  constructor(thread: ChannelThread) {
    this.thread = thread;
    this.i32 = thread.i32;
    this.f64 = thread.f64;
    this.u8 = thread.memory.u8;
    this.number = thread.number;
    this.descriptors = thread.descriptors;
    this.codec = thread.codec;
    this.slot = threadCache(thread.memory as Thread["memory"], thread.number) + CACHE_VALUE;
  }

  // ── the life of a record ──

  /** Makes a new record an open channel. `buffer` is the first word of a block, 0 for none. */
  initialise(base: number, capacity: number, buffer: number): void {
    const { i32 } = this;
    i32[base + CLOSED_WORD] = 0;
    i32[base + COUNT] = 0;
    i32[base + CAPACITY] = capacity;
    i32[base + PUT_AT] = 0;
    i32[base + TAKE_AT] = 0;
    i32[base + BUFFER] = buffer;
    i32[base + RECEIVERS] = 0;
    i32[base + RECEIVERS + 1] = 0;
    i32[base + SENDERS] = 0;
    i32[base + SENDERS + 1] = 0;
    i32[base + C_HIDDEN] = 0;
    if (capacity > 0)
      this.u8.fill(NO_VALUE, this.tagByte(base, capacity, 0), this.tagByte(base, capacity, capacity));
  }

  /** Gives back what a channel without references holds. Those who wait hold references, so nobody waits. */
  dispose(base: number): void {
    const { i32 } = this;
    const buffer = i32[base + BUFFER];
    if (buffer === 0) return;
    const capacity = i32[base + CAPACITY];
    for (let i = 0; i < i32[base + COUNT]; i++) {
      const at = (i32[base + TAKE_AT] + i) % capacity;
      const tag = this.u8[this.tagByte(base, capacity, at)];
      if (tag !== NUMBER) this.codec.drop(buffer + 2 * at, tag);
    }
    this.thread.slab.give(buffer * 4);
  }

  // ── within the lock ──

  /** Takes the next value into `slot`: its tag, or EMPTY or CLOSED. */
  take(base: number): number {
    const { i32 } = this;
    const count = i32[base + COUNT];
    if (count !== 0) return this.takeBuffered(base, count);
    if (i32[base + SENDERS] !== 0) {
      const sender = claimWaiter(i32, base + SENDERS, this.descriptors);
      if (sender !== 0) {
        const tag = i32[sender + RESULT];
        this.move(sender + VALUE, this.slot, tag);
        i32[sender + RESULT] = DELIVERED;
        removeWaiter(i32, base + SENDERS, sender);
        this.served = goroutineOf(i32, sender);
        return tag;
      }
    }
    return i32[base + CLOSED_WORD] === 0 ? EMPTY : CLOSED;
  }

  private takeBuffered(base: number, count: number): number {
    const { i32, u8 } = this;
    const at = i32[base + TAKE_AT];
    const capacity = i32[base + CAPACITY];
    const payload = i32[base + BUFFER] + 2 * at;
    const tagAt = this.tagByte(base, capacity, at);
    const tag = u8[tagAt];
    this.move(payload, this.slot, tag);
    u8[tagAt] = NO_VALUE;
    const next = at + 1 === capacity ? 0 : at + 1;
    i32[base + TAKE_AT] = next;
    const sender = i32[base + SENDERS] === 0 ? 0 : claimWaiter(i32, base + SENDERS, this.descriptors);
    if (sender === 0) {
      i32[base + COUNT] = count - 1;
      return tag;
    }
    // Somebody waits to send, so the buffer was full: the place that became free is its end.
    const following = i32[sender + RESULT];
    this.move(sender + VALUE, payload, following);
    i32[sender + RESULT] = DELIVERED | following;
    u8[tagAt] = following;
    i32[base + PUT_AT] = next;
    removeWaiter(i32, base + SENDERS, sender);
    this.served = goroutineOf(i32, sender);
    return tag;
  }

  /** Sends the value whose payload is at word `from`: SENT, FULL or CLOSED. */
  put(base: number, from: number, tag: number): number {
    const { i32 } = this;
    if (i32[base + CLOSED_WORD] !== 0) return CLOSED;
    if (i32[base + RECEIVERS] !== 0) {
      const receiver = claimWaiter(i32, base + RECEIVERS, this.descriptors);
      if (receiver !== 0) {
        this.move(from, receiver + VALUE, tag);
        i32[receiver + RESULT] = tag | RECEIVED;
        removeWaiter(i32, base + RECEIVERS, receiver);
        this.served = goroutineOf(i32, receiver);
        return SENT;
      }
    }
    const count = i32[base + COUNT];
    const capacity = i32[base + CAPACITY];
    if (count >= capacity) return FULL;
    const at = i32[base + PUT_AT];
    this.move(from, i32[base + BUFFER] + 2 * at, tag);
    this.u8[this.tagByte(base, capacity, at)] = tag;
    i32[base + PUT_AT] = at + 1 === capacity ? 0 : at + 1;
    i32[base + COUNT] = count + 1;
    return SENT;
  }

  /**
   * Closes the channel: CLOSED if it was already, else the first of a chain of waiters to be made ready, 0 for none. They are linked through W_NEXT, receivers first, the longest waiting first.
   * Their results say that nothing was received or sent: receivers' have had no RECEIVED from the start, senders' no DELIVERED.
   */
  close(base: number): number {
    const { i32 } = this;
    if (i32[base + CLOSED_WORD] !== 0) return CLOSED;
    i32[base + CLOSED_WORD] = 1;
    let first = 0;
    let last = 0;
    for (let queue = base + RECEIVERS; queue !== 0; queue = queue === base + RECEIVERS ? base + SENDERS : 0) {
      for (;;) {
        const waiter = dequeueWaiter(i32, queue, this.descriptors);
        if (waiter === 0) break;
        if (first === 0) first = waiter;
        else i32[last + NEXT] = waiter;
        i32[waiter + NEXT] = 0;
        last = waiter;
      }
    }
    return first;
  }

  /** Byte of the tag that belongs to a place of the buffer. */
  private tagByte(base: number, capacity: number, at: number): number {
    return (this.i32[base + BUFFER] + 2 * capacity) * 4 + at;
  }

  private move(from: number, to: number, tag: number): void {
    if (tag === NUMBER) {
      this.f64[to >> 1] = this.f64[from >> 1];
      return;
    }
    // As words: a payload that is no number may look like a NaN, and engines may change NaNs.
    const { i32 } = this;
    i32[to] = i32[from];
    i32[to + 1] = i32[from + 1];
  }

  // ── outside ──

  /** Makes the goroutine ready that the last `take` or `put` served. */
  wakeServed(): void {
    const { served } = this;
    if (served === 0) return;
    this.served = 0;
    this.thread.ready(served);
  }

  /** Makes a chain of waiters ready that `close` returned. */
  wakeChain(first: number): void {
    const { i32 } = this;
    for (let waiter = first; waiter !== 0; ) {
      const following = i32[waiter + NEXT];
      this.thread.ready(goroutineOf(i32, waiter));
      waiter = following;
    }
  }

  /** The value in `slot`, and wakes who was served. */
  takeSlot(tag: number): unknown {
    if (tag === NUMBER) {
      const value = this.f64[this.slot >> 1];
      if (this.served !== 0) this.wakeServed();
      return value;
    }
    // A value that cannot be decoded is the receiver's misfortune, not the sender's.
    try {
      return this.codec.take(this.slot, tag);
    } finally {
      this.wakeServed();
    }
  }

  /** Copies a value into the slot at `payload`; its tag. Throws `CloneError`, `MemoryLimitError`. */
  encode(payload: number, value: unknown): number {
    if (typeof value === "number") {
      this.f64[payload >> 1] = value;
      return NUMBER;
    }
    return this.codec.put(payload, value, "value");
  }

  /** The value that a receiver's waiter was given. */
  takeFrom(waiter: number): unknown {
    const tag = this.i32[waiter + RESULT] & RESULT_TAG;
    // First: should the thread die afterwards, the value is not to be dropped once more (see repair/untaken.ts).
    this.i32[waiter + RESULT] = 0;
    return tag === NUMBER ? this.f64[(waiter + VALUE) >> 1] : this.codec.take(waiter + VALUE, tag);
  }

  /** Frees the value that a sender's waiter still has. */
  dropFrom(waiter: number): void {
    const tag = this.i32[waiter + RESULT];
    if ((tag & DELIVERED) !== 0)
      throw new CorruptValueError(`the waiter at word ${waiter} has delivered its value`);
    // First, as above.
    this.i32[waiter + RESULT] = 0;
    this.codec.drop(waiter + VALUE, tag);
  }
}
