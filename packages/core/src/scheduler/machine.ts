/**
 * A machine: a thread that runs goroutines while it holds a processor.
 *
 * `run` is called from the thread's event loop and returns to it: every few milliseconds (promises, finalizers and the inspector live there), when an async body waits for its microtasks, and
 * when there is nothing to do but something pending that only the event loop can bring on. With nothing pending it sleeps inside, in `Atomics.wait`.
 *
 * What may run next stands in six places, and none may starve another:
 *
 * 1. `next`: the goroutine of this machine that was made ready last. It shares the time slice of the one that woke it, as does
 * 2. the processor's runNext slot: the goroutine that was created last;
 * 3. `local`: ready goroutines that live on this machine, and what came through the inbox;
 * 4. the processor's ring: goroutines that have never run;
 * 5. `yielded`: goroutines of this machine that gave way. A goroutine that has run cannot go to the back of the global queue, as Go's does, for it cannot leave; this list is
 *    this machine's share of that queue;
 * 6. the global queue.
 *
 * 1 and 2 come first, until sysmon finds that the slice they share is used up; then they go behind. 3 and 4 take turns, one to seven. 5 and 6 take turns, every 61 rounds and when the others are empty.
 */

import { CanceledError, DeadlineExceededError, FunctionError, NoRuntimeError } from "../base/errors.ts";
import { complete, firstJoiner, nextJoiner, wantsHost } from "../goroutine/completion.ts";
import {
  COUNT_MASK,
  COUNT_SHIFT,
  DETACHED,
  FAILED,
  PACKED,
  SLOT_WORDS,
  TAG_BITS,
  TAG_MASK,
} from "../goroutine/descriptor.ts";
import {
  BODY_ASYNC,
  BODY_GENERATOR,
  type Body,
  bodyIn,
  bodyKind,
  declaredBody,
  isGenerator,
} from "../goroutine/functions.ts";
import {
  RUNNABLE,
  RUNNING,
  transitionRunningToRunnable,
  transitionSyscallToRunning,
  transitionToDead,
  transitionToRunning,
  transitionToSyscall,
  transitionToWaiting,
  transitionWaitingToRunnable,
} from "../goroutine/status.ts";
import { REASON_AWAIT, type WaitReason } from "../goroutine/wait-reason.ts";
import {
  CACHE_ENDED,
  CACHE_HANDOFFS,
  CACHE_PARKS,
  CACHE_PREEMPTIONS,
  CACHE_STEALS,
  CACHE_WORDS,
  G_ARGS,
  G_CANCELED,
  G_CONTEXT,
  G_FRAME,
  G_FUNCTION,
  G_MACHINE,
  G_META,
  G_NEXT,
  G_ON_END,
  G_STATUS,
  G_WAIT_REASON,
  G_WORDS,
  H_PROCS,
  M_ATTENTION,
  M_EVENTS,
  M_WORDS,
  P_CURRENT,
  P_GIVE_UP,
  P_PREEMPT,
  P_TICK,
  P_WORDS,
  SCHED_CLOSING,
} from "../memory/layout.ts";
import * as inbox from "../queue/inbox.ts";
import { LocalList } from "../queue/local-list.ts";
import { RunQueueOwner, RunQueueStealer } from "../queue/run-queue.ts";
import { TAG_NUMBER } from "../values/tags.ts";
import { isThenable } from "./await-operation.ts";
import { cancellation, takeAttention, wantsAttention } from "./cancellation.ts";
import { endHook } from "./end-hook.ts";
import {
  type Abandonable,
  FRAME_ASYNC,
  FRAME_BLOCKED,
  FRAME_GENERATOR,
  FRAME_PLAIN,
  FRAME_PROMISE,
  type Frame,
} from "./frame.ts";
import { CLOSED, LIFE_ALIVE } from "./idle.ts";
import { foreignYield, type Operation, SUSPENSION } from "./operation.ts";
import { ASLEEP, ASLEEP_IN_EVENT_LOOP, announceSleep, sleep, stayAwake, wake } from "./parker.ts";
import { type RandomOrder, randomOrder } from "./random-order.ts";
import { trimStack } from "./stack.ts";
import { notInGoroutine, Thread, type ThreadParts, threadCache } from "./thread.ts";
import { type DeferredCall, EXIT, Unwinding, unwind } from "./unwinding.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const GIVE_UP = P_GIVE_UP;
const PROMISE = FRAME_PROMISE;
const GENERATOR = FRAME_GENERATOR;
const BLOCKED = FRAME_BLOCKED;
const GENERATOR_BODY = BODY_GENERATOR;
const COUNT = COUNT_SHIFT;
const COUNT_BITS = COUNT_MASK;
const TAG = TAG_MASK;
const DETACHED_FLAG = DETACHED;
const SUSPENDED = SUSPENSION;
const EXIT_SIGNAL = EXIT;
const WORDS = G_WORDS;
const STATUS = G_STATUS;
const ARGS = G_ARGS;
const META = G_META;
const MACHINE = G_MACHINE;
const FRAME = G_FRAME;
const FUNCTION = G_FUNCTION;
const CANCELED = G_CANCELED;
const CONTEXT = G_CONTEXT;
const NEXT = G_NEXT;
const TICK = P_TICK;
const CURRENT = P_CURRENT;
const PREEMPT = P_PREEMPT;
const PARKS = CACHE_PARKS / 2;
const ENDED = CACHE_ENDED / 2;
const NUMBER = TAG_NUMBER;

/** Rounds between two looks at the global queue, as Go has it: prime, so as not to fall in step with programs. */
const GLOBAL_EVERY = 61;
/** One round in so many, less one, begins with the ready goroutines that live here, the others with the ring. A guess: those that live here are resumed in batches, and wait for seven others at most. */
const LOCAL_EVERY_MASK = 7;
/** Goroutines in the ring from which on a joiner is put behind: many more than the depth of a fork-join tree, whose parents should go on at once. */
const MANY_IN_RING = 32;
/** How long a machine runs before it returns to its event loop. */
const TURN_MS = 4;
/** Goroutines between two looks at the clock, at most: short enough that a change of pace is noticed within a slice or so. */
const MAX_CLOCK_STRIDE = 64;
/** How long a machine that found nothing goes on looking. About what a sleep and a wake-up cost. */
const SEARCH_MS = 0.05;
/** Full rounds over all processors that a steal makes before it also takes runNext. */
const STEAL_ROUNDS = 4;
/** Goroutines that may run between an async body's step and its microtasks. */
const MICROTASKS_AFTER = 32;

/** Why `run` returned. */
export const LEAVE_CLOSED = 1;
/** Call `run` again after a turn of the event loop. */
export const LEAVE_TURN = 2;
/** Call `run` again after the microtasks. */
export const LEAVE_MICROTASKS = 3;
/** The machine is listed as idle and announced as asleep in its event loop: wait on its park word, then call `run` again. */
export const LEAVE_EVENTS = 4;

/** What the thread's package provides. */
export interface MachinePlatform {
  /** Whether something is pending that only a turn of the event loop can bring on. */
  eventsPending(): boolean;
  /** `run` is wanted, though nobody is in it: call it soon. */
  requestRun(): void;
  /** Loads a module for its bodies. */
  load(url: string): Promise<object>;
  /** Runs the first part of an async body so that `asyncFrame` finds the frame in all its continuations. */
  enterAsync(frame: Frame, start: () => unknown): unknown;
  /** The frame of the async body whose continuation runs now. */
  asyncFrame(): Frame | undefined;
  /** An error left a `go` body. `base` is the goroutine's descriptor. */
  panic(base: number, error: unknown): void;
}

export class Machine extends Thread {
  private readonly platform: MachinePlatform;
  private readonly procs: number;
  private readonly machineRecord: number;
  private readonly queue: RunQueueOwner;
  private readonly stealers: RunQueueStealer[] = [];
  private readonly order: RandomOrder;
  private readonly local: LocalList;
  private readonly yielded: LocalList;
  private readonly batch: Int32Array = new Int32Array(128);
  /** The processor it holds, -1 for none, and the first word of its record. */
  private processor = -1;
  private processorBase = 0;
  /** Whether it stands in one of the idle coordinator's lists. */
  private listed = false;
  private searching = false;
  private next = 0;
  /** The frame that runs now. */
  private frame: Frame | undefined = undefined;
  /** Whether `run` is on the stack. */
  private running = false;
  private untilGlobal = GLOBAL_EVERY;
  private turn = 0;
  private yieldedTurn = false;
  private untilClock = 1;
  private clockStride = 1;
  private lastClock = 0;
  private turnEnds = 0;
  /** Whether anything ran since the last turn of the event loop. */
  private ranSinceTurn = false;
  private microtasksDue = 0;
  private asyncFrames = 0;
  private readonly bodies: (Body | undefined)[] = [];
  private readonly kinds: number[] = [];
  private readonly loading = new Map<number, LocalList>();
  private arrived = false;

  constructor(parts: ThreadParts, platform: MachinePlatform) {
    super(parts);
    const { i32, memory } = this;
    this.platform = platform;
    this.procs = i32[H_PROCS];
    this.machineRecord = memory.layout.machines + this.number * M_WORDS;
    this.queue = new RunQueueOwner(i32, this.globalQueue);
    this.local = new LocalList(i32, memory.layout.goroutines);
    this.yielded = new LocalList(i32, memory.layout.goroutines);
    for (let p = 0; p < this.procs; p++) {
      this.stealers.push(new RunQueueStealer(i32, memory.layout.processors + p * P_WORDS));
    }
    this.order = randomOrder(this.procs, this.number * 0x9e3779b1 + 1);
  }

  // ── the loop ──

  /** Runs goroutines until there is a reason to return to the event loop: one of the `LEAVE_` values. */
  run(): number {
    if (Atomics.load(this.i32, SCHED_CLOSING) === CLOSED) return LEAVE_CLOSED;
    this.running = true;
    this.lastClock = this.clock();
    this.turnEnds = this.lastClock + TURN_MS;
    this.untilClock = this.clockStride;
    try {
      this.runTimers(this.processor, this.lastClock);
      return this.runLoop();
    } finally {
      this.running = false;
      // Between turns nothing runs that sysmon could ask to give way.
      if (this.processor >= 0) this.i32[this.processorBase + CURRENT] = 0;
    }
  }

  private runLoop(): number {
    for (;;) {
      if (this.processor < 0 || this.listed) {
        const leave = this.obtainProcessor();
        if (leave !== 0) return leave;
      }
      if (this.i32[this.processorBase + GIVE_UP] !== 0 && this.giveUpProcessor()) continue;
      let goroutine = this.pick();
      if (goroutine === 0) {
        if (this.microtasksDue > 0) return this.leaveForMicrotasks();
        goroutine = this.search();
        if (goroutine === 0) continue;
      }
      this.runOne(goroutine);
      if (this.microtasksDue > 0 && ++this.microtasksDue > MICROTASKS_AFTER) return this.leaveForMicrotasks();
      if (--this.untilClock === 0 && this.turnIsOver()) return LEAVE_TURN;
    }
  }

  private leaveForMicrotasks(): number {
    this.microtasksDue = 0;
    return LEAVE_MICROTASKS;
  }

  /** Looks at the clock, rarely: after as many goroutines as, at the present pace, use half of what is left of the turn. */
  private turnIsOver(): boolean {
    const now = this.clock();
    this.runTimers(this.processor, now);
    const left = this.turnEnds - now;
    const each = (now - this.lastClock) / this.clockStride;
    this.lastClock = now;
    this.clockStride = Math.max(1, Math.min(MAX_CLOCK_STRIDE, Math.floor(left / 2 / each)));
    this.untilClock = this.clockStride;
    if (left > 0) return Atomics.load(this.i32, SCHED_CLOSING) === CLOSED;
    this.clockStride = Math.max(1, Math.min(MAX_CLOCK_STRIDE, Math.floor(TURN_MS / 2 / each)));
    this.ranSinceTurn = false;
    return true;
  }

  // ── what runs next ──

  /**
   * Runs the timers of a processor (-1 for none) that are due. What they make ready goes behind what is ready, in the order of the timers: nothing
   * that runs now woke it, so it shares nobody's time slice. True if there were any.
   */
  private runTimers(processor: number, now: number): boolean {
    if (processor < 0 || this.timers.next(processor) > now) return false;
    const { next, queue } = this;
    const created = queue.popNext();
    this.next = 0;
    const ran = this.timers.runDue(processor, now) > 0;
    if (this.next !== 0) this.local.push(this.next);
    this.next = next;
    const started = queue.popNext();
    if (started !== 0) queue.push(started);
    if (created !== 0) queue.pushNext(created);
    return ran;
  }

  private pick(): number {
    const { i32, processorBase } = this;
    if (!inbox.seemsEmpty(i32, this.machineRecord)) this.emptyInbox();
    // Plain reads: sysmon repeats what it asks, so a flag seen a round late is only a little late.
    if (i32[processorBase + PREEMPT] !== 0) this.endSharedSlice();
    if (wantsAttention(i32, this.machineRecord)) this.attend();
    if (--this.untilGlobal === 0) {
      this.untilGlobal = GLOBAL_EVERY;
      const goroutine = this.fromBack(1);
      if (goroutine !== 0) return this.newSlice(goroutine);
    }
    const { next } = this;
    if (next !== 0) {
      this.next = 0;
      return next;
    }
    const created = this.queue.popNext();
    if (created !== 0) return created;
    const localTurn = (++this.turn & LOCAL_EVERY_MASK) === 0;
    let goroutine = localTurn ? this.local.pop() : this.queue.pop();
    if (goroutine === 0) goroutine = localTurn ? this.queue.pop() : this.local.pop();
    if (goroutine === 0) goroutine = this.fromBack(128);
    return goroutine === 0 ? 0 : this.newSlice(goroutine);
  }

  private newSlice(goroutine: number): number {
    this.i32[this.processorBase + TICK]++;
    return goroutine;
  }

  /** One from the back of the line: from this machine's yielded ones and the global queue in turn. */
  private fromBack(max: number): number {
    this.yieldedTurn = !this.yieldedTurn;
    const first = this.yieldedTurn ? this.yielded.pop() : this.fromGlobal(max);
    if (first !== 0) return first;
    return this.yieldedTurn ? this.fromGlobal(max) : this.yielded.pop();
  }

  /** Takes this processor's share of the global queue (Go's globrunqget); all but one go to the ring. */
  private fromGlobal(max: number): number {
    if (this.globalQueue.seemsEmpty()) return 0;
    const size = this.globalQueue.size();
    const share = Math.floor(size / this.procs) + 1;
    const count = this.globalQueue.popBatch(
      this.batch,
      Math.min(share, max, max === 1 ? 1 : this.queue.room()),
    );
    for (let i = 1; i < count; i++) this.queue.push(this.batch[i]);
    return count === 0 ? 0 : this.batch[0];
  }

  /** The slice that a chain of wake-ups shared is used up: those it would go on with go behind the others. */
  private endSharedSlice(): void {
    const { i32, processorBase } = this;
    Atomics.store(i32, processorBase + PREEMPT, 0);
    if (this.next !== 0) {
      this.local.push(this.next);
      this.next = 0;
    }
    const created = this.queue.popNext();
    if (created !== 0) this.queue.push(created);
    i32[processorBase + TICK]++;
  }

  /** Somebody cancelled goroutines: those that live here and are parked are taken out of their queues and resumed. */
  private attend(): void {
    const { i32 } = this;
    takeAttention(i32, this.machineRecord);
    const telling = new Set<Frame>();
    this.frames.forEach((frame) => {
      const victim = this.ownerOf(frame) ?? frame;
      const context = this.cancelMark(victim.base);
      if (context === 0 || frame.operation === undefined) return;
      // An async body may wait in several places: all of them are told together.
      if (victim.cancelTold && !telling.has(victim)) return;
      if (!frame.operation.abandon(frame)) return;
      victim.cancelTold = true;
      telling.add(victim);
      frame.interrupt = cancellation.errorOf(this, context);
      this.ready(frame.goroutine);
    });
  }

  private emptyInbox(): void {
    const { i32, descriptors } = this;
    let at = inbox.takeAll(i32, descriptors, this.machineRecord);
    while (at !== 0) {
      const base = descriptors + at * WORDS;
      const following = i32[base + NEXT];
      this.receive(at, base);
      at = following;
    }
  }

  /** A waiter of this machine was made ready by another thread. */
  private receive(goroutine: number, base: number): void {
    const frame = this.frames.at(this.i32[base + FRAME]);
    if (frame.kind === PROMISE) this.settlePromise(frame);
    else if (frame.kind === BLOCKED) frame.woken = true;
    else {
      transitionWaitingToRunnable(this.i32, base);
      this.local.push(goroutine);
    }
  }

  protected readyHere(goroutine: number, base: number): void {
    const frame = this.frames.at(this.i32[base + FRAME]);
    if (frame.kind === PROMISE) {
      this.settlePromise(frame);
      return;
    }
    if (frame.kind === BLOCKED) {
      frame.woken = true;
      return;
    }
    transitionWaitingToRunnable(this.i32, base);
    if (this.next !== 0) this.local.push(this.next);
    this.next = goroutine;
    if (!this.running) this.platform.requestRun();
  }

  protected promiseStarted(): void {
    this.asyncFrames++;
  }

  protected promiseSettled(): void {
    this.asyncFrames--;
  }

  private settlePromise(frame: Frame): void {
    this.microtasksDue ||= 1;
    frame.wake?.();
    if (!this.running) this.platform.requestRun();
  }

  // ── searching and sleeping ──

  /** Out of work: looks for some at the other processors for a while, then goes idle. Returns a goroutine, or 0 with the machine idle or its state changed. */
  private search(): number {
    const { i32 } = this;
    i32[this.processorBase + CURRENT] = 0;
    if (this.searching || this.idle.tryStartSearching()) {
      this.searching = true;
      const until = performance.now() + SEARCH_MS;
      do {
        for (let round = 0; round < STEAL_ROUNDS; round++) {
          const goroutine = this.stealOrPick(round === STEAL_ROUNDS - 1);
          if (goroutine !== 0) {
            this.found();
            return goroutine;
          }
        }
      } while (performance.now() < until && Atomics.load(i32, SCHED_CLOSING) !== CLOSED);
    }
    return this.goIdle();
  }

  private stealOrPick(takeNext: boolean): number {
    if (!inbox.seemsEmpty(this.i32, this.machineRecord)) this.emptyInbox();
    if (takeNext) this.runTimers(this.processor, this.clock());
    const own = this.pick();
    if (own !== 0) return own;
    if (this.procs === 1) return 0;
    this.order.start();
    for (let p = this.order.next(); p >= 0; p = this.order.next()) {
      if (p === this.processor) continue;
      // Another processor's timers: its machine may be busy, or there may be none.
      if (takeNext && this.timers.next(p) !== Number.POSITIVE_INFINITY && this.runTimers(p, this.clock())) {
        const woken = this.pick();
        if (woken !== 0) return woken;
      }
      const goroutine = this.queue.stealFrom(this.stealers[p], takeNext);
      if (goroutine === 0) continue;
      this.f64[(this.cache + CACHE_STEALS) >> 1] += this.queue.stolen;
      return this.newSlice(goroutine);
    }
    return 0;
  }

  private found(): void {
    this.searching = false;
    this.idle.stopSearching();
  }

  /**
   * Gives the processor up and lists the machine as idle; then looks through everything once more, as the protocol in idle.ts demands. The sleep itself is `obtainProcessor`'s.
   */
  private goIdle(): number {
    const { processor } = this;
    this.dropProcessor();
    this.idle.goIdle(this.number, processor);
    this.listed = true;
    if (this.searching) {
      this.searching = false;
      this.idle.giveUpSearch();
    }
    if (!this.workSomewhere()) return 0;
    this.takeGrant();
    if (this.processor >= 0) return 0;
    const again = this.idle.tryAcquireProcessor(this.number);
    // None left: obtainProcessor lists the machine anew, and looks once more after that.
    if (again < 0) return 0;
    this.holdProcessor(again);
    this.idle.searchAgain();
    this.searching = true;
    return 0;
  }

  private workSomewhere(): boolean {
    if (this.globalQueue.size() !== 0) return true;
    for (const stealer of this.stealers) if (!stealer.isEmpty()) return true;
    return false;
  }

  /** Gets a processor, sleeping until there is one and something to do with it. 0 when it holds one, else why to leave. */
  private obtainProcessor(): number {
    const { i32 } = this;
    for (;;) {
      if (Atomics.load(i32, SCHED_CLOSING) === CLOSED) return LEAVE_CLOSED;
      if (!inbox.isEmpty(i32, this.machineRecord)) this.emptyInbox();
      if (wantsAttention(i32, this.machineRecord)) this.attend();
      if (
        this.listed &&
        (this.idle.hasGrant(this.number) || this.hasOwnWork() || this.idle.isStruckOff(this.number))
      )
        this.takeGrant();
      if (this.processor >= 0 && !this.listed) return 0;
      if (!this.listed) {
        if (this.acquireOrList()) return 0;
        continue;
      }
      if (this.microtasksDue > 0) return this.leaveForMicrotasks();
      this.arrive();
      const leave = this.sleepWhileListed();
      if (leave !== 0) return leave;
    }
  }

  /** Takes a processor if there is use for one. Otherwise lists the machine: as waiting for one if goroutines that live here are ready, else as idle. */
  private acquireOrList(): boolean {
    const own = this.hasOwnWork();
    if (own || this.workSomewhere()) {
      const processor = this.idle.tryAcquireProcessor(this.number);
      if (processor >= 0) {
        this.holdProcessor(processor);
        return true;
      }
    }
    if (own) this.idle.waitForProcessor(this.number, -1);
    else this.idle.goIdle(this.number, -1);
    this.listed = true;
    // Idle without having held a processor: whoever published work before this listing may have found nobody to wake.
    if (!own && this.workSomewhere() && !this.idle.noneIdle()) this.takeGrant();
    return this.processor >= 0;
  }

  /** Counts as alive from the moment it is listed or holds a processor: before, it could not be woken, and would be taken for missing. */
  private arrive(): void {
    if (this.arrived) return;
    this.arrived = true;
    this.idle.setLife(this.number, LIFE_ALIVE);
  }

  private sleepWhileListed(): number {
    const { i32, machineRecord } = this;
    if (this.ranSinceTurn) {
      this.ranSinceTurn = false;
      return LEAVE_TURN;
    }
    const events = this.loading.size > 0 || this.platform.eventsPending();
    const inEventLoop = events || this.asyncFrames > 0;
    Atomics.store(i32, machineRecord + M_EVENTS, events ? 1 : 0);
    this.idle.ringIfAllIdle();
    announceSleep(i32, machineRecord, inEventLoop ? ASLEEP_IN_EVENT_LOOP : ASLEEP);
    const wanted =
      Atomics.load(i32, machineRecord + M_ATTENTION) !== 0 || Atomics.load(i32, SCHED_CLOSING) === CLOSED;
    if (wanted || !inbox.isEmpty(i32, machineRecord) || this.idle.hasGrant(this.number)) {
      stayAwake(i32, machineRecord);
      return 0;
    }
    if (inEventLoop) return LEAVE_EVENTS;
    sleep(i32, machineRecord);
    return 0;
  }

  /** Whether a goroutine that lives here can run. */
  private hasOwnWork(): boolean {
    return this.next !== 0 || this.local.length > 0 || this.yielded.length > 0;
  }

  private takeGrant(): void {
    const grant = this.idle.leaveLists(this.number);
    this.listed = false;
    if (grant.processor < 0) return;
    this.searching = grant.searching;
    this.holdProcessor(grant.processor);
  }

  private holdProcessor(processor: number): void {
    const { layout } = this.memory;
    this.processor = processor;
    this.processorBase = layout.processors + processor * P_WORDS;
    this.timerHome = processor;
    this.useCache(layout.caches + processor * CACHE_WORDS);
    this.queue.attach(this.processorBase);
    this.i32[this.processorBase + CURRENT] = 0;
    Atomics.store(this.i32, this.processorBase + GIVE_UP, 0);
    this.arrive();
  }

  private dropProcessor(): void {
    this.i32[this.processorBase + CURRENT] = 0;
    this.processor = -1;
    this.useCache(threadCache(this.memory, this.number));
  }

  private useCache(cache: number): void {
    this.cache = cache;
    this.goroutines.useCache(cache);
    this.slab.useCache(cache);
  }

  /** Another machine has waited for a slice: it gets this processor, and this machine queues for the next one if it needs it. False if nobody waits any more. */
  private giveUpProcessor(): boolean {
    const { processor } = this;
    Atomics.store(this.i32, this.processorBase + GIVE_UP, 0);
    if (!this.idle.somebodyWaits()) return false;
    this.f64[(this.cache + CACHE_HANDOFFS) >> 1]++;
    const wanted = this.hasOwnWork();
    this.dropProcessor();
    if (wanted) this.idle.waitForProcessor(this.number, processor);
    else this.idle.goIdle(this.number, processor);
    this.listed = true;
    return true;
  }

  // ── running one goroutine ──

  private runOne(goroutine: number): void {
    const { i32, processorBase } = this;
    const base = this.descriptors + goroutine * WORDS;
    if (this.searching) this.found();
    this.ranSinceTurn = true;
    if (i32[base + MACHINE] === 0) {
      transitionToRunning(i32, base);
      i32[processorBase + CURRENT] = goroutine;
      this.start(goroutine, base);
    } else {
      const frame = this.frames.at(i32[base + FRAME]);
      if (frame.kind === PROMISE) {
        this.settlePromise(frame);
        return;
      }
      transitionToRunning(i32, base);
      i32[processorBase + CURRENT] = goroutine;
      this.resume(frame);
    }
    this.frame = undefined;
  }

  private start(goroutine: number, base: number): void {
    const { i32 } = this;
    const id = i32[base + FUNCTION];
    i32[base + MACHINE] = this.number + 1;
    if (i32[base + CANCELED] !== 0 || i32[base + CONTEXT] !== 0) {
      const canceled = this.canceledBeforeStart(base);
      if (canceled !== 0) {
        this.endUnstarted(goroutine, base, cancellation.errorOf(this, canceled));
        return;
      }
    }
    const body = this.bodies[id];
    if (body === undefined) {
      this.waitForModule(id, goroutine, base);
      return;
    }
    const frame = this.frames.take();
    frame.goroutine = goroutine;
    frame.base = base;
    this.frame = frame;
    if (this.kinds[id] === GENERATOR_BODY) {
      let generator: Generator<unknown, unknown, unknown>;
      try {
        generator = this.call(body, base) as Generator<unknown, unknown, unknown>;
      } catch (error) {
        this.end(frame, error, true);
        return;
      }
      frame.kind = GENERATOR;
      frame.generator = generator;
      this.step(frame, generator);
    } else {
      this.startOther(frame, body, id);
    }
  }

  /** Calls the body with the arguments from the descriptor, whose slots are free from then on. */
  private call(body: Body, base: number): unknown {
    const { f64 } = this;
    const meta = this.i32[base + META];
    const slot = (base + ARGS) >> 1;
    const f = body as (...args: unknown[]) => unknown;
    switch ((meta >>> COUNT) & COUNT_BITS) {
      case 0:
        return f();
      case 1:
        return f((meta & TAG) === NUMBER ? f64[slot] : this.argument(base, meta, 0));
      case 2: {
        const a = (meta & TAG) === NUMBER ? f64[slot] : this.argument(base, meta, 0);
        return f(a, this.argument(base, meta, 1));
      }
      default:
        return f(...this.allArguments(base, meta));
    }
  }

  private allArguments(base: number, meta: number): unknown[] {
    const count = (meta >>> COUNT) & COUNT_BITS;
    if (count === PACKED) return this.argument(base, meta, 0) as unknown[];
    const values: unknown[] = [];
    for (let i = 0; i < count; i++) values.push(this.argument(base, meta, i));
    return values;
  }

  private argument(base: number, meta: number, index: number): unknown {
    const tag = (meta >>> (index * TAG_BITS)) & TAG;
    const slot = base + ARGS + index * SLOT_WORDS;
    return tag === NUMBER ? this.f64[slot >> 1] : this.codec.take(slot, tag);
  }

  private resume(frame: Frame): void {
    this.frame = frame;
    const { generator } = frame;
    if (generator === undefined)
      throw new Error(`resume: goroutine ${frame.goroutine} has no generator to resume`);
    frame.operation = undefined;
    this.step(frame, generator);
  }

  private step(frame: Frame, generator: Generator<unknown, unknown, unknown>): void {
    let result: IteratorResult<unknown, unknown>;
    try {
      result = generator.next();
    } catch (error) {
      this.end(frame, error, true);
      return;
    }
    if (result.done) this.end(frame, result.value, false);
    else if (result.value !== SUSPENDED) this.refuseYield(frame, generator);
  }

  /** A body yielded something of its own: it gets an error at that place. */
  private refuseYield(frame: Frame, generator: Generator<unknown, unknown, unknown>): void {
    let result: IteratorResult<unknown, unknown>;
    try {
      result = generator.throw(foreignYield());
    } catch (error) {
      this.end(frame, error, true);
      return;
    }
    if (result.done) this.end(frame, result.value, false);
    else if (result.value !== SUSPENDED) this.refuseYield(frame, generator);
  }

  /** Async and plain bodies, and plain ones that return a generator or a promise. */
  private startOther(frame: Frame, body: Body, id: number): void {
    let value: unknown;
    frame.kind = FRAME_PLAIN;
    try {
      if (this.kinds[id] === BODY_ASYNC) {
        frame.lasting = true;
        value = this.platform.enterAsync(frame, () => this.call(body, frame.base));
      } else {
        value = this.call(body, frame.base);
      }
      if (isGenerator(value)) {
        frame.kind = GENERATOR;
        frame.generator = value;
        this.step(frame, value);
        return;
      }
      if (isThenable(value)) {
        // A plain function that returns promises: from the next call on its continuations, too, will know their goroutine.
        this.kinds[id] = BODY_ASYNC;
        this.followPromise(frame, value);
        return;
      }
    } catch (error) {
      this.end(frame, error, true);
      return;
    }
    this.end(frame, value, false);
  }

  private followPromise(frame: Frame, promise: PromiseLike<unknown>): void {
    frame.kind = FRAME_ASYNC;
    this.asyncFrames++;
    this.microtasksDue ||= 1;
    this.settleInTable(frame);
    transitionToWaiting(this.i32, frame.base, REASON_AWAIT);
    promise.then(
      (value) => this.endAsync(frame, value, false),
      (error: unknown) => this.endAsync(frame, error, true),
    );
  }

  private endAsync(frame: Frame, value: unknown, failed: boolean): void {
    this.asyncFrames--;
    this.i32[frame.base + STATUS] = RUNNING;
    this.end(frame, value, failed);
    if (!this.running) this.platform.requestRun();
  }

  /** The goroutine has ended: stores the outcome, wakes those who wait for it, lets the frame go. */
  private end(frame: Frame, value: unknown, failed: boolean): void {
    const { i32 } = this;
    const { base, goroutine } = frame;
    if (frame.exiting && frame.unwinding === undefined && (!failed || value === EXIT_SIGNAL)) {
      value = undefined;
      failed = false;
    }
    if (frame.defers !== undefined && frame.unwinding === undefined) {
      this.runDeferred(frame, value, failed);
      return;
    }
    const detached = (i32[base + META] & DETACHED_FLAG) !== 0;
    if (failed) trimStack(value);
    // A cancelled goroutine that ends with the cancellation has done what it was asked to: no panic.
    const quiet =
      frame.cancelTold && (value instanceof CanceledError || value instanceof DeadlineExceededError);
    this.frames.remove(i32[base + FRAME], frame);
    i32[base + FRAME] = 0;
    this.f64[(this.cache >> 1) + ENDED]++;
    if (i32[base + CONTEXT] !== 0 || i32[base + CANCELED] !== 0) cancellation.leave(this, base);
    if (detached) {
      const object = i32[base + G_ON_END];
      const taken = failed && object !== 0 && endHook(this, object).failed(this, object, value);
      if (failed && !quiet && !taken) this.platform.panic(base, value);
      transitionToDead(i32, base);
      this.freeDescriptor(goroutine, base);
      if (object !== 0) this.tellObject(object, base);
      return;
    }
    if (typeof value === "number" && !failed) {
      this.f64[(base + ARGS) >> 1] = value;
      i32[base + META] = NUMBER;
    } else {
      i32[base + META] &= ~FAILED;
      this.putResult(base, value, failed);
    }
    transitionToDead(i32, base);
    const completed = complete(i32, base);
    if (completed !== 0) this.tellJoiners(goroutine, completed);
  }

  /** Tells the object that started a goroutine of its end. What it throws (a counter that went below zero) is that goroutine's panic. */
  private tellObject(object: number, base: number): void {
    try {
      endHook(this, object).ended(this, object);
    } catch (error) {
      // The descriptor is free, but this thread has not given it out again.
      this.platform.panic(base, error);
    }
  }

  /** The body has ended: its deferred calls run in its place, then `end` is called again. */
  private runDeferred(frame: Frame, value: unknown, failed: boolean): void {
    const unwinding = new Unwinding(value, failed);
    const generator = unwind(this, frame, unwinding, (call) => this.callDeferred(frame, call));
    frame.unwinding = unwinding;
    frame.kind = GENERATOR;
    frame.generator = generator;
    if (this.running && this.frame === frame) {
      this.step(frame, generator);
      return;
    }
    // The end of an async body comes in a microtask, outside the run loop.
    this.settleInTable(frame);
    transitionRunningToRunnable(this.i32, frame.base);
    this.local.push(frame.goroutine);
  }

  /** An async call finds its goroutine also after an await. */
  private callDeferred(frame: Frame, call: DeferredCall): unknown {
    if (bodyKind(call) !== BODY_ASYNC) return call();
    frame.lasting = true;
    return this.platform.enterAsync(frame, call);
  }

  /**
   * A joiner is made ready. While this processor works through a long ring, it goes behind the others that are ready here: whoever joins many goroutines one after the other would
   * otherwise be resumed for each of them, to find the next not ended.
   */
  private readyJoiner(joiner: number): void {
    const { i32 } = this;
    const base = this.descriptors + joiner * WORDS;
    if (i32[base + MACHINE] !== this.number + 1 || this.queue.length() < MANY_IN_RING) {
      this.ready(joiner);
      return;
    }
    const { next } = this;
    this.next = 0;
    this.readyHere(joiner, base);
    if (this.next !== 0) this.local.push(this.next);
    this.next = next;
  }

  private tellJoiners(goroutine: number, completed: number): void {
    const { i32, descriptors } = this;
    let joiner = firstJoiner(completed);
    while (joiner !== 0) {
      const following = nextJoiner(i32, descriptors + joiner * WORDS);
      this.readyJoiner(joiner);
      joiner = following;
    }
    if (!wantsHost(completed)) return;
    const host = this.memory.layout.machines;
    inbox.post(i32, descriptors, host, goroutine);
    wake(i32, host);
  }

  /** A goroutine ends with an error before its body was called. */
  private endUnstarted(goroutine: number, base: number, error: Error): void {
    const meta = this.i32[base + META];
    const count = (meta >>> COUNT) & COUNT_BITS;
    this.dropSlots(base, meta, count === PACKED ? 1 : count);
    const frame = this.frames.take();
    frame.goroutine = goroutine;
    frame.base = base;
    frame.cancelTold = !(error instanceof FunctionError);
    this.end(frame, error, true);
  }

  // ── modules ──

  /** The body's module is not loaded yet: the goroutine waits for it here. */
  private waitForModule(id: number, goroutine: number, base: number): void {
    const { i32 } = this;
    this.frame = undefined;
    i32[base + MACHINE] = 0;
    transitionRunningToRunnable(i32, base);
    const waiting = this.loading.get(id);
    if (waiting !== undefined) {
      waiting.push(goroutine);
      return;
    }
    const place = this.functions.placeOf(id);
    const known = declaredBody(place.url, place.name);
    if (known !== undefined) {
      this.addBody(id, known);
      this.queue.push(goroutine);
      return;
    }
    const list = new LocalList(i32, this.descriptors);
    list.push(goroutine);
    this.loading.set(id, list);
    this.ranSinceTurn = true;
    this.platform
      .load(place.url)
      .then((exports) => this.addBody(id, bodyIn(exports, place)))
      .then(
        () => this.modulesArrived(id, undefined),
        (error: unknown) => this.modulesArrived(id, loadError(place.url, place.name, error)),
      );
  }

  private addBody(id: number, body: Body): void {
    this.bodies[id] = body;
    this.kinds[id] = bodyKind(body);
  }

  private modulesArrived(id: number, error: Error | undefined): void {
    const { i32 } = this;
    const list = this.loading.get(id);
    this.loading.delete(id);
    for (let goroutine = list?.pop() ?? 0; goroutine !== 0; goroutine = list?.pop() ?? 0) {
      if (error === undefined) {
        this.enqueueNew(goroutine);
        continue;
      }
      const base = this.descriptors + goroutine * WORDS;
      transitionToRunning(i32, base);
      this.endUnstarted(goroutine, base, error);
    }
    if (!this.running) this.platform.requestRun();
  }

  // ── what the running goroutine does ──

  enqueueNew(goroutine: number): void {
    if (this.processor >= 0) this.queue.pushNext(goroutine);
    else this.globalQueue.push(goroutine);
    if (this.procs > 1 || this.processor < 0) this.idle.wakeOneIfIdle();
  }

  /** Whether sysmon has asked this processor's goroutine to give way. A plain read: it is asked in inner loops, and a flag seen late is only late. */
  shouldYield(): boolean {
    return this.i32[this.processorBase + PREEMPT] !== 0;
  }

  parkCurrent(operation: Abandonable, reason: WaitReason): Frame {
    const { frame } = this;
    if (frame === undefined || frame.generator === undefined) throw notInGoroutine("yield*");
    if (frame.exiting && frame.unwinding === undefined) throw EXIT_SIGNAL;
    if (this.i32[frame.base + CANCELED] !== 0) this.throwCancellation();
    this.settleInTable(frame);
    transitionToWaiting(this.i32, frame.base, reason);
    frame.operation = operation;
    this.f64[(this.cache >> 1) + PARKS]++;
    return frame;
  }

  unparkCurrent(frame: Frame): void {
    this.i32[frame.base + STATUS] = RUNNING;
    frame.operation = undefined;
  }

  /** The running generator goes to the back of the line. */
  yieldCurrent(): void {
    const { frame, i32 } = this;
    if (frame === undefined || frame.generator === undefined) throw notInGoroutine("yield*");
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
    }
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

  /** For a plain body: lets other machines have what this one's processor has queued, and goes on when it has a processor again. */
  yieldThread(): void {
    const { processor, frame } = this;
    if (processor < 0 || frame === undefined) return;
    this.throwCancellation();
    this.giveAwayProcessor();
    this.reacquireProcessor();
    this.i32[this.processorBase + CURRENT] = frame.goroutine;
  }

  currentFrame(): Frame | undefined {
    const { frame } = this;
    if (frame === undefined) return this.asyncFrame();
    return frame.ownerId === 0 ? frame : (this.ownerOf(frame) ?? frame);
  }

  /** The frame of the async body whose continuation runs now, unless the goroutine has ended without waiting for it. */
  private asyncFrame(): Frame | undefined {
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
  private canceledBeforeStart(base: number): number {
    const mark = this.cancelMark(base);
    if (mark !== 0) return mark;
    const context = this.i32[base + CONTEXT];
    return context !== 0 && cancellation.isDone(this, context) ? context : 0;
  }

  /** Tells the running goroutine that it is cancelled, unless it has been told; or once more that it has called `goexit`. */
  private throwCancellation(): void {
    const error = this.takeCancellation();
    if (error !== undefined) throw error;
  }

  override externalStarted(): void {
    this.asyncFrames++;
  }

  override externalSettled(): void {
    this.asyncFrames--;
  }

  takeInterrupt(): Error | undefined {
    const { frame } = this;
    if (frame === undefined) return undefined;
    const { interrupt } = frame;
    frame.interrupt = undefined;
    return interrupt;
  }

  /** Takes the mark that the running generator has given way: it is being resumed. */
  takeYielded(): boolean {
    const { frame } = this;
    if (frame === undefined || !frame.yielded) return false;
    frame.yielded = false;
    return true;
  }

  /**
   * Holds this thread until the operation is done. The processor goes to another machine first; goroutines that live here and are made ready meanwhile wait for this thread to come back.
   */
  blockOn(operation: Operation<unknown>): Error | undefined {
    const canceled = this.takeCancellation();
    if (canceled !== undefined) return canceled;
    const waiter = this.newWaiter(BLOCKED, operation.reason);
    waiter.operation = operation;
    const failure = operation.enqueue(waiter.goroutine, waiter.base)
      ? this.blockUntil(waiter, operation.reason, () => this.isOver(operation, waiter))
      : undefined;
    this.freeWaiter(waiter);
    return failure;
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

  /** Holds this thread until its waiter was made ready and `over` agrees. Returns what that throws. */
  private blockUntil(waiter: Frame, reason: WaitReason, over: () => boolean): Error | undefined {
    const { i32, frame: blocked } = this;
    const wasRunning = blocked !== undefined && i32[blocked.base + STATUS] === RUNNING;
    if (wasRunning) transitionToSyscall(i32, blocked.base, reason);
    if (!this.running) this.leaveEventLoopSleep();
    const { processor } = this;
    if (processor >= 0) this.giveAwayProcessor();
    const failure = this.waitUntilOver(waiter, over);
    this.frame = blocked;
    this.settleProcessor(processor >= 0);
    if (wasRunning) transitionSyscallToRunning(i32, blocked.base);
    if (processor >= 0 && blocked !== undefined) i32[this.processorBase + CURRENT] = blocked.goroutine;
    return failure;
  }

  /**
   * The thread is about to block in a continuation of an async body. As far as others know the machine may be idle, and asleep in its event loop: it must not be given a processor now, and a
   * wait of its event loop would take the notify that is meant for the thread.
   */
  private leaveEventLoopSleep(): void {
    wake(this.i32, this.machineRecord);
    if (this.listed) this.takeGrant();
    if (this.searching) this.found();
    this.platform.requestRun();
  }

  /**
   * Waits until a blocked thread's operation is over; returns what it throws instead of its outcome. The thread is not idle meanwhile: generators that live on it and become ready are run here, on top of the
   * blocked body, for no other thread can run them, and what the body waits for may be their work. (An async body here must wait: its event loop cannot turn.)
   */
  private waitUntilOver(waiter: Frame, over: () => boolean): Error | undefined {
    const { i32, machineRecord } = this;
    while (Atomics.load(i32, SCHED_CLOSING) !== CLOSED) {
      if (wantsAttention(i32, machineRecord)) this.attend();
      if (!inbox.isEmpty(i32, machineRecord)) this.emptyInbox();
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
  private runOwnWork(): boolean {
    if (this.listed && this.idle.hasGrant(this.number)) this.takeGrant();
    const goroutine = this.next || this.local.pop() || this.yielded.pop();
    if (goroutine === 0) {
      if (this.processor >= 0) this.giveAwayProcessor();
      return false;
    }
    this.next = 0;
    if (this.processor < 0 && !this.queueForProcessor()) {
      this.local.pushFirst(goroutine);
      return false;
    }
    this.runOne(goroutine);
    return true;
  }

  /** Gets a processor, or queues for one. */
  private queueForProcessor(): boolean {
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

  private sleepBlocked(): void {
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
  private settleProcessor(wanted: boolean): void {
    if (this.listed) this.takeGrant();
    if (wanted && this.processor < 0) this.reacquireProcessor();
    else if (!wanted && this.processor >= 0) this.giveAwayProcessor();
  }

  /** Releases the processor. It may have goroutines in its ring: somebody must look. Go's handoffp. */
  private giveAwayProcessor(): void {
    const { processor } = this;
    this.f64[(this.cache + CACHE_HANDOFFS) >> 1]++;
    this.dropProcessor();
    this.idle.releaseProcessor(processor);
    if (this.workSomewhere()) this.idle.wakeOneIfIdle();
  }

  /** Back from a blocking call: any processor will do; with none idle, the machine queues for one. */
  private reacquireProcessor(): void {
    const { i32, machineRecord } = this;
    const processor = this.idle.tryAcquireProcessor(this.number);
    if (processor >= 0) {
      this.holdProcessor(processor);
      return;
    }
    this.idle.waitForProcessor(this.number, -1);
    while (!this.idle.hasGrant(this.number) && Atomics.load(i32, SCHED_CLOSING) !== CLOSED) {
      announceSleep(i32, machineRecord, ASLEEP);
      if (this.idle.hasGrant(this.number)) stayAwake(i32, machineRecord);
      else sleep(i32, machineRecord);
    }
    this.takeGrant();
  }
}

function loadError(url: string, name: string, error: unknown): FunctionError {
  if (error instanceof FunctionError && error.message.includes(url)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new FunctionError(`cannot load "${name}" of ${url}: ${reason}`, { cause: error });
}
