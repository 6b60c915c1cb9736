/**
 * A machine as a thread of the runtime: its state, and what the goroutine that runs on it does. What it runs next, how it gets a processor, how a goroutine is run and how a thread blocks stand in the files that
 * build on this one, each a layer of the same class: find-runnable, processor-holding, body-loading, execution, joining, blocking, machine.
 */

import type { Body } from "../../goroutine/functions.ts";
import { RUNNABLE, transitionRunningToRunnable, transitionToWaiting } from "../../goroutine/status.ts";
import { REASON_AWAIT, type WaitReason } from "../../goroutine/wait-reason.ts";
import {
  CACHE_PARKS,
  CACHE_PREEMPTIONS,
  G_CANCELED,
  G_CONTEXT,
  G_STATUS,
  G_WAITER,
  H_PROCS,
  M_LIFE,
  M_WORDS,
  P_PREEMPT,
  P_WORDS,
  W_RESULT,
} from "../../memory/layout.ts";
import { LocalList } from "../../queue/local-list.ts";
import { RunQueueOwner, RunQueueStealer } from "../../queue/run-queue.ts";
import { type Abandonable, FRAME_BLOCKED, FRAME_PROMISE, type Frame, isDriven } from "../frames/frame.ts";
import { cancellation } from "../thread/cancellation.ts";
import { PromisingThread } from "../thread/promises.ts";
import { notInGoroutine, type ThreadParts } from "../thread/thread.ts";
import { type RandomOrder, randomOrder } from "./random-order.ts";
import { EXIT } from "./unwinding.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const PROMISE = FRAME_PROMISE;
const BLOCKED = FRAME_BLOCKED;
const EXIT_SIGNAL = EXIT;
const STATUS = G_STATUS;
const CANCELED = G_CANCELED;
const RESULT = G_WAITER + W_RESULT;
const CONTEXT = G_CONTEXT;
const PREEMPT = P_PREEMPT;
const PARKS = CACHE_PARKS / 2;

/** Rounds between two looks at the global queue, as Go has it: prime, so as not to fall in step with programs. */
export const GLOBAL_EVERY = 61;

/**
 * What a thief takes should keep it busy so long. By simulating lists of 200 tasks of which one in twenty takes a hundred times longer than the others: with as much as a short task takes (0.2 ms) or twice that, two processors end within 1 % of
 * the ideal, whichever come first; with 1 ms, as with half of the ring, up to 8 % later.
 */
const STEAL_MS = 0.25;
/** Goroutines that must have run for their pace to count as much as the one before. A guess: more than the one or two that are resumed between long ones. */
const PACE_INERTIA = 8;
/** Half of a ring, and more than STEAL_MS is ever worth. */
const MANY_AT_ONCE = 256;

/** Goroutines in a ring from which on it counts as a list of work: then who joins them, or was created last, may wait. A guess. */
export const LIST_IN_RING = 32;

/** Promises settled between two looks at the clock: some ten microseconds' worth. */
const CHAIN_STRIDE = 64;

/** What the thread's package provides. */
export interface MachinePlatform {
  /** Whether something is pending that only a turn of the event loop can bring on. */
  eventsPending(): boolean;
  /** `run` is wanted, though nobody is in it: call it soon. */
  requestRun(): void;
  /** Loads a module for its bodies. */
  load(url: string): Promise<object>;
  /**
   * Runs the thread's microtasks until none are left, here and now. False if that cannot be done. Not to be called from a microtask, where it would do
   * nothing. `run` may be asked for meanwhile, and must then do nothing.
   */
  runMicrotasks(): boolean;
  /** Runs the first part of an async body so that `asyncFrame` finds the frame in all its continuations. */
  enterAsync(frame: Frame, start: () => unknown): unknown;
  /** The frame of the async body whose continuation runs now. */
  asyncFrame(): Frame | undefined;
  /** An error left a `go` body. `base` is the goroutine's descriptor. */
  panic(base: number, error: unknown): void;
}

export abstract class MachineThread extends PromisingThread {
  protected readonly platform: MachinePlatform;
  protected readonly procs: number;
  protected readonly machineRecord: number;
  protected readonly queue: RunQueueOwner;
  protected readonly stealers: RunQueueStealer[] = [];
  protected readonly order: RandomOrder;
  protected readonly local: LocalList;
  protected readonly yielded: LocalList;
  protected readonly batch: Int32Array = new Int32Array(128);
  /** The processor it holds, -1 for none, and the first word of its record. */
  protected processor = -1;
  protected processorBase = 0;
  /** Not 0 if the running goroutine should give way: the processor's P_PREEMPT, or M_LIFE, which is never 0 here. Without a processor only an async body can run, and nobody could ask it. */
  protected yieldWord: number;
  /** Whether it stands in one of the idle coordinator's lists. */
  protected listed = false;
  protected searching = false;
  protected next = 0;
  /** The frame that runs now. */
  protected frame: Frame | undefined = undefined;
  /** Whether `run` is on the stack. */
  protected running = false;
  protected untilGlobal: number = GLOBAL_EVERY;
  /** Set when a goroutine gave way because its slice was over; for a blocked thread. */
  protected sliceOver = false;
  protected turn = 0;
  protected yieldedTurn = false;
  protected untilClock = 1;
  protected clockStride = 1;
  protected lastClock = 0;
  /** Milliseconds that its goroutines took lately, each. */
  private pace = 0;
  /** How many goroutines it runs in STEAL_MS at that pace: from 1 to MANY_AT_ONCE. What it steals at once, and how it tells long goroutines. */
  protected atOnce: number = MANY_AT_ONCE;
  protected turnEnds = 0;
  /** Whether anything ran since the last turn of the event loop. */
  protected ranSinceTurn = false;
  protected microtasksDue = 0;
  /** Whether the microtasks are being run from the run loop. */
  protected inMicrotasks = false;
  /** Promises to settle before the next look at the clock. */
  private untilChainClock: number = CHAIN_STRIDE;
  protected asyncFrames = 0;
  protected readonly bodies: (Body | undefined)[] = [];
  protected readonly kinds: number[] = [];
  protected readonly loading: Map<number, LocalList> = new Map();
  protected arrived = false;

  constructor(parts: ThreadParts, platform: MachinePlatform) {
    super(parts);
    const { i32, memory } = this;
    this.platform = platform;
    this.procs = i32[H_PROCS];
    this.machineRecord = memory.layout.machines + this.number * M_WORDS;
    this.yieldWord = this.machineRecord + M_LIFE;
    this.queue = new RunQueueOwner(i32, this.globalQueue);
    this.local = new LocalList(i32, memory.layout.goroutines);
    this.yielded = new LocalList(i32, memory.layout.goroutines);
    for (let p = 0; p < this.procs; p++) {
      this.stealers.push(new RunQueueStealer(i32, memory.layout.processors + p * P_WORDS));
    }
    this.order = randomOrder(this.procs, this.number * 0x9e3779b1 + 1);
  }

  protected promiseStarted(): void {
    this.asyncFrames++;
  }

  protected promiseSettled(): void {
    this.asyncFrames--;
  }

  override externalStarted(): void {
    this.asyncFrames++;
  }

  override externalSettled(): void {
    this.asyncFrames--;
  }

  protected settlePromise(frame: Frame): void {
    this.noteWoken(frame);
    this.microtasksDue ||= 1;
    // What awaits the promise goes on some microtasks later: the machine does not sleep, and is not taken for asleep, before they have all run.
    this.ranSinceTurn = true;
    if (--this.untilChainClock === 0 && this.chainIsLong()) this.yielded.push(frame.goroutine);
    else frame.wake?.();
    if (!this.running) this.platform.requestRun();
  }

  /**
   * Async bodies that wake each other are a chain of microtasks, which nothing could come in between of: no goroutine, no timer, no turn of the event loop. True if the chain has gone on for
   * a machine's turn: then a promise is settled only after the goroutines that are ready, which ends the chain.
   */
  private chainIsLong(): boolean {
    this.untilChainClock = CHAIN_STRIDE;
    return (this.inMicrotasks || !this.running) && this.clock() > this.turnEnds;
  }

  currentFrame(): Frame | undefined {
    const { frame } = this;
    if (frame === undefined) return this.asyncFrame();
    return frame.ownerId === 0 ? frame : (this.ownerOf(frame) ?? frame);
  }

  /** Kept with the frame: a goroutine that takes one lock takes many. */
  override ownerMark(): number {
    const { frame } = this;
    const mark = frame === undefined ? 0 : frame.ownerMark;
    return mark === 0 ? this.findOwnerMark(frame) : mark;
  }

  private findOwnerMark(frame: Frame | undefined): number {
    const mark = super.ownerMark();
    // A pseudo-goroutine's frame stands for others in turn.
    if (frame !== undefined && frame.ownerId === 0) frame.ownerMark = mark;
    return mark;
  }

  /** The frame of the async body whose continuation runs now, unless the goroutine has ended without waiting for it. */
  protected asyncFrame(): Frame | undefined {
    const frame = this.platform.asyncFrame();
    return frame === undefined || frame.base === 0 ? undefined : frame;
  }

  currentContext(): number {
    const frame = this.currentFrame();
    if (frame === undefined) return 0;
    // What a cancelled goroutine starts is cancelled, too, also if the cancellation did not come through a context.
    if (this.i32[frame.base + CANCELED] !== 0)
      return this.cancelMark(frame.base) || this.i32[frame.base + CONTEXT];
    return this.i32[frame.base + CONTEXT];
  }

  takeCancellation(): Error | undefined {
    const frame = this.currentFrame();
    if (frame === undefined) return undefined;
    if (frame.exiting && frame.unwinding === undefined) throw EXIT;
    return this.cancellationOf(frame);
  }

  /** The context for whose end a goroutine is not to be started; 0 for none. */
  protected canceledBeforeStart(base: number): number {
    const mark = this.cancelMark(base);
    if (mark !== 0) return mark;
    const context = this.i32[base + CONTEXT];
    return context !== 0 && cancellation.isDone(this, context) ? context : 0;
  }

  /** Tells the running goroutine that it is cancelled, unless it has been told; or once more that it has called `goexit`. */
  protected throwCancellation(): void {
    const error = this.takeCancellation();
    if (error !== undefined) throw error;
  }

  takeInterrupt(): Error | undefined {
    const { frame } = this;
    if (frame === undefined) return undefined;
    if (frame.operation !== undefined) throw this.wentOn(frame);
    const { interrupt } = frame;
    if (interrupt !== undefined) frame.interrupt = undefined;
    return interrupt;
  }

  /** Takes the mark that the running generator has given way: it is being resumed. */
  takeYielded(): boolean {
    const { frame } = this;
    if (frame === undefined || !frame.yielded) return false;
    frame.yielded = false;
    return true;
  }

  /** Whether sysmon has asked this processor's goroutine to give way. A plain read: it is asked in inner loops, and a flag seen late is only late. */
  shouldYield(): boolean {
    return this.i32[this.yieldWord] !== 0;
  }

  parkCurrent(operation: Abandonable, reason: WaitReason): Frame {
    const { frame } = this;
    if (frame === undefined || !isDriven(frame)) throw notInGoroutine("yield*");
    if (frame.operation !== undefined) throw this.wentOn(frame);
    if (frame.exiting && frame.unwinding === undefined) throw EXIT_SIGNAL;
    if (this.i32[frame.base + CANCELED] !== 0) this.throwCancellation();
    this.settleInTable(frame);
    // It has not been served: what it waited for last, or its arguments, may not look as if it had (see repair/untaken.ts).
    this.i32[frame.base + RESULT] = 0;
    transitionToWaiting(this.i32, frame.base, reason);
    frame.operation = operation;
    this.f64[(this.cache >> 1) + PARKS]++;
    return frame;
  }

  /** The running generator goes to the back of the line. */
  yieldCurrent(): void {
    const { frame, i32 } = this;
    if (frame === undefined || !isDriven(frame)) throw notInGoroutine("yield*");
    if (frame.operation !== undefined) throw this.wentOn(frame);
    if (frame.exiting && frame.unwinding === undefined) throw EXIT_SIGNAL;
    if (i32[frame.base + CANCELED] !== 0) this.throwCancellation();
    if (frame.kind === BLOCKED) {
      // It holds this thread, which runs others when it waits, not when it gives way.
      frame.yielded = true;
      frame.woken = true;
      return;
    }
    this.settleInTable(frame);
    transitionRunningToRunnable(i32, frame.base);
    frame.yielded = true;
    this.yielded.push(frame.goroutine);
    if (i32[this.processorBase + PREEMPT] !== 0) {
      this.f64[(this.cache + CACHE_PREEMPTIONS) >> 1]++;
      Atomics.store(i32, this.processorBase + PREEMPT, 0);
      this.sliceOver = true;
      this.lookAtClock();
    }
  }

  /** A whole slice has gone by, so the turn may well be over: the stride, which counts goroutines, may come from a time of shorter ones, and many slices be one stride. */
  protected lookAtClock(): void {
    this.clockStride += 1 - this.untilClock;
    this.untilClock = 1;
  }

  /** Notes how long the goroutines took, in milliseconds each, that ran since the last look at the clock; 0 if none did. */
  protected notePace(now: number): number {
    const ran = this.clockStride - this.untilClock;
    const each = ran === 0 ? 0 : (now - this.lastClock) / ran;
    this.lastClock = now;
    if (ran > 0) this.changePace(each, ran);
    return each;
  }

  /** Up at once: to take one too few costs another steal, to take a long one too many can cost its whole time. Down by as much as was seen. */
  private changePace(each: number, ran: number): void {
    const { pace } = this;
    const changed = each > pace ? each : pace + ((each - pace) * ran) / (ran + PACE_INERTIA);
    this.pace = changed;
    this.atOnce =
      changed * MANY_AT_ONCE > STEAL_MS ? Math.max(1, Math.floor(STEAL_MS / changed)) : MANY_AT_ONCE;
  }

  /** For an async body: resolves after the goroutines that are ready now had their turn. */
  afterTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.throwCancellation();
      const frame = this.newWaiter(PROMISE, REASON_AWAIT);
      this.promiseStarted();
      frame.wake = () => {
        this.freeWaiter(frame);
        this.promiseSettled();
        resolve();
      };
      this.i32[frame.base + STATUS] = RUNNABLE;
      this.yielded.push(frame.goroutine);
      if (!this.running) this.platform.requestRun();
    });
  }

  /** Whether a goroutine that lives here can run. */
  protected hasOwnWork(): boolean {
    return this.next !== 0 || this.local.length > 0 || this.yielded.length > 0;
  }
}
