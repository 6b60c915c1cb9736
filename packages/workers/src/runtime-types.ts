/** What programs see of a runtime. */

import type { GoFunction, GoroutineInfo, Handle, RuntimeStats, SpawnOptions } from "@heddle/core";

/**
 * A running scheduler with its threads, made by `start`.
 *
 * It does not keep the process alive by itself: only promises that wait for it do. Every function that starts something throws
 * `NoRuntimeError` once it is closed, or the error that ended it.
 */
export interface Runtime extends AsyncDisposable {
  /**
   * Starts a goroutine and resolves with its outcome. Keeps the process alive meanwhile.
   *
   * Rejects with what the body throws; with what `go` throws, if it cannot be started; or with what ended the runtime.
   */
  run<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Promise<R>;
  /**
   * Starts a goroutine whose result nobody asks for. An error that leaves it ends the runtime.
   *
   * @throws `FunctionError`, `CloneError`, `GoroutineLimitError`, `MemoryLimitError`; then nothing was started
   */
  go<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): void;
  /**
   * Starts a goroutine with a handle on its outcome, to be awaited here or sent to others.
   *
   * @throws as `go`
   */
  spawn<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Handle<R>;
  /**
   * `spawn` with options.
   *
   * @throws as `go`; `TypeError` or `RangeError` for an option
   */
  spawnWith<A extends unknown[], R>(options: SpawnOptions, fn: GoFunction<A, R>, ...args: A): Handle<R>;
  /**
   * Runs `body` with this runtime as the ambient one: `chan()`, `new Mutex()`, `go()` and the like belong to it, also after an
   * `await` in the body. Needed where more than one runtime is open.
   */
  enter<T>(body: () => T): T;
  /** Live goroutines, the dead not counted. */
  numGoroutine(): number;
  /** What each live goroutine is doing, read from shared memory: also while all threads are busy. */
  goroutines(): GoroutineInfo[];
  /** What the runtime is doing, and counts since its start. */
  stats(): RuntimeStats;
  /**
   * Waits for the goroutines, cancels those that are left after `graceMs` milliseconds (from 0; default: waits for ever), then
   * stops every thread. Promises that still wait are rejected with `NoRuntimeError`. A second call waits for the first.
   *
   * @throws `RangeError` for a `graceMs` that is no number of milliseconds
   */
  close(options?: { graceMs?: number }): Promise<void>;
  /** Whether it was closed, or ended by a panic, a deadlock, or because no more threads could be started. */
  readonly closed: boolean;
}
