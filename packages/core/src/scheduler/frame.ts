/** A started goroutine on its machine: what cannot leave the thread. */

import type { DeferredCall, Unwinding } from "./unwinding.ts";

/** What a frame can wait for, as far as its cancellation is concerned. */
export interface Abandonable {
  /** Takes the waiter of `frame` out of the queue it stands in. False if it is not there any more: it has been served, and its wake-up is under way. */
  abandon(frame: Frame): boolean;
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

export class Frame {
  /** Number and first descriptor word of the goroutine (of the pseudo-goroutine for the last two kinds); 0 if it has ended and the frame is `lasting`. */
  goroutine = 0;
  base = 0;
  kind: number = FRAME_GENERATOR;
  generator: Generator<unknown, unknown, unknown> | undefined = undefined;
  /** What it waits for. */
  operation: Abandonable | undefined = undefined;
  /** What the operation throws instead of its outcome: set when the frame was made ready because of a cancellation. */
  interrupt: Error | undefined = undefined;
  /** Continuations of async functions may refer to it also when its goroutine has ended: it is not used again. */
  lasting = false;
  /** Whether its cancellation has been told: it is told once. */
  cancelTold = false;
  /** Called when a FRAME_PROMISE is made ready. */
  wake: (() => void) | undefined = undefined;
  /** Rejects the promise of a FRAME_PROMISE: the runtime is gone. */
  fail: ((error: unknown) => void) | undefined = undefined;
  /** Whose operation a FRAME_PROMISE or FRAME_BLOCKED waits for, if a goroutine's. */
  ownerBase = 0;
  /** That goroutine's id, 0 for none: it may have ended, and its descriptor be another's. */
  ownerId = 0;
  /** Deferred calls, the first registered first. */
  defers: DeferredCall[] | undefined = undefined;
  /** Set once the deferred calls run. */
  unwinding: Unwinding | undefined = undefined;
  /** `goexit` was called: nothing saves the goroutine any more. */
  exiting = false;
  /** Set for a FRAME_BLOCKED that was made ready. */
  woken = false;
  /** Set while a generator gives way; taken when it is resumed. */
  yielded = false;
}

/** Whether a goroutine is not to be told that it is cancelled: it has been, or it is in its deferred calls, which are to do their work. */
export function isShielded(frame: Frame): boolean {
  return frame.cancelTold || frame.unwinding !== undefined;
}

/** The frames of one thread, by place; places are reused. Place 0 stays empty. */
export class FrameTable {
  private readonly frames: (Frame | undefined)[] = [undefined];
  private readonly free: number[] = [];
  private readonly spare: Frame[] = [];

  /** A frame that is not in the table. */
  take(): Frame {
    return this.spare.pop() ?? new Frame();
  }

  /** Gives a place to a frame that outlives this call of the scheduler. */
  add(frame: Frame): number {
    const place = this.free.pop();
    if (place === undefined) return this.frames.push(frame) - 1;
    this.frames[place] = frame;
    return place;
  }

  at(place: number): Frame {
    const frame = this.frames[place];
    if (frame === undefined) throw new Error(`frame table: no frame at place ${place}`);
    return frame;
  }

  /** Frees the place (0: it never had one) and keeps the object for the next goroutine. */
  remove(place: number, frame: Frame): void {
    if (place !== 0) {
      this.frames[place] = undefined;
      this.free.push(place);
    }
    frame.generator = undefined;
    frame.operation = undefined;
    frame.interrupt = undefined;
    frame.cancelTold = false;
    frame.yielded = false;
    frame.ownerId = 0;
    frame.defers = undefined;
    frame.unwinding = undefined;
    frame.exiting = false;
    frame.wake = undefined;
    frame.fail = undefined;
    if (frame.lasting) frame.goroutine = frame.base = 0;
    else if (this.spare.length < SPARE_FRAMES) this.spare.push(frame);
  }

  /** Calls `visit` for every frame in the table. */
  forEach(visit: (frame: Frame) => void): void {
    for (const frame of this.frames) if (frame !== undefined) visit(frame);
  }
}

/** Kept for reuse; a guess at what a burst needs. */
const SPARE_FRAMES = 4096;
