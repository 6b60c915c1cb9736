/** A promise as an operation: lets a generator wait for what only the event loop can bring. */

import { REASON_AWAIT, type WaitReason } from "../../goroutine/wait-reason.ts";
import type { Frame } from "../frames/frame.ts";
import { Operation } from "../thread/operation.ts";
import type { Thread } from "../thread/thread.ts";

/** Whether a value is to be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === "object" || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

/**
 * A promise that calls back once, and not before `then` has returned: what the engine's own do. A program's thenable may call back twice or at once, or throw when it is asked for `then`; a goroutine that
 * ended twice would end another. `then` is called here, in the goroutine, which is how a returned operation knows on whose behalf it waits.
 */
export function wellBehaved<T>(promise: PromiseLike<T>): PromiseLike<T> {
  if (promise instanceof Promise && promise.then === Promise.prototype.then) return promise;
  return new Promise<T>((resolve, reject) => {
    promise.then(resolve, reject);
  });
}

export class AwaitOperation<T> extends Operation<T> {
  readonly reason: WaitReason = REASON_AWAIT;
  private readonly promise: PromiseLike<T>;
  private waiter = 0;
  private failed = false;
  private value: unknown = undefined;

  constructor(thread: Thread, promise: PromiseLike<T>) {
    super(thread);
    this.promise = promise;
  }

  attempt(): boolean {
    return false;
  }

  enqueue(goroutine: number): boolean {
    this.waiter = goroutine;
    this.thread.externalStarted();
    wellBehaved(this.promise).then(
      (value) => this.settle(value, false),
      (error: unknown) => this.settle(error, true),
    );
    return true;
  }

  private settle(value: unknown, failed: boolean): void {
    const { waiter } = this;
    this.value = value;
    this.failed = failed;
    this.thread.externalSettled();
    if (waiter === 0) return;
    this.waiter = 0;
    this.thread.ready(waiter);
  }

  abandon(_frame: Frame): boolean {
    const waited = this.waiter !== 0;
    this.waiter = 0;
    return waited;
  }

  finish(): T {
    if (this.failed) throw this.value;
    return this.value as T;
  }
}
