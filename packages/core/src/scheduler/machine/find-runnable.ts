/**
 * What a machine runs next: Go's findRunnable.
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

import { transitionWaitingToRunnable } from "../../goroutine/status.ts";
import {
  CACHE_STEALS,
  G_FRAME,
  G_NEXT,
  G_WORDS,
  M_STOP,
  P_CURRENT,
  P_PREEMPT,
  P_TICK,
  SCHED_CLOSING,
} from "../../memory/layout.ts";
import * as inbox from "../../queue/inbox.ts";
import { FRAME_BLOCKED, FRAME_PROMISE, type Frame, isShielded } from "../frames/frame.ts";
import { CLOSED } from "../idle/idle-coordinator.ts";
import { endNap } from "../idle/parker.ts";
import { SpinPatience } from "../idle/spin-patience.ts";
import { pauseAtSafePoint, stopIsAsked } from "../idle/world-stop.ts";
import { cancellation, takeAttention, wantsAttention } from "../thread/cancellation.ts";
import { sharedBuffersOf } from "../thread/shared-buffers.ts";
import { GLOBAL_EVERY, LIST_IN_RING, MachineThread } from "./machine-thread.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const PROMISE = FRAME_PROMISE;
const BLOCKED = FRAME_BLOCKED;
const WORDS = G_WORDS;
const FRAME = G_FRAME;
const NEXT = G_NEXT;
const TICK = P_TICK;
const CURRENT = P_CURRENT;
const PREEMPT = P_PREEMPT;
const BACK_EVERY = GLOBAL_EVERY;
const MANY_IN_RING = LIST_IN_RING;

/** One round in so many, less one, begins with the ready goroutines that live here, the others with the ring. A guess: those that live here are resumed in batches, and wait for seven others at most. */
const LOCAL_EVERY_MASK = 7;
/** How long a machine that found nothing goes on looking. About what a sleep and a wake-up cost. */
const SEARCH_MS = 0.05;
/** Goroutines in STEAL_MS up to which they count as long: one takes 50 µs or more, or twice that if somebody is resumed after each to join it. */
const FEW_AT_ONCE = 4;
/** Full rounds over all processors that a steal makes before it also takes runNext. */
const STEAL_ROUNDS = 4;

export abstract class FindingMachine extends MachineThread {
  private readonly patience = new SpinPatience();

  /** Gives the processor up and lists the machine as idle. Returns a goroutine, or 0 with the machine idle or its state changed. */
  protected abstract goIdle(): number;

  protected pick(): number {
    const { i32, processorBase } = this;
    if (!inbox.seemsEmpty(i32, this.machineRecord)) this.emptyInbox();
    // Plain reads: sysmon repeats what it asks, so a flag seen a round late is only a little late.
    if (i32[processorBase + PREEMPT] !== 0) this.endSharedSlice();
    if (wantsAttention(i32, this.machineRecord)) this.attend();
    if (--this.untilGlobal === 0) {
      this.untilGlobal = BACK_EVERY;
      const goroutine = this.fromBack(1);
      if (goroutine !== 0) return this.newSlice(goroutine);
    }
    const { next } = this;
    if (next !== 0) {
      this.next = 0;
      return next;
    }
    const created = this.queue.popNext();
    if (created !== 0) {
      if (this.atOnce > FEW_AT_ONCE || !this.isBehindMany()) return created;
      this.queue.push(created);
    }
    const localTurn = (++this.turn & LOCAL_EVERY_MASK) === 0;
    let goroutine = localTurn ? this.local.pop() : this.queue.pop();
    if (goroutine === 0) goroutine = localTurn ? this.queue.pop() : this.local.pop();
    if (goroutine === 0) goroutine = this.fromBack(128);
    return goroutine === 0 ? 0 : this.newSlice(goroutine);
  }

  /**
   * Whether the goroutine created last is to wait for those before it. The slot is for short ones, whose data is still in the cache; of a list of long ones, the last would go before the first, and, if it is one of the longest, leave an
   * odd number of those for the end. With one processor nothing is gained by it, and the order is Go's.
   */
  private isBehindMany(): boolean {
    return this.procs > 1 && this.queue.length() >= MANY_IN_RING;
  }

  protected newSlice(goroutine: number): number {
    this.i32[this.processorBase + TICK]++;
    return goroutine;
  }

  /** One from the back of the line: from this machine's yielded ones and the global queue in turn. */
  protected fromBack(max: number): number {
    this.yieldedTurn = !this.yieldedTurn;
    const first = this.yieldedTurn ? this.yielded.pop() : this.fromGlobal(max);
    if (first !== 0) return first;
    return this.yieldedTurn ? this.fromGlobal(max) : this.yielded.pop();
  }

  /** Takes this processor's share of the global queue (Go's globrunqget); all but one go to the ring. */
  protected fromGlobal(max: number): number {
    if (this.globalQueue.seemsEmpty()) return 0;
    const size = this.globalQueue.size();
    const share = Math.floor(size / this.procs) + 1;
    const count = this.globalQueue.popBatch(
      this.batch,
      Math.min(share, max, max === 1 ? 1 : this.queue.room()),
    );
    if (count > 1) this.queue.pushAll(this.batch, 1, count);
    return count === 0 ? 0 : this.batch[0];
  }

  /** The slice that a chain of wake-ups shared is used up: those it would go on with go behind the others. */
  protected endSharedSlice(): void {
    const { i32, processorBase } = this;
    Atomics.store(i32, processorBase + PREEMPT, 0);
    this.lookAtClock();
    if (this.next !== 0) {
      this.local.push(this.next);
      this.next = 0;
    }
    const created = this.queue.popNext();
    if (created !== 0) this.queue.push(created);
    i32[processorBase + TICK]++;
  }

  /**
   * A safe point: this machine has nothing in hand, and pauses here when all are to stop. Counted as searching, it comes off that count meanwhile: the host can then tell what the count should be.
   */
  protected pauseIfAsked(): void {
    const { i32 } = this;
    if (!stopIsAsked(i32)) return;
    const { searching } = this;
    if (searching) this.idle.giveUpSearch();
    pauseAtSafePoint(i32, this.machineRecord + M_STOP, this.memory.layout.machines);
    if (searching) this.idle.searchAgain();
  }

  /** Somebody cancelled goroutines. Or all machines are to stop, or to let go of shared buffers. */
  protected attend(): void {
    const mayBeCancelled = takeAttention(this.i32, this.machineRecord);
    this.pauseIfAsked();
    sharedBuffersOf(this).tidyIfAsked();
    if (mayBeCancelled) this.tellCancelled();
  }

  /** Those that live here, are cancelled and parked are taken out of their queues and resumed. */
  private tellCancelled(): void {
    const telling = new Set<Frame>();
    this.frames.unpackWhere((goroutine) => this.cancelMark(this.descriptorOf(goroutine)) !== 0);
    this.frames.forEach((frame) => {
      const victim = this.ownerOf(frame) ?? frame;
      const context = this.cancelMark(victim.base);
      if (context === 0 || frame.operation === undefined) return;
      // An async body may wait in several places: all of them are told together.
      if (isShielded(victim) && !telling.has(victim)) return;
      if (!frame.operation.abandon(frame)) return;
      victim.cancelTold = true;
      telling.add(victim);
      frame.interrupt = cancellation.errorOf(this, context);
      this.ready(frame.goroutine);
    });
  }

  protected emptyInbox(): void {
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
  protected receive(goroutine: number, base: number): void {
    const frame = this.frames.at(this.i32[base + FRAME]);
    if (frame.kind === PROMISE) this.settlePromise(frame);
    else if (frame.kind === BLOCKED) this.wakeBlocked(frame);
    else {
      transitionWaitingToRunnable(this.i32, base);
      this.local.push(goroutine);
    }
  }

  private wakeBlocked(frame: Frame): void {
    this.noteWoken(frame);
    frame.woken = true;
  }

  protected readyHere(goroutine: number, base: number): void {
    const frame = this.frames.at(this.i32[base + FRAME]);
    if (frame.kind === PROMISE) {
      this.settlePromise(frame);
      return;
    }
    if (frame.kind === BLOCKED) {
      this.wakeBlocked(frame);
      return;
    }
    transitionWaitingToRunnable(this.i32, base);
    if (this.next !== 0) this.local.push(this.next);
    this.next = goroutine;
    if (!this.running) this.platform.requestRun();
  }

  enqueueNew(goroutine: number): void {
    if (this.processor >= 0) this.queue.pushNext(goroutine);
    else this.globalQueue.push(goroutine);
    if (this.procs > 1 || this.processor < 0) this.idle.wakeOneIfIdle();
  }

  /**
   * Runs the timers of a processor (-1 for none) that are due. What they make ready goes behind what is ready, in the order of the timers: nothing
   * that runs now woke it, so it shares nobody's time slice. True if there were any.
   */
  protected runTimers(processor: number, now: number): boolean {
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

  /** Out of work: looks for some at the other processors for a while, then goes idle. Returns a goroutine, or 0 with the machine idle or its state changed. */
  protected search(): number {
    const { i32 } = this;
    i32[this.processorBase + CURRENT] = 0;
    endNap(i32, this.memory.layout.machines);
    this.notePace(this.clock());
    if (this.searching || this.idle.tryStartSearching()) {
      this.searching = true;
      const until = performance.now() + SEARCH_MS;
      let brief = true;
      do {
        const goroutine = this.lookAround();
        if (goroutine !== 0) {
          if (!brief && performance.now() < until) this.patience.succeeded();
          this.found();
          this.lastClock = this.clock();
          this.untilClock = this.clockStride = 1;
          return goroutine;
        }
        if (brief && !this.mayGoOnLooking()) break;
        brief = false;
      } while (performance.now() < until && Atomics.load(i32, SCHED_CLOSING) !== CLOSED);
    }
    return this.goIdle();
  }

  private lookAround(): number {
    for (let round = 0; round < STEAL_ROUNDS; round++) {
      const goroutine = this.stealOrPick(round === STEAL_ROUNDS - 1);
      if (goroutine !== 0) return goroutine;
    }
    return 0;
  }

  /** While no other processor is held, work comes from the host, or through an event loop: whoever would bring it may need this core. */
  private mayGoOnLooking(): boolean {
    return !this.idle.allButOneIdle() || this.patience.mayGoOn();
  }

  protected stealOrPick(takeNext: boolean): number {
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
      const goroutine = this.queue.stealFrom(this.stealers[p], takeNext, this.atOnce);
      if (goroutine === 0) continue;
      this.f64[(this.cache + CACHE_STEALS) >> 1] += this.queue.stolen;
      return this.newSlice(goroutine);
    }
    return 0;
  }

  protected found(): void {
    this.searching = false;
    if (this.idle.stopSearching() && this.workSomewhere()) this.idle.wakeOneIfIdle();
  }

  protected workSomewhere(): boolean {
    if (this.globalQueue.size() !== 0) return true;
    for (const stealer of this.stealers) if (!stealer.isEmpty()) return true;
    return false;
  }
}
