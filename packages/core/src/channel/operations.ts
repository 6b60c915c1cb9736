/**
 * Sends and receives: operations by themselves, and cases of select.
 *
 * `next` is overridden for the path on which nobody waits, which is to be short: Operation's own serves many classes, and calls through the slow kind of dispatch.
 */

import { ownWaiter } from "../goroutine/wait-queue.ts";
import { REASON_CHAN_RECEIVE, REASON_CHAN_SEND, type WaitReason } from "../goroutine/wait-reason.ts";
import { C_HIDDEN, G_WAITER } from "../memory/layout.ts";
import type { Frame } from "../scheduler/frames/frame.ts";
import { proceed, type Suspension } from "../scheduler/frames/suspension.ts";
import { FRESH, Operation, USED } from "../scheduler/thread/operation.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { CLOSED, FULL } from "./channel-port.ts";
import { type ChannelRecord, END, NOTHING, sendOnClosed } from "./channel-record.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const UNUSED = FRESH;
const SPENT = USED;
const NOT_NOW = NOTHING;
const AT_END = END;

/** One send or receive. */
export abstract class ChannelOperation<T> extends Operation<T> {
  declare readonly channel: ChannelRecord;
  /** Its waiter while it waits. */
  declare protected waiter: number;

  constructor(thread: Thread, channel: ChannelRecord) {
    super(thread);
    this.channel = channel;
    this.waiter = 0;
  }

  /** Marks it as used: by `select`, instead of being used itself. Throws `MisuseError` if it was. */
  claim(): void {
    this.use();
  }

  /** Whether it is a send. */
  abstract get sends(): boolean;
  /** Like `attempt`; if it fails, there was a moment when it had to. */
  abstract attemptOnce(): boolean;
  /** The waiter was served: takes what it was given. */
  abstract takeOver(waiter: number): void;
}

/** `recv`. */
export const GIVES_VALUE = 0;
/** `recvOk`. */
export const GIVES_PAIR = 1;
/** The value, or END. */
export const GIVES_END = 2;

export class ReceiveOperation extends ChannelOperation<unknown> {
  /** One of the GIVES_ values. */
  declare private readonly gives: number;
  declare private value: unknown;

  constructor(thread: Thread, channel: ChannelRecord, gives: number) {
    super(thread, channel);
    this.gives = gives;
    this.value = undefined;
  }

  get reason(): WaitReason {
    return REASON_CHAN_RECEIVE;
  }

  get sends(): false {
    return false;
  }

  /** What the operation gives for a value or END. */
  outcome(value: unknown): unknown {
    const { gives } = this;
    if (value === AT_END) this.noticeEnd();
    if (gives === GIVES_VALUE) return value === AT_END ? undefined : value;
    if (gives === GIVES_END) return value;
    return value === AT_END ? [undefined, false] : [value, true];
  }

  /** Whoever sees the end of a context's channel knows that the context is done. */
  private noticeEnd(): void {
    const hidden = this.thread.i32[this.channel.base + C_HIDDEN];
    if (hidden < 0) this.thread.noticeDone(-hidden);
  }

  override next(): IteratorResult<Suspension, unknown> {
    if (this.state === UNUSED) {
      const value = this.channel.receiveNow();
      if (value !== NOT_NOW) {
        this.state = SPENT;
        return proceed(this.outcome(value));
      }
    }
    return super.next();
  }

  attempt(): boolean {
    this.value = this.channel.receiveNow();
    return this.value !== NOT_NOW;
  }

  attemptOnce(): boolean {
    this.value = this.channel.receiveOrNothing();
    return this.value !== NOT_NOW;
  }

  enqueue(goroutine: number, base: number): boolean {
    this.waiter = ownWaiter(this.thread.i32, base, goroutine);
    this.value = this.channel.receiveOrWait(this.waiter);
    return this.value === NOT_NOW;
  }

  override resume(interrupt: Error | undefined): boolean {
    if (interrupt !== undefined) throw interrupt;
    this.takeOver(this.waiter);
    return true;
  }

  takeOver(waiter: number): void {
    this.value = this.channel.received(waiter);
  }

  /** Takes what a select found under the locks: a value, or END. */
  accept(value: unknown): void {
    this.value = value;
  }

  finish(): unknown {
    return this.outcome(this.value);
  }

  abandon({ base }: Frame): boolean {
    return this.channel.leaveReceivers(base + G_WAITER);
  }
}

export class SendOperation extends ChannelOperation<void> {
  /** What is to be sent. */
  declare readonly value: unknown;
  /** Why nothing was sent. Boxed, for a getter may throw anything. */
  declare private failure: { readonly error: unknown } | undefined;

  constructor(thread: Thread, channel: ChannelRecord, value: unknown) {
    super(thread, channel);
    this.value = value;
    this.failure = undefined;
  }

  get reason(): WaitReason {
    return REASON_CHAN_SEND;
  }

  get sends(): true {
    return true;
  }

  override next(): IteratorResult<Suspension, void> {
    if (this.state === UNUSED && this.channel.seemsSendable()) {
      // Used before the value is copied: a getter in it must not use the operation a second time.
      this.state = SPENT;
      if (this.channel.sendNow(this.value)) return proceed(undefined);
      this.state = UNUSED;
    }
    return super.next();
  }

  attempt(): boolean {
    return this.channel.sendNow(this.value);
  }

  attemptOnce(): boolean {
    return this.channel.sendOrNot(this.value);
  }

  enqueue(goroutine: number, base: number): boolean {
    this.waiter = ownWaiter(this.thread.i32, base, goroutine);
    try {
      const outcome = this.channel.sendOrWait(this.waiter, this.value);
      if (outcome === FULL) return true;
      if (outcome === CLOSED) this.fail(sendOnClosed());
    } catch (error) {
      this.fail(error);
    }
    return false;
  }

  /** Nothing was sent: `finish` says why. */
  fail(error: unknown): void {
    this.failure = { error };
  }

  override resume(interrupt: Error | undefined): boolean {
    if (interrupt !== undefined) throw interrupt;
    this.takeOver(this.waiter);
    return true;
  }

  takeOver(waiter: number): void {
    if (!this.channel.delivered(waiter)) this.fail(sendOnClosed());
  }

  finish(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }

  abandon({ base }: Frame): boolean {
    return this.channel.leaveSenders(base + G_WAITER);
  }
}
