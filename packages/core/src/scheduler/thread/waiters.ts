/**
 * Those who wait on a thread and are no goroutines: a promise, a blocked thread, a generator that is driven. Each has a pseudo-goroutine, which stands in queues like any other, and an owner: the goroutine on whose
 * behalf it waits, whose cancellation is its own.
 */

import { PSEUDO } from "../../goroutine/descriptor.ts";
import { RUNNABLE, WAITING } from "../../goroutine/status.ts";
import type { WaitReason } from "../../goroutine/wait-reason.ts";
import {
  G_CANCELED,
  G_CANCELED_ID,
  G_CONTEXT,
  G_FRAME,
  G_ID,
  G_MACHINE,
  G_META,
  G_NAME_TAG,
  G_PARENT,
  G_SELECT,
  G_STATUS,
  G_WAIT_REASON,
  G_WAITER,
  G_WORDS,
  W_RESULT,
} from "../../memory/layout.ts";
import type { RecordPool } from "../../memory/record-pool.ts";
import { type Frame, isShielded } from "../frames/frame.ts";
import { cancellation, isCancellation } from "./cancellation.ts";
import { CreatingThread } from "./goroutine-creation.ts";
import type { ThreadParts } from "./thread.ts";
import { awaitPool } from "./thread-pools.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const WORDS = G_WORDS;
const STATUS = G_STATUS;
const META = G_META;
const MACHINE = G_MACHINE;
const FRAME = G_FRAME;
const CANCELED = G_CANCELED;
const NAME_TAG = G_NAME_TAG;
const SELECT = G_SELECT;
const CONTEXT = G_CONTEXT;
const RESULT = G_WAITER + W_RESULT;
const ID = G_ID / 2;
const PARENT = G_PARENT / 2;

export abstract class WaitingThread extends CreatingThread {
  /** Always in this thread's own cache. */
  private readonly awaits: RecordPool;
  /** Whose promise is being settled. */
  protected settling: Frame | undefined = undefined;

  constructor(parts: ThreadParts) {
    super(parts);
    this.awaits = awaitPool(this.memory, this.number);
  }

  /** A pseudo-goroutine of this thread, waiting, so that it can stand in a queue. */
  newWaiter(kind: number, reason: WaitReason): Frame {
    const { i32, f64 } = this;
    let goroutine = this.awaits.take();
    if (goroutine === 0) goroutine = this.goroutines.take();
    if (goroutine === 0) goroutine = this.takeWhenFull();
    const base = this.descriptors + goroutine * WORDS;
    const frame = this.frames.take();
    frame.goroutine = goroutine;
    frame.base = base;
    frame.kind = kind;
    frame.woken = false;
    this.setOwner(frame);
    i32[base + META] = PSEUDO;
    i32[base + NAME_TAG] = 0;
    i32[base + SELECT] = 0;
    i32[base + MACHINE] = this.number + 1;
    i32[base + FRAME] = this.frames.add(frame);
    i32[base + CANCELED] = 0;
    i32[base + RESULT] = 0;
    i32[base + STATUS] = WAITING;
    i32[base + G_WAIT_REASON] = reason;
    f64[(base >> 1) + ID] = 0;
    f64[(base >> 1) + PARENT] = this.currentId();
    return frame;
  }

  /**
   * A pseudo-goroutine was made ready. It may be long before its thread sees to that: a blocked one may first have to wait for a processor. It must not look like one that waits and was forgotten meanwhile (see repair/orphans.ts), which would
   * be made ready a second time, and the descriptor serve somebody else by then.
   */
  protected noteWoken(frame: Frame): void {
    this.i32[frame.base + STATUS] = RUNNABLE;
  }

  private setOwner(frame: Frame): void {
    const owner = this.currentFrame();
    if (owner === undefined) return;
    this.settleInTable(owner);
    frame.setOwner(owner.base, this.f64[(owner.base >> 1) + ID]);
  }

  /** The goroutine that a promise or a blocked thread waits for; `undefined` for none, or one that has ended. */
  protected ownerOf(frame: Frame): Frame | undefined {
    if (frame.ownerId === 0 || this.f64[(frame.ownerBase >> 1) + ID] !== frame.ownerId) return undefined;
    const place = this.i32[frame.ownerBase + FRAME];
    return place === 0 ? undefined : this.frames.at(place);
  }

  /** The frame outlives this step of the scheduler: it needs a place that the descriptor can name. */
  protected settleInTable(frame: Frame): void {
    const { i32 } = this;
    if (i32[frame.base + FRAME] === 0) i32[frame.base + FRAME] = this.frames.add(frame);
  }

  /** Gives a pseudo-goroutine back. It must be in no queue. */
  freeWaiter(frame: Frame): void {
    const { i32 } = this;
    const { base, goroutine } = frame;
    this.frames.remove(i32[base + FRAME], frame);
    i32[base + STATUS] = 0;
    this.giveWaiter(goroutine);
  }

  /** Gives the descriptor of a pseudo-goroutine back. */
  giveWaiter(goroutine: number): void {
    const pool = goroutine > this.memory.shape.maxGoroutines ? this.awaits : this.goroutines;
    pool.give(goroutine);
  }

  // ── cancellation ──

  /** The context whose end ends the goroutine whose descriptor is at `base`; 0 for none, and for a mark that came too late for an earlier goroutine. */
  protected cancelMark(base: number): number {
    const context = Atomics.load(this.i32, base + CANCELED);
    if (context === 0) return 0;
    return this.i32[base + G_CANCELED_ID] === (this.f64[(base >> 1) + ID] | 0) ? context : 0;
  }

  /**
   * The goroutine that runs now is about to be thrown its cancellation, which came after an operation was attempted in vain. What tells of it as well, a receive from its context's `done` or a select with that, is ready by now: so the
   * operation is attempted once more, and goes before the error. True if it went through; whether that has told the goroutine, its outcome says (`noticeDone`).
   */
  goesThroughAfterAll(operation: { attempt(): boolean }): boolean {
    const frame = this.currentFrame();
    if (frame === undefined) return false;
    frame.cancelTold = false;
    if (operation.attempt()) return true;
    frame.cancelTold = true;
    return false;
  }

  /** The error by which a goroutine learns that it is cancelled, if it is and has not been told. */
  protected cancellationOf(frame: Frame): Error | undefined {
    if (isShielded(frame)) return undefined;
    const context = this.cancelMark(frame.base);
    if (context === 0) return undefined;
    frame.cancelTold = true;
    return cancellation.errorOf(this, context);
  }

  noticeDone(context: number): void {
    const frame = this.settling ?? this.currentFrame();
    if (frame === undefined) return;
    const own = this.i32[frame.base + CONTEXT];
    if (own === 0) return;
    const endedWithOwn = cancellation.isDone(this, own) && cancellation.isWithin(this, context, own);
    if (endedWithOwn || cancellation.isWithin(this, own, context)) frame.cancelTold = true;
  }

  noticeError(error: unknown): void {
    if (!isCancellation(error)) return;
    const frame = this.settling ?? this.currentFrame();
    if (frame !== undefined && this.cancelMark(frame.base) !== 0) frame.cancelTold = true;
  }
}
