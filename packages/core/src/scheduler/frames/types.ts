/** The public types that bodies and operations are written in. */

import type { Suspension } from "./suspension.ts";

/**
 * Return type of a generator body.
 *
 * @example
 * ```ts
 * function* fib(n: number): Goroutine<number> { … }
 * ```
 */
export type Goroutine<R> = Generator<Suspension, R, unknown>;

/**
 * Something that may park the goroutine. Lazy: nothing happens until it is used, once, in one of three ways: `yield* op` in a generator body, `await op` in an async body or on the host
 * thread, `op.block()` in a plain body.
 *
 * `block()` holds the machine's thread; the processor is handed to another machine meanwhile. On the host thread it throws `MisuseError`, as does `yield*` there.
 */
export interface Op<T> extends PromiseLike<T> {
  /** For `yield*`. */
  [Symbol.iterator](): Iterator<Suspension, T, unknown>;
  /**
   * Waits in a plain body, and holds its thread.
   *
   * @throws what the operation throws; `MisuseError` on the host thread
   */
  block(): T;
}

/** A goroutine body: a generator function, an async function, or a plain function that runs to completion. */
export type GoFunction<A extends unknown[], R> = (...args: A) => Goroutine<R> | Promise<R> | R;

/** A goroutine's outcome. Unlike other ops it may be used any number of times, by anyone it was sent to, with the same outcome. */
export interface Handle<R> extends Op<R> {
  /** Goroutine id: unique in the runtime, never reused, not consecutive. */
  readonly id: number;
  /** Whether the goroutine has ended. */
  readonly done: boolean;
  /**
   * Cancels the goroutine's context, and with it the goroutines that inherit it. Not yet started: it never starts, and joining throws `CanceledError`. Parked: its operation throws `CanceledError` there,
   * and `finally` blocks and deferred calls run. Running: the same at the next operation that parks. Ended: nothing happens. The cause, if given, is the error's `cause`.
   */
  cancel(cause?: unknown): void;
}
