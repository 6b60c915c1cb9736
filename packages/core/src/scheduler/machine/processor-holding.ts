/** How a machine gets a processor, gives it up, and sleeps while it has none. The lists and the protocol are idle.ts's. */

import {
  CACHE_HANDOFFS,
  CACHE_WORDS,
  M_ATTENTION,
  M_EVENTS,
  M_IN_LOOP,
  M_LIFE,
  P_CURRENT,
  P_GIVE_UP,
  P_PREEMPT,
  P_WORDS,
  SCHED_CLOSING,
} from "../../memory/layout.ts";
import * as inbox from "../../queue/inbox.ts";
import { CLOSED } from "../idle/idle-coordinator.ts";
import { LIFE_ALIVE } from "../idle/machine-life.ts";
import { ASLEEP, ASLEEP_IN_EVENT_LOOP, announceSleep, sleep, stayAwake } from "../idle/parker.ts";
import { stopIsAsked } from "../idle/world-stop.ts";
import { wantsAttention } from "../thread/cancellation.ts";
import { threadCache } from "../thread/thread-pools.ts";
import { FindingMachine } from "./find-runnable.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const GIVE_UP = P_GIVE_UP;
const CURRENT = P_CURRENT;

/** Why `run` returned. */
export const LEAVE_CLOSED = 1;
/** Call `run` again after a turn of the event loop. */
export const LEAVE_TURN = 2;
/** Call `run` again after the microtasks. */
export const LEAVE_MICROTASKS = 3;
/** The machine is listed as idle and announced as asleep in its event loop: wait on its park word, then call `run` again. */
export const LEAVE_EVENTS = 4;

export abstract class HoldingMachine extends FindingMachine {
  /**
   * Gives the processor up and lists the machine as idle; then looks through everything once more, as the protocol in idle.ts demands. The sleep itself is `obtainProcessor`'s.
   */
  protected goIdle(): number {
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

  /** Gets a processor, sleeping until there is one and something to do with it. 0 when it holds one, else why to leave. */
  protected obtainProcessor(): number {
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
      if (this.microtasksDue > 0) {
        const leave = this.serveMicrotasksWhileListed();
        if (leave !== 0) return leave;
        continue;
      }
      this.arrive();
      const leave = this.sleepWhileListed();
      if (leave !== 0) return leave;
    }
  }

  /** Takes a processor if there is use for one. Otherwise lists the machine: as waiting for one if goroutines that live here are ready, else as idle. */
  protected acquireOrList(): boolean {
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
  protected arrive(): void {
    if (this.arrived) return;
    this.arrived = true;
    this.idle.setLife(this.number, LIFE_ALIVE);
  }

  protected sleepWhileListed(): number {
    const { i32, machineRecord } = this;
    if (this.ranSinceTurn) {
      this.ranSinceTurn = false;
      return LEAVE_TURN;
    }
    const events = this.loading.size > 0 || this.platform.eventsPending();
    const inEventLoop = events || this.asyncFrames > 0;
    Atomics.store(i32, machineRecord + M_EVENTS, events ? 1 : 0);
    this.idle.ringIfAllIdle();
    // Before the last look: who grants a processor and sees this too early is seen by that look.
    Atomics.store(i32, machineRecord + M_IN_LOOP, inEventLoop ? 1 : 0);
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

  protected takeGrant(): void {
    const grant = this.idle.leaveLists(this.number);
    this.listed = false;
    if (grant.processor < 0) return;
    this.searching = grant.searching;
    this.holdProcessor(grant.processor);
  }

  protected holdProcessor(processor: number): void {
    const { layout } = this.memory;
    this.processor = processor;
    this.processorBase = layout.processors + processor * P_WORDS;
    this.yieldWord = this.processorBase + P_PREEMPT;
    this.timerHome = processor;
    this.useCache(layout.caches + processor * CACHE_WORDS);
    this.queue.attach(this.processorBase);
    this.i32[this.processorBase + CURRENT] = 0;
    Atomics.store(this.i32, this.processorBase + GIVE_UP, 0);
    // The time it slept is no goroutine's.
    this.lastClock = this.clock();
    this.arrive();
  }

  protected dropProcessor(): void {
    this.i32[this.processorBase + CURRENT] = 0;
    this.yieldWord = this.machineRecord + M_LIFE;
    this.processor = -1;
    this.useCache(threadCache(this.memory, this.number));
  }

  protected useCache(cache: number): void {
    this.cache = cache;
    this.goroutines.useCache(cache);
    this.slab.useCache(cache);
  }

  /** Another machine has waited for a slice: it gets this processor, and this machine queues for the next one if it needs it. False if nobody waits any more. */
  protected giveUpProcessor(): boolean {
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

  /** Releases the processor. It may have goroutines in its ring: somebody must look. Go's handoffp. */
  protected giveAwayProcessor(): void {
    const { processor } = this;
    this.f64[(this.cache + CACHE_HANDOFFS) >> 1]++;
    this.dropProcessor();
    this.idle.releaseProcessor(processor);
    if (this.workSomewhere()) this.idle.wakeOneIfIdle();
  }

  /** Back from a blocking call: any processor will do; with none idle, the machine queues for one. */
  protected reacquireProcessor(): void {
    const { i32, machineRecord } = this;
    const processor = this.idle.tryAcquireProcessor(this.number);
    if (processor >= 0) {
      this.holdProcessor(processor);
      return;
    }
    this.idle.waitForProcessor(this.number, -1);
    while (!this.idle.hasGrant(this.number) && Atomics.load(i32, SCHED_CLOSING) !== CLOSED) {
      this.pauseIfAsked();
      announceSleep(i32, machineRecord, ASLEEP);
      if (this.idle.hasGrant(this.number) || stopIsAsked(i32)) stayAwake(i32, machineRecord);
      else sleep(i32, machineRecord);
    }
    this.takeGrant();
  }

  /** For the run loop: lets the async bodies go on whose promises were settled. 0, or why to leave. */
  protected serveMicrotasks(): number {
    if (!this.runMicrotasks()) {
      this.microtasksDue = 0;
      return LEAVE_MICROTASKS;
    }
    if (this.clock() < this.turnEnds) return 0;
    this.ranSinceTurn = false;
    return LEAVE_TURN;
  }

  /** As `serveMicrotasks`. The bodies may take any time; for those who would give the machine a processor, and for the deadlock watch, it is in its event loop, where it may be busy. */
  private serveMicrotasksWhileListed(): number {
    const { i32, machineRecord } = this;
    Atomics.store(i32, machineRecord + M_EVENTS, 1);
    Atomics.store(i32, machineRecord + M_IN_LOOP, 1);
    announceSleep(i32, machineRecord, ASLEEP_IN_EVENT_LOOP);
    const leave = this.serveMicrotasks();
    stayAwake(i32, machineRecord);
    Atomics.store(i32, machineRecord + M_IN_LOOP, 0);
    return leave;
  }

  /**
   * Lets the async bodies of this thread go on, from the run loop or from what it runs. False if that cannot be done: outside the run loop, where only a microtask can be
   * what runs, or inside a microtask that it has run, the engine does not begin with the others.
   */
  protected runMicrotasks(): boolean {
    if (!this.running || this.inMicrotasks) return false;
    const { frame } = this;
    // Continuations find their goroutine through the platform.
    this.frame = undefined;
    if (this.processor >= 0) this.i32[this.processorBase + CURRENT] = 0;
    this.inMicrotasks = true;
    try {
      if (!this.platform.runMicrotasks()) return false;
      this.microtasksDue = 0;
      return true;
    } finally {
      this.inMicrotasks = false;
      this.frame = frame;
    }
  }
}
