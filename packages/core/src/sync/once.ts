/**
 * Once: one call, by whoever comes first.
 *
 * Who changes ONCE_STATE from 0 to 1 makes the call. The others queue under the lock while it is 1; the step to 2 is made under the lock and takes them along. So a waiter that queued is there when the call has ended, and one that
 * comes later sees 2.
 *
 * **A call whose thread dies** has not ended, whatever it had done by then: unlike one that throws, it gave nobody an error. So the state goes back to 0, and those who wait are woken to find that out; one of them makes the call.
 * ONCE_OWNER, written plainly after the step to 1, says whose call it is; 0 at a moment when all machines are held means that a thread died before it could say so.
 */

import { MisuseError } from "../base/errors.ts";
import { printsAs } from "../base/printing.ts";
import { isGenerator } from "../goroutine/functions.ts";
import { drainWaiters, enqueueWaiter, ownWaiter, removeWaiter } from "../goroutine/wait-queue.ts";
import { REASON_ONCE, type WaitReason } from "../goroutine/wait-reason.ts";
import { G_WAITER, O_LOCK, ONCE_OWNER, ONCE_STATE, ONCE_WAITERS } from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import type { Frame } from "../scheduler/frames/frame.ts";
import { proceed, type Suspension } from "../scheduler/frames/suspension.ts";
import type { Goroutine, Op } from "../scheduler/frames/types.ts";
import { AwaitOperation, isThenable } from "../scheduler/machine/await-operation.ts";
import { ambientThread } from "../scheduler/thread/ambient.ts";
import { Operation, usedTwice } from "../scheduler/thread/operation.ts";
import { type ObjectTable, objectKind, objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import type { ReferenceKind } from "../values/references.ts";
import { NO_OWNER, type Waker } from "./lock-owner.ts";

/** The number of this kind, in values and records. */
export const ONCE_KIND = 6;

const NOT_CALLED = 0;
const CALLING = 1;
/** ONCE_STATE: the call has ended. */
export const DONE = 2;

/**
 * Makes one call, however many goroutines ask for it, on whichever machines. Go's sync.Once.
 *
 * Travels by reference.
 *
 * @example
 * ```ts
 * const handler = goroutine(import.meta, function* handler(once: Once, ready: Chan<string>): Goroutine<void> {
 *   yield* once.do(function* () {
 *     yield* ready.send("first");
 *   });
 * });
 * ```
 */
export class Once {
  /** @internal */
  readonly table: ObjectTable;
  /** @internal */
  readonly index: number;
  readonly #base: number;

  /** @throws `NoRuntimeError` without an ambient runtime, `MemoryLimitError` when there are too many sync objects */
  constructor();
  /** @internal */
  constructor(table: ObjectTable, index: number);
  constructor(table: ObjectTable = objectsOf(ambientThread()), index?: number) {
    this.table = table;
    this.index = index ?? table.create(ONCE_KIND, NOT_CALLED);
    this.#base = table.baseOf(this.index);
    if (index !== undefined) return;
    table.i32[this.#base + ONCE_OWNER] = NO_OWNER;
    table.watch(this);
  }

  /** @internal */
  static is(value: object): value is Once {
    return #base in value;
  }

  /** @internal */
  get base(): number {
    return this.#base;
  }

  /**
   * Makes the call if nobody has, and waits until it has ended, whoever makes it. A plain function or a generator function; with `await` and `yield*` an async one will do, too.
   *
   * It is done even if the call throws: that goes to the one who made it, and the others go on. A call that asks for the same Once waits for itself. A call that is lost with its thread does not count: the next who asks, or one of those
   * who wait, makes theirs, and has to reckon with what the lost one had done.
   *
   * A goroutine that is cancelled while it waits for another's call is thrown its cancellation; one that makes the call is thrown it inside.
   *
   * @throws what the call throws, if this is the one who makes it; `TypeError` if `call` is no function
   */
  do(call: () => void | Promise<void> | Goroutine<void>): Op<void> {
    if (typeof call !== "function")
      throw new TypeError(`Once.do: call must be a function, not ${call === null ? "null" : typeof call}`);
    return new Doing(this, call);
  }
}

/** One goroutine's `do`. */
class Doing implements Op<void> {
  private readonly once: Once;
  private readonly call: () => unknown;
  private used = false;
  /** Waits for another's call. */
  private wait: OnceWait | undefined = undefined;
  /** The call, if it is a generator and this makes it: driven in place. */
  private running: Generator<unknown, unknown, unknown> | undefined = undefined;

  constructor(once: Once, call: () => unknown) {
    this.once = once;
    this.call = call;
  }

  [Symbol.iterator](): Iterator<Suspension, void, unknown> {
    return this;
  }

  next(): IteratorResult<Suspension, void> {
    const { running, once } = this;
    if (running !== undefined) return this.advance(() => running.next());
    if (this.wait === undefined) this.use();
    while (!begin(once)) {
      this.wait ??= new OnceWait(once);
      const result = this.wait.next();
      if (result.done !== true) return result;
      if (result.value) return proceed<void>(undefined);
      // The call was lost with its thread.
      this.wait = undefined;
    }
    const { call } = this;
    return this.advance(() => {
      const result = call();
      if (isGenerator(result)) this.running = result;
      else if (isThenable(result)) this.running = awaiting(once.table.thread, result);
      else return proceed(undefined);
      return this.running.next();
    });
  }

  /** The body that waits here is being left by a `return` from outside: the call's `finally` blocks run. */
  return(): IteratorResult<Suspension, void> {
    const { running } = this;
    return running === undefined
      ? { done: true, value: undefined }
      : this.advance(() => running.return(undefined));
  }

  /** The body that waits here is thrown something from outside: so is the call. */
  throw(error: unknown): IteratorResult<Suspension, void> {
    const { running } = this;
    if (running === undefined) throw error;
    return this.advance(() => running.throw(error));
  }

  then<A = void, B = never>(
    onFulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.toPromise().then(onFulfilled, onRejected);
  }

  block(): void {
    const { once } = this;
    once.table.thread.checkMayBlock();
    const call = this.use();
    while (!begin(once)) if (new OnceWait(once).block()) return;
    try {
      const result = call();
      if (isGenerator(result)) once.table.thread.driveBlocking(result);
      else if (isThenable(result))
        throw new MisuseError(
          "Once.do: block() cannot wait for an async call: it holds the thread that the call needs",
        );
    } finally {
      end(once);
    }
  }

  private async toPromise(): Promise<void> {
    const { once } = this;
    const call = this.use();
    while (!begin(once)) if (await new OnceWait(once)) return;
    try {
      const result = call();
      if (isGenerator(result)) await once.table.thread.drive(result);
      else await result;
    } finally {
      end(once);
    }
  }

  private use(): () => unknown {
    if (this.used) throw usedTwice();
    this.used = true;
    return this.call;
  }

  /** Makes a step of the call, and says so when it has ended. */
  private advance(step: () => IteratorResult<unknown, unknown>): IteratorResult<Suspension, void> {
    let ended = true;
    try {
      const result = step();
      ended = result.done === true;
      return ended ? proceed<void>(undefined) : (result as IteratorYieldResult<Suspension>);
    } finally {
      if (ended) {
        this.running = undefined;
        end(this.once);
      }
    }
  }
}

/** Whether the caller is the one to make the call. */
function begin({ table, base }: Once): boolean {
  const { i32, thread } = table;
  if (Atomics.compareExchange(i32, base + ONCE_STATE, NOT_CALLED, CALLING) !== NOT_CALLED) return false;
  i32[base + ONCE_OWNER] = thread.ownerMark();
  return true;
}

/** Undoes a call that was lost, which `isLost` tells by its owner word; while all machines are held. Returns the goroutines to make ready: one of them will make the call. */
export function forgetLostCall(
  { i32, descriptors }: Waker,
  base: number,
  isLost: (owner: number) => boolean,
): number[] {
  if (Atomics.load(i32, base + ONCE_STATE) !== CALLING) return [];
  const owner = i32[base + ONCE_OWNER];
  if (owner !== NO_OWNER && !isLost(owner)) return [];
  i32[base + ONCE_OWNER] = NO_OWNER;
  Atomics.store(i32, base + ONCE_STATE, NOT_CALLED);
  return drainWaiters(i32, base + ONCE_WAITERS, descriptors);
}

/** The call has ended: those that wait go on. */
function end({ table, base }: Once): void {
  const { thread, i32 } = table;
  acquire(i32, base + O_LOCK, thread.number);
  Atomics.store(i32, base + ONCE_STATE, DONE);
  const woken = drainWaiters(i32, base + ONCE_WAITERS, thread.descriptors);
  release(i32, base + O_LOCK);
  thread.readyAll(woken);
}

function* awaiting(thread: Thread, promise: PromiseLike<unknown>): Goroutine<unknown> {
  return yield* new AwaitOperation(thread, promise);
}

/** Waits for the call of another. False if that was lost with its thread. */
class OnceWait extends Operation<boolean> {
  readonly reason: WaitReason = REASON_ONCE;
  /** Held, so that the record lives as long as somebody waits. */
  private readonly once: Once;

  constructor(once: Once) {
    super(once.table.thread);
    this.once = once;
  }

  attempt(): boolean {
    return Atomics.load(this.thread.i32, this.once.base + ONCE_STATE) !== CALLING;
  }

  enqueue(goroutine: number, descriptor: number): boolean {
    const { i32, number } = this.thread;
    const { base } = this.once;
    acquire(i32, base + O_LOCK, number);
    const wait = !this.attempt();
    if (wait) enqueueWaiter(i32, base + ONCE_WAITERS, ownWaiter(i32, descriptor, goroutine));
    release(i32, base + O_LOCK);
    return wait;
  }

  abandon(frame: Frame): boolean {
    const { i32, number } = this.thread;
    const { base } = this.once;
    acquire(i32, base + O_LOCK, number);
    const found = removeWaiter(i32, base + ONCE_WAITERS, frame.base + G_WAITER);
    release(i32, base + O_LOCK);
    return found;
  }

  finish(): boolean {
    return Atomics.load(this.thread.i32, this.once.base + ONCE_STATE) === DONE;
  }
}

printsAs(Once.prototype, ({ index }) => `Once(${index})`);
printsAs(Doing.prototype, () => "Op { once }");

/** How Onces travel in values. */
export function onceKind(thread: Thread): ReferenceKind<Once> {
  return objectKind(thread, ONCE_KIND, Once.prototype, Once.is, (table, index) => new Once(table, index));
}
