/**
 * Who sleeps, who searches, who gets a processor.
 *
 * The problem: as many machines as there is work for, without waking one for every goroutine and without a goroutine that waits while a processor is idle.
 * The rule is Go's. A machine that ran out of work *searches* for a while before it sleeps. Whoever publishes work wakes one machine only if some processor is idle and nobody searches.
 * A searcher that finds work, and was the last to search, wakes the next: parallelism ramps up one at a time and never as a herd.
 *
 * Counted in one word, SCHED_IDLE, so that "nothing to wake" is one load on every spawn:
 *
 * ```
 *  31            16 15             0
 * ┌────────────────┬────────────────┐
 * │ idle processors│   searching    │
 * └────────────────┴────────────────┘
 * ```
 *
 * No work is left lying. Submitter: (1) publishes work in a queue, (2) reads SCHED_IDLE. Machine going idle: (1) adds its processor to the idle ones, and takes itself off the searching
 * ones, in SCHED_IDLE, (2) looks through all queues once more. All four are sequentially consistent. If the submitter's read comes before the machine's change, the work was published before the
 * machine's second look, which finds it. If it comes after, the submitter sees an idle processor and nobody searching, and wakes a machine. A submitter that sees a
 * searcher instead may leave it at that: that searcher will either find the work or go through the same second look.
 *
 * Who is idle and who waits for a processor stands in lists (idle-lists.ts), under SCHED_LOCK; which threads live, in the machines' records (machine-life.ts). Both are layers of the one class here.
 *
 * A machine may need a processor and find none idle: it came back from a blocking call, or a goroutine that lives on it was made ready while others hold all processors. It queues
 * (SCHED_WAIT_HEAD); a processor that is released goes to the first in that queue before it counts as idle, and sysmon asks a holder to give its own up when the queue has not moved for a slice.
 */

import {
  M_GRANT,
  M_GRANT_LOOP,
  M_GRANT_SEARCHING,
  M_IDLE_NEXT,
  M_LISTED,
  P_MACHINE,
  SCHED_ALL_IDLE,
  SCHED_CLOSING,
  SCHED_COMING,
  SCHED_IDLE,
  SCHED_IDLE_M,
  SCHED_IDLE_P,
  SCHED_LOCK,
  SCHED_WAIT_HEAD,
  SCHED_WAIT_TAIL,
} from "../../memory/layout.ts";
import type { SharedMemory } from "../../memory/shared-memory.ts";
import { acquire, release } from "../../memory/thread-lock.ts";
import { liveGoroutines } from "./counters.ts";
import { LISTED_IDLE, LISTED_WAITING, NOT_LISTED, SEARCHING_MASK } from "./idle-lists.ts";
import { MachineLives, machineRecord } from "./machine-life.ts";
import { wake } from "./parker.ts";
import { wakeSysmon, wakeSysmonForWork } from "./sysmon-park.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const SEARCHING = SEARCHING_MASK;

/** SCHED_CLOSING: the host waits for all to be idle. */
export const DRAINING = 1;
/** SCHED_CLOSING: machines are to leave. */
export const CLOSED = 2;

/** Wakes every machine, and sysmon, to see that the runtime is closed. */
export function wakeAll(memory: SharedMemory): void {
  for (let m = 1; m <= memory.shape.maxMachines; m++) wake(memory.i32, machineRecord(memory, m));
  wakeSysmon(memory.i32);
}

/** What a listed machine was given: a processor's number, or -1. */
export interface Grant {
  processor: number;
  /** Whether the giver counted the machine as searching. */
  searching: boolean;
}

/** One thread's access to the lists of the idle. */
export class IdleCoordinator extends MachineLives {
  private readonly grant: Grant = { processor: -1, searching: false };

  // ── searching ──

  /** Makes the caller a searcher unless enough machines search: at most half of the busy ones. */
  tryStartSearching(): boolean {
    const { i32, procs } = this;
    for (;;) {
      const seen = Atomics.load(i32, SCHED_IDLE);
      const busy = procs - (seen >>> 16);
      if (2 * (seen & SEARCHING) >= busy) return false;
      if (Atomics.compareExchange(i32, SCHED_IDLE, seen, seen + 1) === seen) return true;
    }
  }

  /**
   * The caller found work. True if it was the last to search: then it must look whether there is more, and if so wake the next (`wakeOneIfIdle`). It must look, for whoever published something while it searched relied on
   * it; what is published from now on is its submitter's to tell. Go wakes the next without a look, which for single short tasks wakes a thread each for nothing.
   */
  stopSearching(): boolean {
    return (Atomics.sub(this.i32, SCHED_IDLE, 1) & SEARCHING) === 1;
  }

  /** The caller found nothing and is about to look once more. */
  giveUpSearch(): void {
    Atomics.sub(this.i32, SCHED_IDLE, 1);
  }

  /**
   * The caller's last look found work after all: a searcher, however many there are. Others that count as searching may have lost their cores, and a machine that must not search could
   * only go idle, look and come back until they have found the work.
   */
  searchAgain(): void {
    Atomics.add(this.i32, SCHED_IDLE, 1);
  }

  /** To be called after work was published: sees to it that somebody looks for it, if anybody can. Go's wakep. */
  wakeOneIfIdle(): void {
    const seen = Atomics.load(this.i32, SCHED_IDLE);
    if (seen >>> 16 === 0 || (seen & SEARCHING) !== 0) return;
    this.wakeOne();
  }

  /** The same, whatever the count of searching machines says. For a thread that has died it may be too high. */
  wakeOneAnyway(): void {
    const { i32 } = this;
    acquire(i32, SCHED_LOCK, this.thread);
    const machine = i32[SCHED_IDLE_P] === 0 ? 0 : this.popIdleMachine();
    const granted = machine !== 0 && this.grantIdleProcessor(machine, 0);
    const started = machine === 0 && i32[SCHED_IDLE_P] !== 0 ? this.reserveMachine() : 0;
    release(i32, SCHED_LOCK);
    if (granted) wake(i32, this.machineBase(machine));
    else if (started !== 0) wake(i32, this.machineBase(0));
  }

  /** Sets the count of searching machines right while all machines are held: then only those count that have been given a processor to search with. */
  recount(): void {
    const { i32 } = this;
    let searching = 0;
    for (let m = 1; m <= this.maxMachines; m++) {
      const base = this.machineBase(m);
      if (i32[base + M_GRANT] !== 0 && i32[base + M_GRANT_SEARCHING] === 1) searching++;
    }
    Atomics.store(i32, SCHED_IDLE, (Atomics.load(i32, SCHED_IDLE) & ~SEARCHING) | searching);
  }

  private wakeOne(): void {
    const { i32 } = this;
    // Nobody to wake, and threads for all idle processors already under way: they will look for work when they come. Without this look every spawn
    // of the first milliseconds would take the lock.
    const idle = Atomics.load(i32, SCHED_IDLE) >>> 16;
    if (Atomics.load(i32, SCHED_IDLE_M) === 0 && Atomics.load(i32, SCHED_COMING) >= idle) return;
    for (;;) {
      const seen = Atomics.load(i32, SCHED_IDLE);
      if (seen >>> 16 === 0 || (seen & SEARCHING) !== 0) return;
      if (Atomics.compareExchange(i32, SCHED_IDLE, seen, seen + 1) === seen) break;
    }
    // From here the caller has counted one searcher, to be handed to the machine it wakes.
    acquire(i32, SCHED_LOCK, this.thread);
    const machine = i32[SCHED_IDLE_P] === 0 ? 0 : this.popIdleMachine();
    const granted = machine !== 0 && this.grantIdleProcessor(machine, 1);
    const started = machine === 0 && i32[SCHED_IDLE_P] !== 0 ? this.reserveMachine() : 0;
    release(i32, SCHED_LOCK);
    if (granted) {
      wake(i32, this.machineBase(machine));
      return;
    }
    Atomics.sub(i32, SCHED_IDLE, 1);
    if (started !== 0) wake(i32, this.machineBase(0));
    // Whoever published work since the count was raised saw a searcher and left it at that. A machine that was listed after this one had looked for one may have taken its last look before.
    if (Atomics.load(i32, SCHED_IDLE_M) !== 0) this.wakeOneIfIdle();
  }

  // ── processors ──

  /** Takes an idle processor for `machine`, -1 if there is none. Somebody who waits for one in the queue goes first: then there is no idle one. */
  tryAcquireProcessor(machine: number): number {
    const { i32 } = this;
    if (Atomics.load(i32, SCHED_IDLE) >>> 16 === 0) return -1;
    acquire(i32, SCHED_LOCK, this.thread);
    const processor = this.popIdleProcessor();
    if (processor >= 0) Atomics.store(i32, this.processorBase(processor) + P_MACHINE, machine);
    release(i32, SCHED_LOCK);
    if (processor >= 0) wakeSysmonForWork(i32);
    return processor;
  }

  /** Gives a processor up: to the first machine that waits for one, else it is idle. Looking through the queues again is the caller's duty. */
  releaseProcessor(processor: number): void {
    const { i32 } = this;
    acquire(i32, SCHED_LOCK, this.thread);
    const heir = this.passOn(processor);
    release(i32, SCHED_LOCK);
    if (heir !== 0) wake(i32, this.machineBase(heir));
  }

  /** Releases the processor and lists the machine as idle in one step. */
  goIdle(machine: number, processor: number): void {
    const { i32 } = this;
    acquire(i32, SCHED_LOCK, this.thread);
    const heir = processor >= 0 ? this.passOn(processor) : 0;
    const base = this.machineBase(machine);
    i32[base + M_GRANT] = 0;
    i32[base + M_LISTED] = LISTED_IDLE;
    i32[base + M_IDLE_NEXT] = i32[SCHED_IDLE_M];
    Atomics.store(i32, SCHED_IDLE_M, machine);
    release(i32, SCHED_LOCK);
    if (heir !== 0) wake(i32, this.machineBase(heir));
  }

  /**
   * Rings the host if all are idle and that matters: the host waits for just that, or the goroutines that are left may be waiting for each other. Every machine does so before it sleeps: the last
   * goroutine that ran may have been an async body, on a machine that was idle already.
   */
  ringIfAllIdle(): void {
    const { i32 } = this;
    if (
      !this.allIdle() ||
      (Atomics.load(i32, SCHED_CLOSING) !== DRAINING && liveGoroutines(this.memory) === 0)
    )
      return;
    Atomics.store(i32, SCHED_ALL_IDLE, 1);
    this.wakeHost();
  }

  /** Gives a processor to whoever waits, and queues the machine for the next one. True if it was granted one at once. */
  waitForProcessor(machine: number, processor: number): void {
    const { i32 } = this;
    acquire(i32, SCHED_LOCK, this.thread);
    const heir = processor >= 0 ? this.passOn(processor) : 0;
    const base = this.machineBase(machine);
    i32[base + M_GRANT] = 0;
    if (!this.grantIdleProcessor(machine, 0)) {
      i32[base + M_LISTED] = LISTED_WAITING;
      i32[base + M_IDLE_NEXT] = 0;
      const tail = i32[SCHED_WAIT_TAIL];
      if (tail === 0) Atomics.store(i32, SCHED_WAIT_HEAD, machine);
      else i32[this.machineBase(tail) + M_IDLE_NEXT] = machine;
      i32[SCHED_WAIT_TAIL] = machine;
    }
    release(i32, SCHED_LOCK);
    if (heir !== 0) wake(i32, this.machineBase(heir));
  }

  /** The machine is awake: takes it off the lists. What it was given meanwhile is its own now. */
  leaveLists(machine: number): Grant {
    const { i32, grant } = this;
    const base = this.machineBase(machine);
    acquire(i32, SCHED_LOCK, this.thread);
    if (i32[base + M_LISTED] === LISTED_IDLE) this.unlink(SCHED_IDLE_M, machine);
    else if (i32[base + M_LISTED] === LISTED_WAITING) this.unlinkWaiting(machine);
    i32[base + M_LISTED] = NOT_LISTED;
    grant.processor = i32[base + M_GRANT] - 1;
    grant.searching = i32[base + M_GRANT_SEARCHING] === 1;
    i32[base + M_GRANT] = 0;
    i32[base + M_GRANT_SEARCHING] = 0;
    release(i32, SCHED_LOCK);
    return grant;
  }

  /** Whether a machine that was listed is so no longer and has nothing for it: what it was given was taken back. */
  isStruckOff(machine: number): boolean {
    const { i32 } = this;
    const base = this.machineBase(machine);
    return Atomics.load(i32, base + M_LISTED) === NOT_LISTED && Atomics.load(i32, base + M_GRANT) === 0;
  }

  /** The machine that was given a processor and has not come for it, though it slept in its event loop; 0 for none. */
  notComeFor(processor: number): number {
    const { i32 } = this;
    const machine = Atomics.load(i32, this.processorBase(processor) + P_MACHINE);
    if (machine === 0) return 0;
    const base = this.machineBase(machine);
    return Atomics.load(i32, base + M_GRANT) === processor + 1 && Atomics.load(i32, base + M_GRANT_LOOP) === 1
      ? machine
      : 0;
  }

  /**
   * Takes back a processor that its machine does not come for: its thread is busy in its event loop, with a long continuation of an async body, say, which nobody could know. Somebody else gets it, and
   * the work that the machine was to look for. The machine is not listed until it has come back, so it is not chosen again meanwhile. False if it came after all.
   */
  takeBack(processor: number, machine: number): boolean {
    const { i32 } = this;
    const base = this.machineBase(machine);
    acquire(i32, SCHED_LOCK, this.thread);
    const there = i32[base + M_GRANT] === processor + 1;
    const searching = there && i32[base + M_GRANT_SEARCHING] === 1;
    if (there) {
      i32[base + M_GRANT_SEARCHING] = 0;
      Atomics.store(i32, base + M_GRANT, 0);
    }
    const heir = there ? this.passOn(processor) : 0;
    release(i32, SCHED_LOCK);
    if (heir !== 0) wake(i32, this.machineBase(heir));
    if (searching) Atomics.sub(i32, SCHED_IDLE, 1);
    if (there) this.wakeOneIfIdle();
    return there;
  }

  /** Whether the machine was given a processor while it was listed. */
  hasGrant(machine: number): boolean {
    return Atomics.load(this.i32, this.machineBase(machine) + M_GRANT) !== 0;
  }

  /** Whether a machine queues for a processor. A plain look, for every scheduling round. */
  somebodyWaits(): boolean {
    return this.i32[SCHED_WAIT_HEAD] !== 0;
  }

  /** Whether all processors have been idle since the last call. */
  takeAllIdle(): boolean {
    return Atomics.exchange(this.i32, SCHED_ALL_IDLE, 0) !== 0;
  }

  /** Whether every processor is held. */
  noneIdle(): boolean {
    return Atomics.load(this.i32, SCHED_IDLE) >>> 16 === 0;
  }

  /** Whether a single processor is held. */
  allButOneIdle(): boolean {
    return Atomics.load(this.i32, SCHED_IDLE) >>> 16 === this.procs - 1;
  }

  /** Whether no processor is held. */
  allIdle(): boolean {
    return Atomics.load(this.i32, SCHED_IDLE) >>> 16 === this.procs;
  }
}
