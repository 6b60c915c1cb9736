/**
 * Something that may park: one object for `yield*`, `await` and `block()`.
 *
 * A subclass says four things. `attempt` tries without waiting. `enqueue` puts a waiter into the queue it is to wait in, or finds under the queue's lock that it can go on after all. `finish` runs
 * after the waiter was made ready and produces the outcome. `abandon` takes the waiter out again, when its goroutine was cancelled. The three kinds of use differ only in what the waiter is: the goroutine itself (`yield*`),
 * a pseudo-goroutine behind a promise (`await`; an async body may have several, so they cannot be the goroutine itself), or one behind a sleeping thread (`block`).
 *
 * `yield*` on a hand-written iterator is half the price of `yield*` on a generator, and the result objects are shared: whoever
 * drives an iterator reads them before anything else runs.
 */

import { MisuseError } from "../../base/errors.ts";
import { printsAs } from "../../base/printing.ts";
import { RUNNING } from "../../goroutine/status.ts";
import { type WaitReason, waitReasonName } from "../../goroutine/wait-reason.ts";
import { G_STATUS } from "../../memory/layout.ts";
import { neverCopied } from "../../values/classify.ts";
import type { Frame, Waitable } from "../frames/frame.ts";
import { PARKED, proceed, type Suspension } from "../frames/suspension.ts";
import { isCancellation } from "./cancellation.ts";
import type { Thread } from "./thread.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const STATUS = G_STATUS;
const IS_RUNNING = RUNNING;

/** An operation's state: nobody has used it. */
export const FRESH = 0;
const PENDING = 1;
/** Somebody has. */
export const USED = 2;

export abstract class Operation<T> implements PromiseLike<T>, Waitable<T> {
  // Declared, and assigned in the constructor: V8 takes twice as long over an object with field initialisers, and programs make an operation at every step.
  declare readonly thread: Thread;
  declare protected state: number;
  /** Why a goroutine that waits here waits. */
  abstract readonly reason: WaitReason;

  constructor(thread: Thread) {
    this.thread = thread;
    this.state = FRESH;
  }

  /** Tries to go through without waiting. True if done: `finish` gives the outcome. */
  abstract attempt(): boolean;
  /** Queues the waiter of a goroutine (its number, and its descriptor's first word). False if the operation went through instead. */
  abstract enqueue(goroutine: number, base: number): boolean;
  /** Takes the waiter of `frame` out of the queue. False if it has been served. */
  abstract abandon(frame: Frame): boolean;
  /** The outcome of an operation that went through, now or because the waiter was made ready. May throw. */
  abstract finish(): T;

  [Symbol.iterator](): Iterator<Suspension, T, unknown> {
    return this;
  }

  /**
   * The waiter was made ready: because it was served or, with `interrupt`, because its goroutine was cancelled. True if the operation is over. An operation whose waiters compete once more (a
   * mutex, where somebody may have been faster) returns false: it is attempted again, and its waiter queued again if need be. It is then asked a second time if the goroutine was cancelled meanwhile.
   */
  resume(interrupt: Error | undefined): boolean {
    if (interrupt !== undefined) throw interrupt;
    return true;
  }

  next(): IteratorResult<Suspension, T> {
    if (this.state === PENDING) {
      this.state = USED;
      if (this.resume(this.thread.takeInterrupt())) return proceed(this.finish());
      const canceled = this.thread.takeCancellation();
      if (canceled !== undefined && this.resume(canceled)) return proceed(this.finish());
    } else {
      this.use();
    }
    if (this.attempt()) return proceed(this.finish());
    const frame = this.park();
    if (frame === undefined) return proceed(this.finish());
    let waits = false;
    try {
      waits = this.enqueue(frame.goroutine, frame.base);
    } finally {
      if (!waits) {
        // It runs on. Without a call: the stack may have ended. (Under a lock, the thread does: see memory/thread-lock.)
        this.thread.i32[frame.base + STATUS] = IS_RUNNING;
        frame.operation = undefined;
      }
    }
    if (!waits) return proceed(this.finish());
    this.state = PENDING;
    return PARKED;
  }

  /** Parks the goroutine. `undefined` if it was cancelled since the attempt, and another attempt succeeded. */
  private park(): Frame | undefined {
    const { thread } = this;
    try {
      return thread.parkCurrent(this as Waitable<unknown>, this.reason);
    } catch (error) {
      if (isCancellation(error) && thread.goesThroughAfterAll(this)) return undefined;
      throw error;
    }
  }

  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.toPromise().then(onFulfilled, onRejected);
  }

  /** The operation as a promise of this thread. */
  toPromise(): Promise<T> {
    return new Promise((resolve, reject) => {
      this.use();
      this.thread.promiseFor(this, resolve, reject);
    });
  }

  /** Holds this thread until the operation is done. Throws on the host thread. */
  block(): T {
    this.thread.checkMayBlock();
    this.use();
    if (!this.attempt()) {
      const interrupt = this.thread.blockOn(this as Waitable<unknown>);
      if (interrupt !== undefined) throw interrupt;
    }
    return this.finish();
  }

  protected use(): void {
    if (this.state !== FRESH) throw usedTwice();
    this.state = USED;
  }
}

printsAs(Operation.prototype, ({ reason }) => `Op { ${waitReasonName(reason)} }`);
neverCopied(Operation.prototype, "an operation, which only its thread can use,");

/** The error of an operation that is used again. */
export function usedTwice(): MisuseError {
  return new MisuseError("an operation is used once: call the function again for another");
}
