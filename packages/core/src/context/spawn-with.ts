/** Starting a goroutine with options. */

import { ambientThread, currentMachine } from "../scheduler/ambient.ts";
import type { GoroutineHandle } from "../scheduler/handle.ts";
import type { Thread } from "../scheduler/thread.ts";
import type { GoFunction, Handle } from "../scheduler/types.ts";
import { type Context, contextIndex } from "./context.ts";

/** Options of one goroutine. */
export interface SpawnOptions {
  /** Shown in dumps and traces instead of the function's name. */
  name?: string;
  /** The goroutine's own context; default: the spawner's. */
  context?: Context;
  /** Cancels the goroutine's context when it aborts; the reason becomes the cause. */
  signal?: AbortSignal;
}

/**
 * `spawn` with options.
 *
 * @throws as `spawn`; `TypeError` for an option of the wrong type
 *
 * @example
 * ```ts
 * const h = spawnWith({ name: "crawler", signal: AbortSignal.timeout(1000) }, crawl, url);
 * ```
 */
export function spawnWith<A extends unknown[], R>(
  options: SpawnOptions,
  fn: GoFunction<A, R>,
  ...args: A
): Handle<R> {
  return spawnOn(currentMachine ?? ambientThread(), options, fn, args);
}

/** `spawnWith` on a given runtime. */
export function spawnOn<A extends unknown[], R>(
  thread: Thread,
  options: SpawnOptions,
  fn: GoFunction<A, R>,
  args: A,
): Handle<R> {
  if (options === null || typeof options !== "object")
    throw new TypeError(`spawnWith: options must be an object, not ${String(options)}`);
  const { name, context, signal } = options;
  if (name !== undefined && typeof name !== "string")
    throw new TypeError(`spawnWith: options.name must be a string, not ${typeof name}`);
  const index =
    context === undefined ? undefined : contextIndex(thread, "spawnWith: options.context", context);
  checkSignal(signal);
  const handle = thread.spawnDetailed(name, index, fn as never, args) as GoroutineHandle<R>;
  if (signal !== undefined) followSignal(thread, signal, handle as GoroutineHandle<unknown>);
  return handle;
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  if (typeof signal !== "object" || signal === null || typeof signal.addEventListener !== "function") {
    throw new TypeError(
      `spawnWith: options.signal must be an AbortSignal, not ${signal === null ? "null" : typeof signal}`,
    );
  }
}

const followed = new WeakMap<Thread, number>();

/** Goroutines that this thread would cancel if a signal of its program's aborted. */
export function followedSignals(thread: Thread): number {
  return followed.get(thread) ?? 0;
}

/** Cancels the goroutine when the signal aborts. The signal forgets the goroutine when it has ended. */
function followSignal(thread: Thread, signal: AbortSignal, handle: GoroutineHandle<unknown>): void {
  const abort = (): void => handle.cancel(signal.reason);
  if (signal.aborted) {
    abort();
    return;
  }
  signal.addEventListener("abort", abort, { once: true });
  followed.set(thread, followedSignals(thread) + 1);
  const forget = (): void => {
    signal.removeEventListener("abort", abort);
    followed.set(thread, followedSignals(thread) - 1);
  };
  handle.whenDone(forget);
}
