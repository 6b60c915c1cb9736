/** Contexts as programs see them. */

import { CloneError, CorruptValueError } from "../base/errors.ts";
import { printsAs } from "../base/printing.ts";
import { show } from "../base/show.ts";
import { type Channel, createChannel } from "../channel/channel.ts";
import type { RecvChan } from "../channel/types.ts";
import { G_CONTEXT, G_ID } from "../memory/layout.ts";
import { ambientMachine, ambientThread, currentMachine } from "../scheduler/thread/ambient.ts";
import type { Operation } from "../scheduler/thread/operation.ts";
import { type ObjectTable, objectsOf, type SharedObject } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import type { ReferenceKind } from "../values/references.ts";
import { cancelContext } from "./cancel.ts";
import { CANCELED, CONTEXT_KIND, contextsOf, EXCEEDED, LIVE } from "./tree.ts";

/** Ends a context. A second call does nothing. The cause, if given, is what `Context.cause` says. */
export type CancelFunc = (cause?: unknown) => void;

/**
 * What a goroutine works under: when it must end, why it ended, and values that travel along. Go's context.Context.
 *
 * Contexts travel by reference.
 */
export interface Context {
  /** Closed when the context is done. A goroutine that receives from it handles the end itself: it is not thrown a `CanceledError` any more. */
  done(): RecvChan<never>;
  /** `CanceledError` or `DeadlineExceededError` once done, else `undefined`. */
  err(): Error | undefined;
  /** What was given to the cancel function, else the same as `err()`; `undefined` while it is live. */
  cause(): unknown;
  /** Milliseconds since the epoch; `undefined` for none. */
  readonly deadline: number | undefined;
  /** The value that the nearest context from here upwards has for the key. */
  value(key: string): unknown;
  /** The same context as this thread's AbortSignal, for fetch, fs and friends. Its reason is the cause. */
  readonly signal: AbortSignal;
}

class SharedContext implements Context, SharedObject {
  readonly table: ObjectTable;
  readonly index: number;
  readonly #thread: Thread;
  #signal: AbortSignal | undefined = undefined;
  /** Once done. One object, as Go's context.Canceled is: programs compare it. */
  #error: Error | undefined = undefined;

  constructor(thread: Thread, index: number) {
    const tree = contextsOf(thread);
    this.#thread = thread;
    this.table = tree.table;
    this.index = index;
    if (index !== 0) this.table.watch(this);
  }

  static is(value: object): value is SharedContext {
    return #thread in value;
  }

  get thread(): Thread {
    return this.#thread;
  }

  done(): RecvChan<never> {
    return this.index === 0 ? neverDone(this.#thread) : contextsOf(this.#thread).done(this.index);
  }

  err(): Error | undefined {
    this.#error ??= contextsOf(this.#thread).error(this.index);
    return this.#error;
  }

  cause(): unknown {
    const error = this.err();
    return error?.cause ?? error;
  }

  get deadline(): number | undefined {
    const deadline = contextsOf(this.#thread).deadline(this.index);
    return deadline === Number.POSITIVE_INFINITY ? undefined : deadline;
  }

  value(key: string): unknown {
    checkKey("value", key);
    return contextsOf(this.#thread).value(this.index, key);
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#makeSignal();
    return this.#signal;
  }

  #makeSignal(): AbortSignal {
    const controller = new AbortController();
    if (this.index === 0) return controller.signal;
    const abort = (): void => controller.abort(this.cause());
    if (this.err() !== undefined) abort();
    else this.#thread.inBackground(this.done().recvOk() as unknown as Operation<unknown>, abort);
    return controller.signal;
  }
}

const backgrounds = new WeakMap<Thread, SharedContext>();
const neverChannels = new WeakMap<Thread, Channel<never>>();

function background(thread: Thread): SharedContext {
  let context = backgrounds.get(thread);
  if (context === undefined) backgrounds.set(thread, (context = new SharedContext(thread, 0)));
  return context;
}

/** The background's channel: nobody closes it. */
function neverDone(thread: Thread): Channel<never> {
  let channel = neverChannels.get(thread);
  if (channel === undefined)
    neverChannels.set(thread, (channel = createChannel<never>(objectsOf(thread), 0)));
  return channel;
}

/** The context's record number, as the kernel knows it. Throws `TypeError` for something else. */
export function contextIndex(thread: Thread, where: string, context: unknown): number {
  if (typeof context !== "object" || context === null || !SharedContext.is(context)) {
    throw new TypeError(`${where}: expected a Context, not ${context === null ? "null" : typeof context}`);
  }
  if (context.thread !== thread) throw new TypeError(`${where}: the context belongs to another runtime`);
  return context.index;
}

/** A context for a record whose reference is counted already. */
export function openContext(thread: Thread, index: number): Context {
  return index === 0 ? background(thread) : new SharedContext(thread, index);
}

function parentOf(where: string, parent: Context): { thread: Thread; index: number } {
  if (typeof parent !== "object" || parent === null || !SharedContext.is(parent)) {
    throw new TypeError(
      `${where}: cannot create context from ${parent === null ? "null" : typeof parent} parent`,
    );
  }
  return { thread: parent.thread, index: parent.index };
}

function cancelable(thread: Thread, index: number): [Context, CancelFunc] {
  const context = openContext(thread, index);
  // The function holds the context: a context that can be cancelled is in use.
  const cancel: CancelFunc = (cause) =>
    cancelContext(thread, (context as SharedContext).index, CANCELED, cause);
  return [context, cancel];
}

function checkKey(where: string, key: unknown): void {
  if (typeof key !== "string")
    throw new TypeError(
      `context.${where}: the key must be a string, not ${key === null ? "null" : typeof key}`,
    );
}

function checkTime(where: string, time: unknown): void {
  if (typeof time !== "number" || Number.isNaN(time))
    throw new TypeError(`context.${where}: expected a number of milliseconds, not ${show(time)}`);
}

/** Makes contexts. Go's context package. */
export const context: {
  /**
   * Never done, without deadline and values: what the first goroutines are started under. Go's `context.Background`.
   *
   * @throws `NoRuntimeError` without an ambient runtime
   */
  background(): Context;
  /**
   * The running goroutine's own: `Handle.cancel` ends it, and so does the end of the context that it was started with. On the host the background. Go has none: there a context is an argument.
   *
   * @throws `NoRuntimeError` without an ambient runtime; `MemoryLimitError`
   */
  current(): Context;
  /**
   * A context that ends when its cancel function is called, or its parent ends. Go's `context.WithCancelCause`.
   *
   * @throws `TypeError` if `parent` is no context; `MemoryLimitError`
   *
   * @example
   * ```ts
   * const [ctx, cancel] = context.withCancel(context.current());
   * const h = spawnWith({ context: ctx }, worker);
   * cancel(new Error("no longer needed"));
   * ```
   */
  withCancel(parent: Context): [Context, CancelFunc];
  /**
   * `withDeadline`, `ms` milliseconds from now: fractions count, 0 or less is over at once, `Infinity` never. Go's `context.WithTimeout`.
   *
   * @throws as `withDeadline`
   *
   * @example
   * ```ts
   * const [ctx, cancel] = context.withTimeout(context.current(), 500);
   * const page = yield* spawnWith({ context: ctx }, load, url); // DeadlineExceededError after half a second
   * cancel(); // the timer is not needed any more
   * ```
   */
  withTimeout(parent: Context, ms: number): [Context, CancelFunc];
  /**
   * A context that also ends, with `DeadlineExceededError`, at `epochMs` (milliseconds since the epoch). A later deadline than the parent's changes nothing. Go's `context.WithDeadline`.
   *
   * @throws `TypeError` if `parent` is no context or the time no number, NaN included; `MemoryLimitError`
   */
  withDeadline(parent: Context, epochMs: number): [Context, CancelFunc];
  /**
   * A context that has a value for a key, and otherwise is as its parent. The value is copied. Go's `context.WithValue`.
   *
   * @throws `TypeError` if `parent` is no context or `key` no string; `CloneError`; `MemoryLimitError`
   *
   * @example
   * ```ts
   * const ctx = context.withValue(context.current(), "user", { id: 7 });
   * go(audit, ctx); // there: ctx.value("user")
   * ```
   */
  withValue(parent: Context, key: string, value: unknown): Context;
} = {
  background: () => background(ambientThread()),

  current() {
    const machine = currentMachine;
    if (machine === undefined) return background(ambientThread());
    const frame = ambientMachine("context.current").currentFrame();
    if (frame === undefined) return background(machine);
    const tree = contextsOf(machine);
    const id = machine.f64[(frame.base + G_ID) >> 1];
    const given = machine.i32[frame.base + G_CONTEXT];
    if (tree.owner(given) === id) {
      tree.table.retain(given);
      return openContext(machine, given);
    }
    const own = tree.create(machine.currentContext(), { owner: id });
    machine.useContext(frame.base, own);
    return openContext(machine, own);
  },

  withCancel(parent) {
    const { thread, index } = parentOf("withCancel", parent);
    return cancelable(thread, contextsOf(thread).create(index));
  },

  withTimeout(parent, ms) {
    checkTime("withTimeout", ms);
    return context.withDeadline(parent, Date.now() + ms);
  },

  withDeadline(parent, epochMs) {
    checkTime("withDeadline", epochMs);
    const { thread, index } = parentOf("withDeadline", parent);
    const tree = contextsOf(thread);
    const parentDeadline = tree.deadline(index);
    const own = tree.create(index, { deadline: epochMs });
    if (epochMs < parentDeadline && tree.state(own) === LIVE) {
      const delay = epochMs - Date.now();
      if (delay <= 0) cancelContext(thread, own, EXCEEDED, undefined);
      else if (delay < Number.POSITIVE_INFINITY) tree.armDeadline(own, delay);
    }
    return cancelable(thread, own);
  },

  withValue(parent, key, value) {
    const { thread, index } = parentOf("withValue", parent);
    checkKey("withValue", key);
    return openContext(thread, contextsOf(thread).create(index, { key, value }));
  },
};

printsAs(SharedContext.prototype, ({ index }) => (index === 0 ? "Context(background)" : `Context(${index})`));

/** How contexts travel in values. The background has no record: its number is 0. */
export function contextKind(thread: Thread): ReferenceKind<SharedContext> {
  const tree = contextsOf(thread);
  const { table } = tree;
  return {
    kind: CONTEXT_KIND,
    prototype: SharedContext.prototype,
    is: (value) => SharedContext.is(value),
    retain(value, words, at) {
      if (value.thread !== thread) throw new CloneError("the context belongs to another runtime");
      if (value.index !== 0) table.retain(value.index);
      words[at] = value.index;
      words[at + 1] = value.index === 0 ? 0 : table.generation(value.index);
    },
    retainAgain: (index) => {
      if (index !== 0) table.retain(index);
    },
    revive(index, generation) {
      if (index === 0 && generation !== 0)
        throw new CorruptValueError(`a value names context 0 in generation ${generation}`);
      if (index !== 0) table.check(CONTEXT_KIND, index, generation);
      return openContext(thread, index) as SharedContext;
    },
    release: (index) => {
      if (index !== 0) table.release(index);
    },
  };
}
