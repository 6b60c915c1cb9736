/**
 * Waiting without being a goroutine's generator: how a promise is settled with an operation's outcome, and how a generator that is no goroutine's body is driven to its end.
 *
 * In either case a pseudo-goroutine (see waiters.ts) waits for its owner. It is not over with the first wake-up: an operation may have to compete once more.
 */

import type { MisuseError } from "../../base/errors.ts";
import { RUNNING, WAITING } from "../../goroutine/status.ts";
import { REASON_AWAIT } from "../../goroutine/wait-reason.ts";
import { G_CANCELED, G_STATUS } from "../../memory/layout.ts";
import { FRAME_PROMISE, type Frame, type Waitable } from "../frames/frame.ts";
import { foreignYield, iteratedOver, SUSPENSION } from "../frames/suspension.ts";
import { notInGoroutine } from "./thread.ts";
import { WaitingThread } from "./waiters.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const STATUS = G_STATUS;
const CANCELED = G_CANCELED;

export abstract class PromisingThread extends WaitingThread {
  /** A promise of this thread waits for the runtime from now on. */
  protected abstract promiseStarted(): void;
  /** It no longer does. */
  protected abstract promiseSettled(): void;

  promiseFor<T>(operation: Waitable<T>, resolve: (value: T) => void, reject: (error: unknown) => void): void {
    if (operation.attempt()) {
      resolve(operation.finish());
      return;
    }
    const canceled = this.takeCancellation();
    if (canceled !== undefined) {
      if (!this.goesThroughAfterAll(operation)) throw canceled;
      resolve(operation.finish());
      return;
    }
    const frame = this.newWaiter(FRAME_PROMISE, operation.reason);
    this.promiseStarted();
    const settle = (): void => {
      let outcome: T;
      try {
        if (!this.isOver(operation, frame)) return;
        this.settling = this.ownerOf(frame);
        outcome = operation.finish();
      } catch (error) {
        this.endPromise(frame);
        reject(error);
        return;
      } finally {
        this.settling = undefined;
      }
      this.endPromise(frame);
      resolve(outcome);
    };
    frame.wake = settle;
    frame.fail = reject;
    frame.operation = operation;
    let waits = false;
    try {
      waits = operation.enqueue(frame.goroutine, frame.base);
    } finally {
      if (!waits) this.endPromise(frame);
    }
    if (!waits) resolve(operation.finish());
  }

  inBackground<T>(operation: Waitable<T>, then: () => void): void {
    if (operation.attempt()) {
      then();
      return;
    }
    const frame = this.newWaiter(FRAME_PROMISE, operation.reason);
    frame.setOwner(0, 0);
    frame.wake = () => {
      this.freeWaiter(frame);
      then();
    };
    if (!operation.enqueue(frame.goroutine, frame.base)) frame.wake();
  }

  private endPromise(frame: Frame): void {
    this.freeWaiter(frame);
    this.promiseSettled();
  }

  /** The waiter of a promise or of a blocked thread was made ready. False if its operation waits once more; throws what the operation throws instead of its outcome. */
  protected isOver(operation: Waitable<unknown>, frame: Frame): boolean {
    const { interrupt } = frame;
    frame.interrupt = undefined;
    if (operation.resume(interrupt)) return true;
    const canceled = this.cancellationOf(this.ownerOf(frame) ?? frame);
    if (canceled !== undefined && operation.resume(canceled)) return true;
    return operation.attempt() || !this.waitOnceMore(operation, frame);
  }

  /** False if the operation went through after all. */
  private waitOnceMore(operation: Waitable<unknown>, frame: Frame): boolean {
    this.i32[frame.base + STATUS] = WAITING;
    const waits = operation.enqueue(frame.goroutine, frame.base);
    if (!waits) this.noteWoken(frame);
    return waits;
  }

  rejection(error: unknown): Promise<never> {
    return Promise.reject(error);
  }

  // ── driven generators ──

  /**
   * Runs a generator that is no goroutine's body to its end, as a promise: for a call that an async body or the host was given. Where it parks, a pseudo-goroutine waits in its place;
   * its steps run in microtasks of this thread.
   */
  async drive<R>(generator: Generator<unknown, R, unknown>): Promise<R> {
    const frame = this.newDriven(FRAME_PROMISE, generator);
    this.promiseStarted();
    try {
      for (;;) {
        const result = this.stepDriven(frame);
        if (result.done) return result.value as R;
        // Nobody can have made it ready yet: this thread has not looked since.
        await new Promise<void>((resolve, reject) => {
          frame.wake = resolve;
          frame.fail = reject;
        });
      }
    } finally {
      this.endPromise(frame);
    }
  }

  driveBlocking<R>(_generator: Generator<unknown, R, unknown>): R {
    throw notInGoroutine("block()");
  }

  /** Runs `step` with this frame as the one that parks. */
  protected asCurrent<R>(_frame: Frame, _step: () => R): R {
    throw notInGoroutine("await");
  }

  /** The frame of a generator that has no goroutine. */
  protected newDriven(kind: number, generator: Generator<unknown, unknown, unknown>): Frame {
    const frame = this.newWaiter(kind, REASON_AWAIT);
    frame.generator = generator;
    return frame;
  }

  /** Runs a driven generator until it parks or ends. */
  protected stepDriven(frame: Frame): IteratorResult<unknown, unknown> {
    const { i32 } = this;
    const generator = frame.generator as Generator<unknown, unknown, unknown>;
    const owner = this.ownerOf(frame);
    frame.operation = undefined;
    i32[frame.base + STATUS] = RUNNING;
    // What parks looks here first, whether its goroutine is cancelled, and only then asks the goroutine that is meant.
    if (owner !== undefined) i32[frame.base + CANCELED] = Atomics.load(i32, owner.base + CANCELED);
    return this.asCurrent(frame, () => {
      const result = this.nextOf(frame, generator);
      if (result.done === true && frame.operation !== undefined) throw this.wentOn(frame);
      return result;
    });
  }

  private nextOf(
    frame: Frame,
    generator: Generator<unknown, unknown, unknown>,
  ): IteratorResult<unknown, unknown> {
    try {
      let result = generator.next();
      while (!result.done && result.value !== SUSPENSION) result = generator.throw(foreignYield());
      return result;
    } catch (error) {
      this.callOff(frame);
      throw error;
    }
  }

  /** What a body is told that did not stop where an operation had parked it: it has taken the operation for something to iterate over. The operation is called off if it still can be. */
  protected wentOn(frame: Frame): MisuseError {
    this.callOff(frame);
    return iteratedOver();
  }

  /** Takes a running goroutine out of the queue it stands in. False if it has been served: then it is about to be made ready. */
  protected callOff(frame: Frame): boolean {
    if (frame.operation?.abandon(frame) !== true) return false;
    this.i32[frame.base + STATUS] = RUNNING;
    frame.operation = undefined;
    return true;
  }
}
