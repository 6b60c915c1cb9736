/**
 * A goroutine's outcome, for whoever holds the handle.
 *
 * A handle keeps the descriptor until the goroutine has ended and its result is read; then the result lives here and the descriptor goes back. Each thread that a handle
 * was sent to has an object of its own, which counts as one reference (G_REFS).
 */

import { printsAs } from "../../base/printing.ts";
import { isDone, isDoneHere, join, leave, releaseHandle } from "../../goroutine/completion.ts";
import { FAILED, TAG_MASK } from "../../goroutine/descriptor.ts";
import { RUNNING } from "../../goroutine/status.ts";
import { REASON_JOIN } from "../../goroutine/wait-reason.ts";
import { G_ARGS, G_ID, G_META, G_STATUS, G_WORDS } from "../../memory/layout.ts";
import { TAG_BIGINT, TAG_NUMBER, TAG_UNDEFINED } from "../../values/tags.ts";
import type { Abandonable, Frame } from "../frames/frame.ts";
import { PARKED, proceed, type Suspension } from "../frames/suspension.ts";
import { cancellation } from "./cancellation.ts";
import { Operation } from "./operation.ts";
import type { Thread } from "./thread.ts";

// Rebound: V8 folds a module's own constants, and imported or exported ones cost a load and a check each.
const WORDS = G_WORDS;
const TAG = TAG_MASK;
const FAILED_FLAG = FAILED;
const PARKED_RESULT = PARKED;

const META = G_META;
const STATUS = G_STATUS;
const IS_RUNNING = RUNNING;
const ARGS = G_ARGS;
const NUMBER = TAG_NUMBER;
const UNDEFINED = TAG_UNDEFINED;
/** Tags up to this one name nothing that would have to be freed. */
const LAST_PLAIN = TAG_BIGINT;

const OPEN = 0;
const RETURNED = 1;
const THREW = 2;

/** One double, to be read and written as two words. */
const cell = new Float64Array(1);
const cellWords = new Int32Array(cell.buffer);

export class GoroutineHandle<R> implements PromiseLike<R>, Abandonable {
  /** The id's two words: a field that holds a double would cost every handle an object of its own on the heap. */
  private idLow = 0;
  private idHigh = 0;
  /** Where the thread keeps it while the goroutine runs. */
  place = 0;
  readonly thread: Thread;
  readonly goroutine: number;
  /** Private to the engine, too: a program can copy the prototype, but not this field. So it tells a real handle. */
  #state = OPEN;
  /** The outcome; while the goroutine runs, the promise of those who await it on this thread. */
  private value: unknown = undefined;

  /** For a goroutine that was just created, or one that a reference was counted for; 0 for a handle that will be given its outcome. */
  constructor(thread: Thread, goroutine: number) {
    this.thread = thread;
    this.goroutine = goroutine;
    if (goroutine !== 0) {
      const word = this.base + G_ID;
      this.idLow = thread.i32[word];
      this.idHigh = thread.i32[word + 1];
      thread.openHandles.add(this as GoroutineHandle<unknown>);
    }
  }

  /** Goroutine id: unique in the runtime, never reused. */
  get id(): number {
    cellWords[0] = this.idLow;
    cellWords[1] = this.idHigh;
    return cell[0] as number;
  }

  /** A handle without a goroutine: `fill` gives it its outcome. */
  static settled(thread: Thread): GoroutineHandle<unknown> {
    return new GoroutineHandle<unknown>(thread, 0);
  }

  /** What a handle carries to another thread when its goroutine has ended and the descriptor is gone; `undefined` before. */
  outcome(): { id: number; failed: boolean; value: unknown } | undefined {
    if (this.#state === OPEN) return undefined;
    return { id: this.id, failed: this.#state === THREW, value: this.value };
  }

  /** Takes an outcome that was carried here. */
  fill({ id, failed, value }: { id: number; failed: boolean; value: unknown }): void {
    cell[0] = id;
    this.idLow = cellWords[0] as number;
    this.idHigh = cellWords[1] as number;
    this.value = value;
    this.#state = failed ? THREW : RETURNED;
  }

  /** Whether this is really a handle. */
  static is(value: object): value is GoroutineHandle<unknown> {
    return #state in value;
  }

  /** First word of the descriptor, which is the goroutine's until the outcome has been moved here. */
  get base(): number {
    return this.thread.descriptors + this.goroutine * WORDS;
  }

  /** Whether the goroutine has ended. */
  get done(): boolean {
    return this.#state !== OPEN || isDone(this.thread.i32, this.base);
  }

  /** Moves the result here if the goroutine has ended. */
  trySettle(): boolean {
    return this.#state !== OPEN || this.settleFrom(this.base);
  }

  /** `trySettle` for an open handle, whose descriptor is at `base`. */
  private settleFrom(base: number): boolean {
    const { thread } = this;
    const { i32, f64 } = thread;
    if (!isDoneHere(i32, base, thread.number)) return false;
    const meta = i32[base + META];
    const tag = meta & TAG;
    this.#state = (meta & FAILED_FLAG) === 0 ? RETURNED : THREW;
    if (tag === NUMBER) this.value = f64[(base + ARGS) >> 1];
    else if (tag === UNDEFINED) this.value = undefined;
    else this.readResult(tag);
    thread.openHandles.remove(this as GoroutineHandle<unknown>);
    if (releaseHandle(i32, base)) {
      if (tag > LAST_PLAIN) thread.codec.drop(base + ARGS, tag);
      thread.freeDescriptor(this.goroutine, base);
    }
    return true;
  }

  /** Copies the result out; the last of the handles drops what was copied. */
  private readResult(tag: number): void {
    try {
      this.value = this.thread.codec.peek(this.base + ARGS, tag);
    } catch (error) {
      this.value = error;
      this.#state = THREW;
    }
  }

  /** The outcome of an ended goroutine. */
  result(): R {
    if (this.#state === THREW) {
      this.thread.noticeError(this.value);
      throw this.value;
    }
    return this.value as R;
  }

  [Symbol.iterator](): Iterator<Suspension, R, unknown> {
    return this;
  }

  next(): IteratorResult<Suspension, R> {
    const { thread } = this;
    // Resumed because this one was cancelled. First: the goroutine may have ended since, and the next operation must not find the interrupt.
    const interrupt = thread.takeInterrupt();
    if (interrupt !== undefined) throw interrupt;
    if (this.trySettle()) return proceed(this.result());
    const { base } = this;
    if (thread.runAwaited(this.goroutine, base) && this.trySettle()) return proceed(this.result());
    const frame = thread.parkCurrent(this, REASON_JOIN);
    frame.joins++;
    let waits = false;
    try {
      waits = join(thread.i32, base, frame.goroutine, frame.base);
    } finally {
      if (!waits) {
        // See Operation.next.
        thread.i32[frame.base + STATUS] = IS_RUNNING;
        frame.operation = undefined;
      }
    }
    if (waits) return PARKED_RESULT;
    this.trySettle();
    return proceed(this.result());
  }

  /** Takes a joiner out again. */
  abandon(frame: Frame): boolean {
    const { thread } = this;
    const baseOf = (goroutine: number): number => thread.descriptorOf(goroutine);
    return leave(thread.i32, this.base, frame.goroutine, baseOf, thread.joinHolder());
  }

  then<A = R, B = never>(
    onFulfilled?: ((value: R) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    if (this.trySettle()) return this.settledPromise().then(onFulfilled, onRejected);
    this.value ??= new JoinOperation<R>(this).toPromise();
    return (this.value as Promise<R>).then(onFulfilled, onRejected);
  }

  /** Calls `then` when the goroutine has ended. Keeps nothing alive. */
  whenDone(then: () => void): void {
    this.thread.inBackground(new JoinOperation<R>(this), then);
  }

  /** See the public type. */
  cancel(cause?: unknown): void {
    if (!this.trySettle()) cancellation.cancel(this.thread, this.goroutine, cause);
  }

  private settledPromise(): Promise<R> {
    if (this.#state !== THREW) return Promise.resolve(this.value as R);
    this.thread.noticeError(this.value);
    return this.thread.rejection(this.value);
  }

  block(): R {
    return new JoinOperation<R>(this).block();
  }
}

printsAs<GoroutineHandle<unknown>>(
  GoroutineHandle.prototype,
  ({ id, done }) => `Handle(${id}) { done: ${done} }`,
);

/** One wait for a handle. */
class JoinOperation<R> extends Operation<R> {
  readonly reason = REASON_JOIN;
  private readonly handle: GoroutineHandle<R>;

  constructor(handle: GoroutineHandle<R>) {
    super(handle.thread);
    this.handle = handle;
  }

  attempt(): boolean {
    return this.handle.trySettle();
  }

  enqueue(waiter: number, base: number): boolean {
    return join(this.thread.i32, this.handle.base, waiter, base);
  }

  abandon(frame: Frame): boolean {
    return this.handle.abandon(frame);
  }

  finish(): R {
    this.handle.trySettle();
    return this.handle.result();
  }
}
