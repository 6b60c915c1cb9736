/** What programs see of a runtime. */

import type { GoFunction, GoroutineInfo, Handle, RuntimeStats, SpawnOptions } from "@heddle/core";

/**
 * A running scheduler with its threads, made by `start`.
 *
 * It does not keep the process alive by itself: only promises that wait for it do. Every function that starts something throws
 * `NoRuntimeError` once it is closed, or the error that ended it.
 */
export interface Runtime extends AsyncDisposable {
  /** Starts a goroutine and resolves with its outcome. Rejects with what the body throws, or with what ended the runtime. */
  run<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Promise<R>;
  /** Starts a goroutine whose result nobody asks for. An error that leaves it ends the runtime. */
  go<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): void;
  /** Starts a goroutine with a handle on its outcome. */
  spawn<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Handle<R>;
  /** `spawn` with options. */
  spawnWith<A extends unknown[], R>(options: SpawnOptions, fn: GoFunction<A, R>, ...args: A): Handle<R>;
  /**
   * Runs `body` with this runtime as the ambient one: `chan()`, `new Mutex()`, `go()` and the like belong to it, also after an
   * `await` in the body. Needed where more than one runtime is open.
   */
  enter<T>(body: () => T): T;
  /** Live goroutines, the dead not counted. */
  numGoroutine(): number;
  /** What each live goroutine is doing. */
  goroutines(): GoroutineInfo[];
  /** Counters since start. */
  stats(): RuntimeStats;
  /**
   * Waits for the goroutines, cancels those that are left after `graceMs` milliseconds (from 0; default: waits for ever), then
   * stops every thread. Promises that still wait are rejected with `NoRuntimeError`. A second call waits for the first.
   *
   * @throws `RangeError` for a `graceMs` that is no number of milliseconds
   */
  close(options?: { graceMs?: number }): Promise<void>;
  /** Whether it was closed, or ended by a panic, a deadlock or a lost thread. */
  readonly closed: boolean;
}
