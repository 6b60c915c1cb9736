/** Starting a goroutine with options. */

import { show } from "../base/show.ts";
import { ambientThread, currentMachine } from "../scheduler/ambient.ts";
import type { GoroutineHandle } from "../scheduler/handle.ts";
import type { Thread } from "../scheduler/thread.ts";
import type { GoFunction, Handle } from "../scheduler/types.ts";
import { cancelContext } from "./cancel.ts";
import { type Context, contextIndex } from "./context.ts";
import { CANCELED, contextsOf } from "./tree.ts";

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
    throw new TypeError(`spawnWith: options must be an object, not ${show(options)}`);
  const { name, context, signal } = options;
  if (name !== undefined && typeof name !== "string")
    throw new TypeError(`spawnWith: options.name must be a string, not ${typeof name}`);
  const index =
    context === undefined ? undefined : contextIndex(thread, "spawnWith: options.context", context);
  checkSignal(signal);
  if (signal?.aborted) return spawnAborted(thread, options, index, fn, args);
  const handle = thread.spawnDetailed(name, index, fn as never, args) as GoroutineHandle<R>;
  if (signal !== undefined) followSignal(thread, signal, handle as GoroutineHandle<unknown>);
  return handle;
}

/** A goroutine whose context has ended: it never starts, and its handle says why. */
function spawnAborted<A extends unknown[], R>(
  thread: Thread,
  { name, signal }: SpawnOptions,
  parent: number | undefined,
  fn: GoFunction<A, R>,
  args: A,
): Handle<R> {
  const tree = contextsOf(thread);
  const ended = tree.create(parent ?? thread.currentContext());
  try {
    cancelContext(thread, ended, CANCELED, signal?.reason);
    return thread.spawnDetailed(name, ended, fn as never, args) as GoroutineHandle<R>;
  } finally {
    tree.table.release(ended);
  }
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

/** Those whom a signal cancels. One listener for all of them: Node warns of more than a few. */
interface Followers {
  readonly handles: Set<GoroutineHandle<unknown>>;
  readonly abort: () => void;
}

const followers = new WeakMap<AbortSignal, Followers>();

/** Cancels the goroutine when the signal aborts. The signal forgets the goroutine when it has ended. */
function followSignal(thread: Thread, signal: AbortSignal, handle: GoroutineHandle<unknown>): void {
  const { handles } = followersOf(signal);
  handles.add(handle);
  followed.set(thread, followedSignals(thread) + 1);
  handle.whenDone(() => {
    handles.delete(handle);
    followed.set(thread, followedSignals(thread) - 1);
    if (handles.size === 0) forgetSignal(signal);
  });
}

function followersOf(signal: AbortSignal): Followers {
  const known = followers.get(signal);
  if (known !== undefined) return known;
  const handles = new Set<GoroutineHandle<unknown>>();
  const abort = (): void => {
    for (const handle of handles) handle.cancel(signal.reason);
  };
  const made = { handles, abort };
  followers.set(signal, made);
  signal.addEventListener("abort", abort, { once: true });
  return made;
}

function forgetSignal(signal: AbortSignal): void {
  const known = followers.get(signal);
  if (known === undefined) return;
  followers.delete(signal);
  signal.removeEventListener("abort", known.abort);
}
