/** The public types of channels and select. */

import type { Goroutine, Op } from "../scheduler/frames/types.ts";

/** A send or receive: an operation by itself, or a case of `select`. Used once, in one of the two ways. */
export interface ChanOp<T> extends Op<T> {
  /** What the operation gives, for the types of `select`. There is no such property. */
  readonly __heddleCase?: T;
}

/** What a receive gives that tells whether there was a value: Go's `v, ok := <-ch`. */
export type Received<T> = [value: T, ok: true] | [value: undefined, ok: false];

/** The end of a channel that values go into. Go's `chan<- T`: any channel is one, at compile time. */
export interface SendChan<in T> {
  /**
   * Sends a value: a copy, as `structuredClone` makes it, but channels, handles, sync objects and SharedArrayBuffers travel by reference. Parks until the buffer has room or a receiver takes the
   * value; senders that wait are served in the order in which they came. Cancelled while it waits, it throws `CanceledError` and the value was not sent. Go's `ch <- v`.
   *
   * @throws (when used) `ClosedChannelError` "send on closed channel" if the channel is or becomes closed; `CloneError` for what cannot be copied, with the path, which begins with `value`; `MemoryLimitError`
   */
  send(value: T): ChanOp<void>;
  /**
   * Sends without parking, if the buffer has room or a receiver waits. True if the value was taken.
   *
   * @throws as `send`
   */
  trySend(value: T): boolean;
  /**
   * Closes the channel: nothing can be sent any more, what is in the buffer can still be received, and everybody who waits goes on: receivers without a value, senders with
   * `ClosedChannelError`. Never parks.
   *
   * @throws `ClosedChannelError` "close of closed channel"
   */
  close(): void;
  /** Values in the buffer. Go's `len`. By the time it is read it may be old. */
  readonly length: number;
  /** Values that the buffer has room for. Go's `cap`. */
  readonly capacity: number;
}

/** The end of a channel that values come out of. Go's `<-chan T`: any channel is one, at compile time. */
export interface RecvChan<out T> extends AsyncIterable<T> {
  /**
   * Receives: the next value, or `undefined` once the channel is closed and its buffer empty. Parks while there is none; receivers that wait are served in the order in which they came. Cancelled
   * while it waits, it throws `CanceledError` and has taken nothing. Go's `<-ch`.
   */
  recv(): ChanOp<T | undefined>;
  /** Like `recv`, and tells a closed channel from a value that is `undefined`: the value and `true`, or `[undefined, false]`. */
  recvOk(): ChanOp<Received<T>>;
  /** Like `recvOk` without parking; `undefined` when nothing is ready. */
  tryRecv(): Received<T> | undefined;
  /** Values in the buffer. Go's `len`. By the time it is read it may be old. */
  readonly length: number;
  /** Values that the buffer has room for. Go's `cap`. */
  readonly capacity: number;
}

/**
 * A queue of values between goroutines, on whatever machines, and the host. Made by `chan`.
 *
 * Values come out in the order in which they went in. A channel travels by reference: sent somewhere, it is the same channel there. It needs not be closed; one that nobody holds any more
 * is found and its memory used again. `for await (const value of ch)` receives until the channel is closed and drained.
 */
export interface Chan<T> extends SendChan<T>, RecvChan<T> {}

/** What `range` calls for each value. */
export type RangeBody<T> = (value: T) => void | Goroutine<void>;

/** A case that is `undefined`, `null` or `false` never fires, as a nil channel in Go. */
export type SelectCase = ChanOp<unknown> | undefined | null | false;

type NumericIndex<I> = I extends `${infer N extends number}` ? N : number;

/** What `select` gives: which case went through, and what that operation gives. `index` tells the type of `value`. */
export type Selected<C extends readonly unknown[]> = {
  [I in keyof C]: Extract<C[I], ChanOp<unknown>> extends ChanOp<infer T>
    ? { index: NumericIndex<I>; value: T }
    : never;
}[number];
