/**
 * A channel as one thread has it: `send`, `receive` and `close` in one step each, for operations and selects to build on.
 *
 * Two ways around the lock, which costs more than the work under it:
 *
 * - The look. Whether a receive or send can go on now is seen from a word or two without the lock; if it cannot, nobody needs to lock. Whoever then parks looks again under the
 *   lock, so an outdated look costs time, not correctness. For `tryRecv` and `trySend` the look is the outcome, so it must be true of one moment: a channel is not closed when it was
 *   seen open later than the word that says "empty" or "full", and being open it was so at that moment, too. So that word is read first, by an atomic load.
 * - The only reference. While this object is the only reference to its record (see scheduler/thread/shared-object), nobody else can touch it, and the lock is left alone. O_REFS is 1 then. It can become more only
 *   by this thread's own doing, so a plain read of 1 is right as long as `alone` is set; setting it takes an atomic load, which sees all that the last other holder did to the record before it let go.
 */

import { ClosedChannelError } from "../base/errors.ts";
import { enqueueWaiter, removeWaiter } from "../goroutine/wait-queue.ts";
import {
  C_CAPACITY,
  C_CLOSED,
  C_COUNT,
  C_RECEIVERS,
  C_SENDERS,
  O_LOCK,
  O_REFS,
  W_RESULT,
  W_VALUE,
} from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import { TAG_NUMBER } from "../values/tags.ts";
import { type ChannelPort, CLOSED, DELIVERED, EMPTY, FULL, RECEIVED, SENT } from "./channel-port.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const LOCK = O_LOCK;
const REFS = O_REFS;
const CLOSED_WORD = C_CLOSED;
const COUNT = C_COUNT;
const CAPACITY = C_CAPACITY;
const RECEIVERS = C_RECEIVERS;
const SENDERS = C_SENDERS;
const RESULT = W_RESULT;
const VALUE = W_VALUE;
const NUMBER = TAG_NUMBER;
const WAS_EMPTY = EMPTY;
const WAS_FULL = FULL;
const WAS_CLOSED = CLOSED;
const WAS_SENT = SENT;
const HAS_VALUE = RECEIVED;
const WAS_TAKEN = DELIVERED;

/** "Nothing to receive": stands where a value would. */
export const NOTHING: unique symbol = Symbol("nothing to receive");
/** "Closed and drained": stands where a value would. */
export const END: unique symbol = Symbol("closed and drained");

export class ChannelRecord {
  declare readonly port: ChannelPort;
  declare readonly index: number;
  declare readonly base: number;
  /** Whether this object is known to be the only reference. */
  declare private alone: boolean;

  constructor(port: ChannelPort, index: number, base: number) {
    this.port = port;
    this.index = index;
    this.base = base;
    this.alone = false;
  }

  // ── the lock ──

  /** Whether nobody else can get at the record. */
  private isAlone(): boolean {
    const { i32 } = this.port;
    if (i32[this.base + REFS] !== 1) return (this.alone = false);
    if (!this.alone) this.alone = Atomics.load(i32, this.base + REFS) === 1;
    return this.alone;
  }

  /** Enters the channel. Says whether the lock was taken, for `leave`. */
  enter(): boolean {
    if (this.isAlone()) return false;
    acquire(this.port.i32, this.base + LOCK, this.port.number);
    return true;
  }

  leave(locked: boolean): void {
    if (locked) release(this.port.i32, this.base + LOCK);
  }

  // ── looking ──

  /** Whether a receive looks as if it could go on. A plain read: for those who look again under the lock. */
  seemsReceivable(): boolean {
    const { base } = this;
    const { i32 } = this.port;
    return i32[base + COUNT] !== 0 || i32[base + SENDERS] !== 0 || i32[base + CLOSED_WORD] !== 0;
  }

  /** Whether a send looks as if it could go on, or fail. A plain read: for those who look again under the lock. */
  seemsSendable(): boolean {
    const { base } = this;
    const { i32 } = this.port;
    return (
      i32[base + RECEIVERS] !== 0 || i32[base + COUNT] < i32[base + CAPACITY] || i32[base + CLOSED_WORD] !== 0
    );
  }

  /** Whether there was a moment, since the call, when a receive would have had to wait. */
  private wasEmpty(): boolean {
    const { base } = this;
    const { i32 } = this.port;
    // One word tells: with a buffer senders wait only while it is full.
    const telling = i32[base + CAPACITY] === 0 ? SENDERS : COUNT;
    return Atomics.load(i32, base + telling) === 0 && Atomics.load(i32, base + CLOSED_WORD) === 0;
  }

  /** Whether there was a moment, since the call, when a send would have had to wait. */
  private wasFull(): boolean {
    const { base } = this;
    const { i32 } = this.port;
    const capacity = i32[base + CAPACITY];
    const full =
      capacity === 0
        ? Atomics.load(i32, base + RECEIVERS) === 0
        : Atomics.load(i32, base + COUNT) === capacity;
    return full && Atomics.load(i32, base + CLOSED_WORD) === 0;
  }

  // ── at once ──

  /** Receives if that is possible now: the value, END, or NOTHING. */
  receiveNow(): unknown {
    return this.seemsReceivable() ? this.receiveLocked() : NOTHING;
  }

  /** Like `receiveNow`; NOTHING is true of one moment. */
  receiveOrNothing(): unknown {
    return this.wasEmpty() ? NOTHING : this.receiveLocked();
  }

  private receiveLocked(): unknown {
    const { port, base } = this;
    const locked = this.enter();
    const tag = port.take(base);
    this.leave(locked);
    if (tag >= 0) return port.takeSlot(tag);
    return tag === WAS_EMPTY ? NOTHING : END;
  }

  /** Sends if that is possible now. Throws `ClosedChannelError`, `CloneError`, `MemoryLimitError`. */
  sendNow(value: unknown): boolean {
    return this.seemsSendable() && this.sendLocked(value);
  }

  /** Like `sendNow`; false is true of one moment. */
  sendOrNot(value: unknown): boolean {
    return !this.wasFull() && this.sendLocked(value);
  }

  private sendLocked(value: unknown): boolean {
    const { port } = this;
    const { slot } = port;
    const tag = port.encode(slot, value);
    const outcome = this.putNow(slot, tag);
    if (outcome === WAS_SENT) return true;
    if (tag !== NUMBER) port.codec.drop(slot, tag);
    if (outcome === WAS_CLOSED) throw sendOnClosed();
    return false;
  }

  /** Sends an encoded value if that is possible now: SENT, FULL or CLOSED. */
  putNow(from: number, tag: number): number {
    const { port } = this;
    const locked = this.enter();
    const outcome = port.put(this.base, from, tag);
    this.leave(locked);
    if (port.served !== 0) port.wakeServed();
    return outcome;
  }

  /** Closes the channel and wakes everybody. Throws `ClosedChannelError`. */
  closeNow(): void {
    const { port } = this;
    const locked = this.enter();
    const woken = port.close(this.base);
    this.leave(locked);
    if (woken === WAS_CLOSED) throw new ClosedChannelError("close of closed channel");
    port.wakeChain(woken);
  }

  // ── waiting ──

  /** Queues a receiver, or receives: NOTHING if it waits now, else what `receiveNow` gives. */
  receiveOrWait(waiter: number): unknown {
    const { port, base } = this;
    const locked = this.enter();
    const tag = port.take(base);
    if (tag === WAS_EMPTY) {
      port.i32[waiter + RESULT] = 0;
      enqueueWaiter(port.i32, base + RECEIVERS, waiter);
    }
    this.leave(locked);
    if (tag >= 0) return port.takeSlot(tag);
    return tag === WAS_EMPTY ? NOTHING : END;
  }

  /** Queues a sender with its value, or sends: FULL if it waits now, SENT, or CLOSED. Throws `CloneError`, `MemoryLimitError`; then nothing is queued. */
  sendOrWait(waiter: number, value: unknown): number {
    const { port, base } = this;
    const { i32 } = port;
    // The waiter's own slot: user code may run here, and send on other channels.
    const tag = port.encode(waiter + VALUE, value);
    const locked = this.enter();
    const outcome = port.put(base, waiter + VALUE, tag);
    if (outcome === WAS_FULL) {
      i32[waiter + RESULT] = tag;
      enqueueWaiter(i32, base + SENDERS, waiter);
    }
    this.leave(locked);
    if (port.served !== 0) port.wakeServed();
    if (outcome === WAS_CLOSED) port.codec.drop(waiter + VALUE, tag);
    return outcome;
  }

  /** What a receiver that waited was given: the value or END. */
  received(waiter: number): unknown {
    const { port } = this;
    return (port.i32[waiter + RESULT] & HAS_VALUE) === 0 ? END : port.takeFrom(waiter);
  }

  /** Whether the value of a sender that waited was taken. If not, it is dropped. */
  delivered(waiter: number): boolean {
    const { port } = this;
    if ((port.i32[waiter + RESULT] & WAS_TAKEN) !== 0) return true;
    port.dropFrom(waiter);
    return false;
  }

  /** Takes a receiver out of the queue. False if it has been served. */
  leaveReceivers(waiter: number): boolean {
    return this.leaveQueue(RECEIVERS, waiter);
  }

  /** Takes a sender and its value out of the queue. False if it has been served. */
  leaveSenders(waiter: number): boolean {
    const left = this.leaveQueue(SENDERS, waiter);
    if (left) this.port.dropFrom(waiter);
    return left;
  }

  /** Takes a waiter out of one of the queues. False if it is not in it any more. */
  leaveQueue(queue: number, waiter: number): boolean {
    const locked = this.enter();
    const left = removeWaiter(this.port.i32, this.base + queue, waiter);
    this.leave(locked);
    return left;
  }
}

/** The error of a send on a closed channel. */
export function sendOnClosed(): ClosedChannelError {
  return new ClosedChannelError("send on closed channel");
}
