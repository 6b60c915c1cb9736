/** A started goroutine on its machine: what cannot leave the thread. */

import type { WaitReason } from "../../goroutine/wait-reason.ts";
import type { DeferredCall, Unwinding } from "../machine/unwinding.ts";

/** What a frame can wait for, as far as its cancellation is concerned. */
export interface Abandonable {
  /** Takes the waiter of `frame` out of the queue it stands in. False if it is not there any more: it has been served, and its wake-up is under way. */
  abandon(frame: Frame): boolean;
}

/** Something to wait for, as the thread sees it that waits: an Operation, which says what each of these is. */
export interface Waitable<T> extends Abandonable {
  readonly reason: WaitReason;
  attempt(): boolean;
  enqueue(goroutine: number, base: number): boolean;
  resume(interrupt: Error | undefined): boolean;
  finish(): T;
}

/** Driven by `next`. */
export const FRAME_GENERATOR = 1;
/** An async body: driven by its own promises. */
export const FRAME_ASYNC = 2;
/** A plain body: runs to its end at once, but may block its thread. */
export const FRAME_PLAIN = 3;
/** Not a goroutine: a promise that settles when its operation is done. */
export const FRAME_PROMISE = 4;
/** Not a goroutine: a thread that sleeps until its operation is done. */
export const FRAME_BLOCKED = 5;

/** What few frames have. */
class Rarities {
  interrupt: Error | undefined = undefined;
  wake: (() => void) | undefined = undefined;
  fail: ((error: unknown) => void) | undefined = undefined;
  ownerBase = 0;
  ownerId = 0;
  defers: DeferredCall[] | undefined = undefined;
  unwinding: Unwinding | undefined = undefined;
}

const LASTING = 1;
const CANCEL_TOLD = 2;
const EXITING = 4;
const WOKEN = 8;
const YIELDED = 16;
const MARK_BITS = 5;

/** A hundred thousand of these may be parked at once, so what most never have is kept apart, and what is yes or no shares a word. */
export class Frame {
  /** Number and first descriptor word of the goroutine (of the pseudo-goroutine for the last two kinds); 0 if it has ended and the frame is `lasting`. */
  goroutine = 0;
  base = 0;
  kind: number = FRAME_GENERATOR;
  /** What drives it, once it has been suspended. */
  generator: Generator<unknown, unknown, unknown> | undefined = undefined;
  /** What it waits for. */
  operation: Abandonable | undefined = undefined;
  /** Joins that it has waited in. */
  joins = 0;
  /** Its goroutine as the owner of a lock, kept here by sync/lock-owner from the first lock it takes; 0 before. */
  ownerMark = 0;
  private marks = 0;
  private rare: Rarities | undefined = undefined;

  /** Continuations of async functions may refer to it also when its goroutine has ended: it is not used again. */
  get lasting(): boolean {
    return (this.marks & LASTING) !== 0;
  }
  set lasting(on: boolean) {
    this.mark(LASTING, on);
  }

  /** Whether its cancellation has been told: it is told once. */
  get cancelTold(): boolean {
    return (this.marks & CANCEL_TOLD) !== 0;
  }
  set cancelTold(on: boolean) {
    this.mark(CANCEL_TOLD, on);
  }

  /** `goexit` was called: nothing saves the goroutine any more. */
  get exiting(): boolean {
    return (this.marks & EXITING) !== 0;
  }
  set exiting(on: boolean) {
    this.mark(EXITING, on);
  }

  /** Set for a FRAME_BLOCKED that was made ready. */
  get woken(): boolean {
    return (this.marks & WOKEN) !== 0;
  }
  set woken(on: boolean) {
    this.mark(WOKEN, on);
  }

  /** Set while a generator gives way; taken when it is resumed. */
  get yielded(): boolean {
    return (this.marks & YIELDED) !== 0;
  }
  set yielded(on: boolean) {
    this.mark(YIELDED, on);
  }

  /** What the operation throws instead of its outcome: set when the frame was made ready because of a cancellation. */
  get interrupt(): Error | undefined {
    return this.rare?.interrupt;
  }
  set interrupt(error: Error | undefined) {
    if (error !== undefined || this.rare !== undefined) this.rarities().interrupt = error;
  }

  /** Called when a FRAME_PROMISE is made ready. */
  get wake(): (() => void) | undefined {
    return this.rare?.wake;
  }
  set wake(call: (() => void) | undefined) {
    this.rarities().wake = call;
  }

  /** Rejects the promise of a FRAME_PROMISE: the runtime is gone. */
  get fail(): ((error: unknown) => void) | undefined {
    return this.rare?.fail;
  }
  set fail(call: ((error: unknown) => void) | undefined) {
    this.rarities().fail = call;
  }

  /** Whose operation a FRAME_PROMISE or FRAME_BLOCKED waits for, if a goroutine's. */
  get ownerBase(): number {
    return this.rare === undefined ? 0 : this.rare.ownerBase;
  }
  /** That goroutine's id, 0 for none: it may have ended, and its descriptor be another's. */
  get ownerId(): number {
    return this.rare === undefined ? 0 : this.rare.ownerId;
  }
  /** Says whose operation it waits for; an id of 0 for nobody's. */
  setOwner(base: number, id: number): void {
    const rare = this.rarities();
    rare.ownerBase = base;
    rare.ownerId = id;
  }

  /** Deferred calls, the first registered first. */
  get defers(): DeferredCall[] | undefined {
    return this.rare?.defers;
  }
  set defers(calls: DeferredCall[] | undefined) {
    this.rarities().defers = calls;
  }

  /** Set once the deferred calls run. */
  get unwinding(): Unwinding | undefined {
    return this.rare?.unwinding;
  }
  set unwinding(unwinding: Unwinding | undefined) {
    this.rarities().unwinding = unwinding;
  }

  /** Forgets its goroutine. */
  clear(): void {
    this.generator = undefined;
    this.operation = undefined;
    this.joins = 0;
    this.ownerMark = 0;
    this.marks &= LASTING;
    this.rare = undefined;
  }

  /** Whether everything there is to know of it fits into a place of PackedFrames. */
  get isPackable(): boolean {
    return this.kind === FRAME_GENERATOR && this.rare === undefined && (this.marks & LASTING) === 0;
  }

  /** What is no reference and no place in memory, as one word. */
  get packedState(): number {
    return (this.joins << MARK_BITS) | this.marks;
  }
  set packedState(state: number) {
    this.joins = state >>> MARK_BITS;
    this.marks = state & ((1 << MARK_BITS) - 1);
  }

  private mark(bit: number, on: boolean): void {
    this.marks = on ? this.marks | bit : this.marks & ~bit;
  }

  private rarities(): Rarities {
    this.rare ??= new Rarities();
    return this.rare;
  }
}

/** Whether it runs in steps of a generator. */
export function isDriven(frame: Frame): boolean {
  return frame.kind === FRAME_GENERATOR || frame.generator !== undefined;
}

/** Whether a goroutine is not to be told that it is cancelled: it has been, or it is in its deferred calls, which are to do their work. */
export function isShielded(frame: Frame): boolean {
  return frame.cancelTold || frame.unwinding !== undefined;
}
