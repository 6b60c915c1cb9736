/** Starting a goroutine with options. */

import { show } from "../base/show.ts";
import type { Body } from "../goroutine/functions.ts";
import { G_ID } from "../memory/layout.ts";
import type { GoFunction, Handle } from "../scheduler/frames/types.ts";
import { ambientThread, currentMachine } from "../scheduler/thread/ambient.ts";
import type { GoroutineHandle } from "../scheduler/thread/handle.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { cancelContext } from "./cancel.ts";
import { type Context, contextIndex } from "./context.ts";
import { addPlan, type Plan, setPlanned } from "./plan.ts";
import { CANCELED, contextsOf } from "./tree.ts";

/** Options of one goroutine. */
export interface SpawnOptions {
  /** Shown in dumps and traces instead of the function's name. */
  name?: string;
  /** The goroutine's own context; default: the spawner's. */
  context?: Context;
  /** Cancels the goroutine's context when it aborts; the reason becomes the cause. */
  signal?: AbortSignal;
  /**
   * How often the goroutine is run again, from its beginning and with the arguments as they were, if the thread on which it ran is lost: an integer from 0 to 1,000,000; default 0. What the lost run had done stays done. One that was
   * cancelled, or whose own `timeout` ended the thread, is not run again. When the last run is lost, too, joining throws `MachineLostError`.
   */
  retry?: number;
  /**
   * How long the body may run, in milliseconds from its call; default: for ever. Then the goroutine is cancelled: its operations throw `DeadlineExceededError`, and `context.current()` is done. What it was started with, and what it
   * waited for before its body was called, does not count; with `retry` each run has this time.
   */
  timeout?: number;
  /**
   * How long the goroutine may go on after `timeout` has cancelled it, in milliseconds; default: for ever. Then its thread is ended, with everything that had begun there: `MachineLostError` for all of them. For bodies that may
   * compute or block for ever without coming by an operation. Needs `timeout`.
   */
  killAfter?: number;
}

/** The highest `retry`. A guess at more than anybody wants. */
const MAX_RETRIES = 1_000_000;

/**
 * `spawn` with options.
 *
 * @throws as `spawn`; `TypeError` for an option of the wrong type, `RangeError` for one out of bounds
 *
 * @example
 * ```ts
 * const h = spawnWith({ name: "crawler", signal: AbortSignal.timeout(1000) }, crawl, url);
 * const p = spawnWith({ timeout: 500, killAfter: 100, retry: 2 }, parseUntrusted, text);
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
  const plan = planIn(options);
  if (signal?.aborted) return spawnAborted(thread, options, index, fn, args);
  const handle = (
    plan === undefined
      ? thread.spawnDetailed(name, index, fn as never, args)
      : spawnPlanned(thread, { name, context: index, plan }, fn as never, args)
  ) as GoroutineHandle<R>;
  if (signal !== undefined) followSignal(thread, signal, handle as GoroutineHandle<unknown>);
  return handle;
}

/** The plan that the options make, `undefined` if they say nothing of one. Checks them. */
function planIn({ retry, timeout, killAfter }: SpawnOptions): Plan | undefined {
  if (retry !== undefined) {
    const wanted = `options.retry must be an integer from 0 to ${MAX_RETRIES}`;
    if (typeof retry !== "number")
      throw new TypeError(`spawnWith: ${wanted}, not ${typeof retry} ${show(retry)}`);
    if (!Number.isInteger(retry) || retry < 0 || retry > MAX_RETRIES)
      throw new RangeError(`spawnWith: ${wanted}, not ${show(retry)}`);
  }
  const limit = millisecondsIn("timeout", timeout);
  const grace = millisecondsIn("killAfter", killAfter);
  if (killAfter !== undefined && timeout === undefined)
    throw new TypeError(
      "spawnWith: options.killAfter counts from the end of options.timeout, which is missing",
    );
  const plan = { retry: retry ?? 0, timeout: limit, killAfter: grace };
  return plan.retry > 0 || limit < Number.POSITIVE_INFINITY ? plan : undefined;
}

function millisecondsIn(name: string, value: number | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  const wanted = `options.${name} must be a number of milliseconds from 0`;
  if (typeof value !== "number")
    throw new TypeError(`spawnWith: ${wanted}, not ${typeof value} ${show(value)}`);
  if (!(value >= 0)) throw new RangeError(`spawnWith: ${wanted}, not ${show(value)}`);
  return value;
}

interface Planned {
  readonly name: string | undefined;
  /** The context it was given. */
  readonly context: number | undefined;
  readonly plan: Plan;
}

/** A goroutine with a plan: it has a context of its own from the beginning, in which the plan stands. */
function spawnPlanned(
  thread: Thread,
  { name, context, plan }: Planned,
  body: Body,
  args: readonly unknown[],
): Handle<unknown> {
  const tree = contextsOf(thread);
  const own = tree.create(context ?? thread.currentContext());
  try {
    addPlan(thread, own, plan, args);
    return thread.spawnDetailed(name, own, body, args, (goroutine) => {
      const base = thread.descriptorOf(goroutine);
      tree.setOwner(own, thread.f64[(base + G_ID) >> 1]);
      setPlanned(thread, own, goroutine, context !== undefined);
    });
  } finally {
    tree.table.release(own);
  }
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
