/** What a thread does that is held by `block()` or `blocking()`: its processor goes to another machine; it runs what lives on it and becomes ready; it comes back. */

import { NoRuntimeError } from "../../base/errors.ts";
import {
  RUNNING,
  transitionAwaitingToSyscall,
  transitionSyscallToAwaiting,
  transitionSyscallToRunning,
  transitionToSyscall,
  WAITING,
} from "../../goroutine/status.ts";
import type { WaitReason } from "../../goroutine/wait-reason.ts";
import {
  G_STATUS,
  G_WAIT_REASON,
  M_ATTENTION,
  M_EVENTS,
  M_HELD,
  M_IN_LOOP,
  P_CURRENT,
  P_GIVE_UP,
  P_PREEMPT,
  P_TICK,
  SCHED_CLOSING,
} from "../../memory/layout.ts";
import * as inbox from "../../queue/inbox.ts";
import { FRAME_BLOCKED, type Frame, type Waitable } from "../frames/frame.ts";
import { CLOSED } from "../idle/idle-coordinator.ts";
import { ASLEEP, announceSleep, sleep, stayAwake, wake } from "../idle/parker.ts";
import { wantsAttention } from "../thread/cancellation.ts";
import { JoiningMachine } from "./joining.ts";
import { GLOBAL_EVERY } from "./machine-thread.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const BLOCKED = FRAME_BLOCKED;
const STATUS = G_STATUS;
const CURRENT = P_CURRENT;

/** What a body that holds its thread left behind, to have it again. */
interface Hold {
  /** The frame that ran, if one of the run loop's. */
  readonly frame: Frame | undefined;
  /** Whether that is a goroutine which was running. */
  readonly wasRunning: boolean;
  readonly hadProcessor: boolean;
}

export abstract class BlockingMachine extends JoiningMachine {
  /** For a plain body: lets other machines have what this one's processor has queued, and goes on when it has a processor again. */
  yieldThread(): void {
    const { processor, frame } = this;
    if (processor < 0 || frame === undefined) return;
    this.throwCancellation();
    this.runReadyHere();
    this.frame = frame;
    this.giveAwayProcessor();
    this.reacquireProcessor();
    this.i32[this.processorBase + CURRENT] = frame.goroutine;
  }

  /** Those that live here and are ready have their turn, on top of the plain body that gives way: no other thread can run them, and it may be they that it gives way for. */
  private runReadyHere(): void {
    const { i32, machineRecord } = this;
    if (!inbox.isEmpty(i32, machineRecord)) this.emptyInbox();
    for (let left = this.local.length + this.yielded.length + 1; left > 0; left--) {
      const goroutine = this.takeOwnWork();
      if (goroutine === 0) break;
      this.runOne(goroutine);
    }
    if (this.asyncFrames > 0) this.runMicrotasks();
  }

  /**
   * Holds this thread until the operation is done. The processor goes to another machine first; goroutines that live here and are made ready meanwhile wait for this thread to come back.
   */
  blockOn(operation: Waitable<unknown>): Error | undefined {
    const canceled = this.takeCancellation();
    if (canceled !== undefined) return this.goesThroughAfterAll(operation) ? undefined : canceled;
    const waiter = this.newWaiter(BLOCKED, operation.reason);
    waiter.operation = operation;
    try {
      return operation.enqueue(waiter.goroutine, waiter.base)
        ? this.blockUntil(waiter, operation.reason, () => this.isOver(operation, waiter))
        : undefined;
    } finally {
      this.freeWaiter(waiter);
    }
  }

  override driveBlocking<R>(generator: Generator<unknown, R, unknown>): R {
    const waiter = this.newDriven(BLOCKED, generator);
    const reason = waiter.base + G_WAIT_REASON;
    try {
      for (;;) {
        const result = this.stepDriven(waiter);
        if (result.done) return result.value as R;
        const failure = waiter.woken ? undefined : this.blockUntil(waiter, this.i32[reason], () => true);
        if (failure !== undefined) throw failure;
        waiter.woken = false;
      }
    } finally {
      this.freeWaiter(waiter);
    }
  }

  protected override asCurrent<R>(frame: Frame, step: () => R): R {
    const { frame: outer } = this;
    this.frame = frame;
    try {
      return step();
    } finally {
      this.frame = outer;
      if (!this.running) this.platform.requestRun();
    }
  }

  /**
   * Makes a synchronous call that may hold this thread for long. The processor goes to another machine at once, and the goroutine goes on when it has one again. Nothing else
   * that lives here can run meanwhile. A call within such a call is just that.
   */
  callBlocking<T>(call: () => T): T {
    const { i32 } = this;
    const awaiting = this.frame === undefined ? this.asyncFrame() : undefined;
    // After an `await`; an async body that has not come to its first is run as a plain one.
    const awaits = awaiting !== undefined && i32[awaiting.base + STATUS] === WAITING;
    if (awaits) transitionAwaitingToSyscall(i32, awaiting.base);
    const hold = this.beginHold(0);
    try {
      return call();
    } finally {
      this.endHold(hold);
      if (awaits) transitionSyscallToAwaiting(i32, awaiting.base);
    }
  }

  /** Holds this thread until its waiter was made ready and `over` agrees. Returns what that throws. */
  protected blockUntil(waiter: Frame, reason: WaitReason, over: () => boolean): Error | undefined {
    const hold = this.beginHold(reason);
    // Whatever they wait for may have come long ago.
    this.runMicrotasks();
    const failure = this.waitUntilOver(waiter, over);
    this.endHold(hold);
    return failure;
  }

  /** What runs now is about to hold the thread: it gives the processor to others. Go's entersyscallblock. */
  private beginHold(reason: WaitReason): Hold {
    const { i32, frame, processor, machineRecord } = this;
    const wasRunning = frame !== undefined && i32[frame.base + STATUS] === RUNNING;
    if (wasRunning) transitionToSyscall(i32, frame.base, reason);
    this.leaveLists();
    Atomics.store(i32, machineRecord + M_HELD, i32[machineRecord + M_HELD] + 1);
    this.passOnLoading();
    if (this.processor >= 0) this.giveAwayProcessor();
    return { frame, wasRunning, hadProcessor: processor >= 0 };
  }

  /** It goes on when it has a processor again, if it had one. Go's exitsyscall. */
  private endHold({ frame, wasRunning, hadProcessor }: Hold): void {
    const { i32, machineRecord } = this;
    this.frame = frame;
    Atomics.store(i32, machineRecord + M_HELD, i32[machineRecord + M_HELD] - 1);
    this.settleProcessor(hadProcessor);
    if (wasRunning) transitionSyscallToRunning(i32, frame?.base ?? 0);
    if (this.processor < 0) return;
    // Its slice begins anew, wherever sysmon last saw it.
    i32[this.processorBase + P_TICK]++;
    if (frame !== undefined) i32[this.processorBase + CURRENT] = frame.goroutine;
  }

  /**
   * The thread is about to be held, perhaps in a continuation of an async body. As far as others know the machine may then be idle, and asleep in its event loop: it must not be given a processor now, and a
   * wait of its event loop would take the notify that is meant for the thread.
   */
  private leaveLists(): void {
    wake(this.i32, this.machineRecord);
    Atomics.store(this.i32, this.machineRecord + M_IN_LOOP, 0);
    if (this.listed) this.takeGrant();
    if (this.searching) this.found();
    if (!this.running) this.platform.requestRun();
  }

  /**
   * Waits until a blocked thread's operation is over; returns what it throws instead of its outcome. The thread is not idle meanwhile: goroutines that live on it and become ready are run here, on top of the
   * blocked body, for no other thread can run them, and what the body waits for may be their work. Async bodies go on as well, as long as what they await comes from the scheduler or other promises of this thread;
   * its event loop cannot turn. If the blocked body is itself the continuation of an async body, a microtask, the others must wait for it.
   */
  protected waitUntilOver(waiter: Frame, over: () => boolean): Error | undefined {
    const { i32, machineRecord } = this;
    while (Atomics.load(i32, SCHED_CLOSING) !== CLOSED) {
      if (wantsAttention(i32, machineRecord)) this.attend();
      if (!inbox.isEmpty(i32, machineRecord)) this.emptyInbox();
      if (this.asyncFrames > 0) this.runMicrotasks();
      if (waiter.woken) {
        waiter.woken = false;
        try {
          if (over()) return undefined;
        } catch (error) {
          return error as Error;
        }
      } else if (!this.runOwnWork()) {
        this.sleepBlocked();
      }
    }
    return new NoRuntimeError("the runtime was closed while this thread was blocked");
  }

  /** Runs one ready goroutine that lives here, if a processor can be had. False if there is nothing to do but sleep. */
  protected runOwnWork(): boolean {
    if (this.listed && this.idle.hasGrant(this.number)) this.takeGrant();
    if (this.processor >= 0) this.shareProcessor();
    const goroutine = this.takeOwnWork();
    if (goroutine === 0) {
      if (this.processor >= 0) this.giveAwayProcessor();
      return false;
    }
    if (this.processor < 0 && !this.queueForProcessor()) {
      this.local.pushFirst(goroutine);
      return false;
    }
    this.runOne(goroutine);
    return true;
  }

  protected takeOwnWork(): number {
    if (--this.untilGlobal <= 0) {
      this.untilGlobal = GLOBAL_EVERY;
      const yielded = this.yielded.pop();
      if (yielded !== 0) return yielded;
    }
    const { next } = this;
    this.next = 0;
    return next || this.local.pop() || this.yielded.pop();
  }

  /**
   * A blocked thread runs only what lives on it, nothing from the processor's ring or the global queue. When its slice is over, and something waits there or somebody for a processor, it leaves
   * the processor to others and queues for the next.
   */
  protected shareProcessor(): void {
    const { i32, processorBase } = this;
    if (!this.sliceOver && i32[processorBase + P_PREEMPT] === 0 && i32[processorBase + P_GIVE_UP] === 0)
      return;
    this.sliceOver = false;
    this.endSharedSlice();
    Atomics.store(i32, processorBase + P_GIVE_UP, 0);
    if (!this.workSomewhere() && !this.idle.somebodyWaits()) return;
    this.giveAwayProcessor();
    this.idle.waitForProcessor(this.number, -1);
    this.listed = true;
  }

  /** Gets a processor, or queues for one. */
  protected queueForProcessor(): boolean {
    if (this.listed) return false;
    const processor = this.idle.tryAcquireProcessor(this.number);
    if (processor >= 0) {
      this.holdProcessor(processor);
      return true;
    }
    this.idle.waitForProcessor(this.number, -1);
    this.listed = true;
    return false;
  }

  protected sleepBlocked(): void {
    const { i32, machineRecord } = this;
    Atomics.store(i32, machineRecord + M_EVENTS, 0);
    this.idle.ringIfAllIdle();
    announceSleep(i32, machineRecord, ASLEEP);
    const wanted =
      Atomics.load(i32, machineRecord + M_ATTENTION) !== 0 || Atomics.load(i32, SCHED_CLOSING) === CLOSED;
    if (wanted || !inbox.isEmpty(i32, machineRecord) || this.idle.hasGrant(this.number))
      stayAwake(i32, machineRecord);
    else sleep(i32, machineRecord);
  }

  /** After a blocking call: the machine holds a processor again if it held one before, and stands in no list. */
  protected settleProcessor(wanted: boolean): void {
    if (this.listed) this.takeGrant();
    if (wanted && this.processor < 0) this.reacquireProcessor();
    else if (!wanted && this.processor >= 0) this.giveAwayProcessor();
  }
}
