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
 * The lists themselves (idle processors, idle machines, machines that wait for a processor) stand under SCHED_LOCK; they are only touched when somebody goes to sleep or is woken.
 *
 * A machine may need a processor and find none idle: it came back from a blocking call, or a goroutine that lives on it was made ready while others hold all processors. It queues
 * (SCHED_WAIT_HEAD); a processor that is released goes to the first in that queue before it counts as idle, and sysmon asks a holder to give its own up when the queue has not moved for a slice.
 */

import {
  H_PROCS,
  M_GRANT,
  M_GRANT_LOOP,
  M_GRANT_SEARCHING,
  M_IDLE_NEXT,
  M_IN_LOOP,
  M_LIFE,
  M_LISTED,
  M_WORDS,
  P_IDLE_NEXT,
  P_MACHINE,
  P_WORDS,
  SCHED_ALL_IDLE,
  SCHED_CLOSING,
  SCHED_COMING,
  SCHED_IDLE,
  SCHED_IDLE_M,
  SCHED_IDLE_P,
  SCHED_LOCK,
  SCHED_WAIT_HEAD,
  SCHED_WAIT_TAIL,
  SCHED_WANTED,
} from "../memory/layout.ts";
import type { SharedMemory } from "../memory/shared-memory.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import { liveGoroutines } from "./counters.ts";
import { wake } from "./parker.ts";
import { wakeSysmon, wakeSysmonForTimers, wakeSysmonForWork } from "./sysmon-park.ts";

const IDLE_P = 1 << 16;
const SEARCHING_MASK = 0xffff;

/** M_LIFE: no thread. */
export const LIFE_NONE = 0;
/** M_LIFE: the host is asked to start a thread. */
export const LIFE_WANTED = 1;
/** M_LIFE: the thread is on its way. */
export const LIFE_STARTING = 2;
/** M_LIFE: the thread runs. */
export const LIFE_ALIVE = 3;
/** M_LIFE: the thread ended without being asked to. */
export const LIFE_LOST = 4;

/** SCHED_CLOSING: the host waits for all to be idle. */
export const DRAINING = 1;
/** SCHED_CLOSING: machines are to leave. */
export const CLOSED = 2;

const NOT_LISTED = 0;
const LISTED_IDLE = 1;
/** M_LISTED: queues for a processor. */
export const LISTED_WAITING = 2;

/** First word of a machine's record; 0 is the host's. */
export function machineRecord(memory: SharedMemory, machine: number): number {
  return memory.layout.machines + machine * M_WORDS;
}

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
export class IdleCoordinator {
  private readonly memory: SharedMemory;
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;
  private readonly processors: number;
  private readonly machines: number;
  private readonly procs: number;
  private readonly maxMachines: number;
  private readonly thread: number;
  private readonly grant: Grant = { processor: -1, searching: false };

  constructor(memory: SharedMemory, thread: number) {
    this.memory = memory;
    this.i32 = memory.i32;
    this.f64 = memory.f64;
    this.processors = memory.layout.processors;
    this.machines = memory.layout.machines;
    this.procs = memory.i32[H_PROCS];
    this.maxMachines = memory.shape.maxMachines;
    this.thread = thread;
  }

  /** Lists every processor as idle: once, before any machine exists. */
  initialise(): void {
    const { i32 } = this;
    for (let p = 0; p < this.procs; p++)
      i32[this.processors + p * P_WORDS + P_IDLE_NEXT] = p + 1 === this.procs ? 0 : p + 2;
    i32[SCHED_IDLE_P] = 1;
    Atomics.store(i32, SCHED_IDLE, this.procs * IDLE_P);
  }

  // ── searching ──

  /** Makes the caller a searcher unless enough machines search: at most half of the busy ones. */
  tryStartSearching(): boolean {
    const { i32, procs } = this;
    for (;;) {
      const seen = Atomics.load(i32, SCHED_IDLE);
      const busy = procs - (seen >>> 16);
      if (2 * (seen & SEARCHING_MASK) >= busy) return false;
      if (Atomics.compareExchange(i32, SCHED_IDLE, seen, seen + 1) === seen) return true;
    }
  }

  /**
   * The caller found work. True if it was the last to search: then it must look whether there is more, and if so wake the next (`wakeOneIfIdle`). It must look, for whoever published something while it searched relied on
   * it; what is published from now on is its submitter's to tell. Go wakes the next without a look, which for single short tasks wakes a thread each for nothing.
   */
  stopSearching(): boolean {
    return (Atomics.sub(this.i32, SCHED_IDLE, 1) & SEARCHING_MASK) === 1;
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
    if (seen >>> 16 === 0 || (seen & SEARCHING_MASK) !== 0) return;
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

  /**
   * Makes the lists anew from what each processor and machine says of itself; under SCHED_LOCK, for a thread that died with it. A machine that was being taken off a list and has nothing for it finds that out when it is woken
   * (`isStruckOff`): the caller wakes all.
   */
  restore(dead: number): void {
    const { i32 } = this;
    const granted = this.restoreGrants();
    // The dead one leaves; a processor that it was granted is its own, to be released with the others.
    if (dead <= this.maxMachines) {
      i32[this.machineBase(dead) + M_LISTED] = NOT_LISTED;
      i32[this.machineBase(dead) + M_GRANT] = 0;
    }
    this.restoreList(SCHED_IDLE_M, this.membersOf(SCHED_IDLE_M, LISTED_IDLE, dead));
    const waiting = this.membersOf(SCHED_WAIT_HEAD, LISTED_WAITING, dead);
    this.restoreList(SCHED_WAIT_HEAD, waiting);
    i32[SCHED_WAIT_TAIL] = waiting.at(-1) ?? 0;
    let idle = 0;
    i32[SCHED_IDLE_P] = 0;
    for (let p = this.procs - 1; p >= 0; p--) {
      if (granted.has(p) || Atomics.load(i32, this.processorBase(p) + P_MACHINE) !== 0) continue;
      i32[this.processorBase(p) + P_IDLE_NEXT] = i32[SCHED_IDLE_P];
      i32[SCHED_IDLE_P] = p + 1;
      idle++;
    }
    // The other half of the word is changed without the lock.
    for (;;) {
      const seen = Atomics.load(i32, SCHED_IDLE);
      const right = (seen & SEARCHING_MASK) | (idle << 16);
      if (Atomics.compareExchange(i32, SCHED_IDLE, seen, right) === seen) return;
    }
  }

  /** A grant decides whose a processor is. Returns the processors that are granted. */
  private restoreGrants(): Set<number> {
    const { i32 } = this;
    const granted = new Set<number>();
    for (let m = 1; m <= this.maxMachines; m++) {
      const processor = Atomics.load(i32, this.machineBase(m) + M_GRANT) - 1;
      if (processor < 0) continue;
      if (granted.has(processor)) {
        // It was being taken back from one machine and given to another, neither of which has come for it.
        Atomics.store(i32, this.machineBase(m) + M_GRANT, 0);
        continue;
      }
      granted.add(processor);
      i32[this.machineBase(m) + M_LISTED] = NOT_LISTED;
      Atomics.store(i32, this.processorBase(processor) + P_MACHINE, m);
    }
    return granted;
  }

  /** The machines that say they are in a list: in the order of its links as far as these lead, then the others. */
  private membersOf(headWord: number, listed: number, dead: number): number[] {
    const { i32 } = this;
    const isMember = (m: number): boolean => m !== dead && i32[this.machineBase(m) + M_LISTED] === listed;
    const found = new Set<number>();
    for (let m = i32[headWord]; m !== 0 && !found.has(m); m = i32[this.machineBase(m) + M_IDLE_NEXT])
      if (isMember(m)) found.add(m);
    for (let m = 1; m <= this.maxMachines; m++) if (isMember(m)) found.add(m);
    return [...found];
  }

  private restoreList(headWord: number, members: readonly number[]): void {
    const { i32 } = this;
    members.forEach((m, i) => {
      i32[this.machineBase(m) + M_IDLE_NEXT] = members[i + 1] ?? 0;
    });
    Atomics.store(i32, headWord, members[0] ?? 0);
  }

  /** Sets the count of searching machines right while all machines are held: then only those count that have been given a processor to search with. */
  recount(): void {
    const { i32 } = this;
    let searching = 0;
    for (let m = 1; m <= this.maxMachines; m++) {
      const base = this.machineBase(m);
      if (i32[base + M_GRANT] !== 0 && i32[base + M_GRANT_SEARCHING] === 1) searching++;
    }
    Atomics.store(i32, SCHED_IDLE, (Atomics.load(i32, SCHED_IDLE) & ~SEARCHING_MASK) | searching);
  }

  private wakeOne(): void {
    const { i32 } = this;
    // Nobody to wake, and threads for all idle processors already under way: they will look for work when they come. Without this look every spawn
    // of the first milliseconds would take the lock.
    const idle = Atomics.load(i32, SCHED_IDLE) >>> 16;
    if (Atomics.load(i32, SCHED_IDLE_M) === 0 && Atomics.load(i32, SCHED_COMING) >= idle) return;
    for (;;) {
      const seen = Atomics.load(i32, SCHED_IDLE);
      if (seen >>> 16 === 0 || (seen & SEARCHING_MASK) !== 0) return;
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

  // ── threads ──

  /** Asks the host for one more thread if there may be one. Returns the reserved machine, 0 for none. Used when a processor must not stay without a machine. */
  requestMachine(): number {
    acquire(this.i32, SCHED_LOCK, this.thread);
    const machine = this.reserveMachine();
    release(this.i32, SCHED_LOCK);
    if (machine !== 0) wake(this.i32, this.machineBase(0));
    return machine;
  }

  /** Rings the host. */
  wakeHost(): void {
    wake(this.i32, this.machineBase(0));
  }

  /** The machines the host has been asked to start, now marked as starting. */
  takeWanted(): number[] {
    const { i32 } = this;
    if (Atomics.load(i32, SCHED_WANTED) === 0) return [];
    const wanted: number[] = [];
    acquire(i32, SCHED_LOCK, this.thread);
    for (let m = 1; m <= this.maxMachines; m++) {
      if (i32[this.machineBase(m) + M_LIFE] !== LIFE_WANTED) continue;
      i32[this.machineBase(m) + M_LIFE] = LIFE_STARTING;
      wanted.push(m);
    }
    Atomics.store(i32, SCHED_WANTED, 0);
    release(i32, SCHED_LOCK);
    return wanted;
  }

  /** Notes what became of a machine's thread. */
  setLife(machine: number, life: number): void {
    const before = Atomics.exchange(this.i32, this.machineBase(machine) + M_LIFE, life);
    if (before === LIFE_WANTED || before === LIFE_STARTING) Atomics.sub(this.i32, SCHED_COMING, 1);
  }

  /** Threads that live or are on their way. */
  machineCount(): number {
    let count = 0;
    for (let m = 1; m <= this.maxMachines; m++) {
      const life = Atomics.load(this.i32, this.machineBase(m) + M_LIFE);
      if (life === LIFE_STARTING || life === LIFE_ALIVE) count++;
    }
    return count;
  }

  // ── under SCHED_LOCK ──

  /** A machine without a thread, marked as wanted. The processor it is for stays idle until the thread comes and takes it, so that others may. */
  private reserveMachine(): number {
    const { i32 } = this;
    // One on its way for each idle processor is enough: more would find nothing to hold.
    if (i32[SCHED_COMING] >= i32[SCHED_IDLE] >>> 16) return 0;
    for (let m = 1; m <= this.maxMachines; m++) {
      if (i32[this.machineBase(m) + M_LIFE] !== LIFE_NONE) continue;
      i32[this.machineBase(m) + M_LIFE] = LIFE_WANTED;
      Atomics.add(i32, SCHED_COMING, 1);
      Atomics.add(i32, SCHED_WANTED, 1);
      return m;
    }
    return 0;
  }

  private passOn(processor: number): number {
    const { i32 } = this;
    const heir = i32[SCHED_WAIT_HEAD];
    if (heir !== 0) {
      this.unlinkWaiting(heir);
      const base = this.machineBase(heir);
      i32[base + M_LISTED] = NOT_LISTED;
      i32[base + M_GRANT_SEARCHING] = 0;
      i32[base + M_GRANT_LOOP] = this.isInEventLoop(heir);
      // The grant first: it decides, should this thread die in between.
      Atomics.store(i32, base + M_GRANT, processor + 1);
      Atomics.store(i32, this.processorBase(processor) + P_MACHINE, heir);
      return heir;
    }
    Atomics.store(i32, this.processorBase(processor) + P_MACHINE, 0);
    i32[this.processorBase(processor) + P_IDLE_NEXT] = i32[SCHED_IDLE_P];
    i32[SCHED_IDLE_P] = processor + 1;
    Atomics.add(i32, SCHED_IDLE, IDLE_P);
    wakeSysmonForTimers(i32, this.f64, this.processorBase(processor));
    return 0;
  }

  private grantIdleProcessor(machine: number, searching: number): boolean {
    const { i32 } = this;
    const processor = this.popIdleProcessor();
    if (processor < 0) return false;
    const base = this.machineBase(machine);
    i32[base + M_LISTED] = NOT_LISTED;
    i32[base + M_GRANT_SEARCHING] = searching;
    i32[base + M_GRANT_LOOP] = this.isInEventLoop(machine);
    Atomics.store(i32, base + M_GRANT, processor + 1);
    Atomics.store(i32, this.processorBase(processor) + P_MACHINE, machine);
    wakeSysmonForWork(i32);
    return true;
  }

  private popIdleProcessor(): number {
    const { i32 } = this;
    const processor = i32[SCHED_IDLE_P] - 1;
    if (processor < 0) return -1;
    i32[SCHED_IDLE_P] = i32[this.processorBase(processor) + P_IDLE_NEXT];
    Atomics.sub(i32, SCHED_IDLE, IDLE_P);
    return processor;
  }

  /** The machine that went idle last, but one in its event loop only if all are: it may be busy there, and takes longer to wake. */
  private popIdleMachine(): number {
    const { i32 } = this;
    const head = i32[SCHED_IDLE_M];
    if (head === 0) return 0;
    let chosen = head;
    while (chosen !== 0 && this.isInEventLoop(chosen) === 1)
      chosen = i32[this.machineBase(chosen) + M_IDLE_NEXT];
    if (chosen === 0) chosen = head;
    this.unlink(SCHED_IDLE_M, chosen);
    i32[this.machineBase(chosen) + M_LISTED] = NOT_LISTED;
    return chosen;
  }

  /** Not from M_PARK: a machine that has been called is awake there, and may be busy in its event loop all the same. */
  private isInEventLoop(machine: number): number {
    return Atomics.load(this.i32, this.machineBase(machine) + M_IN_LOOP);
  }

  private unlink(headWord: number, machine: number): number {
    const { i32 } = this;
    const next = i32[this.machineBase(machine) + M_IDLE_NEXT];
    let before = 0;
    for (let at = i32[headWord]; at !== machine; at = i32[this.machineBase(at) + M_IDLE_NEXT]) {
      if (at === 0)
        throw new Error(
          `unlink: machine ${machine} is marked as listed but is not in the list at word ${headWord}`,
        );
      before = at;
    }
    if (before === 0) Atomics.store(i32, headWord, next);
    else i32[this.machineBase(before) + M_IDLE_NEXT] = next;
    return before;
  }

  private unlinkWaiting(machine: number): void {
    const before = this.unlink(SCHED_WAIT_HEAD, machine);
    if (this.i32[SCHED_WAIT_TAIL] === machine) this.i32[SCHED_WAIT_TAIL] = before;
  }

  private machineBase(machine: number): number {
    return this.machines + machine * M_WORDS;
  }

  private processorBase(processor: number): number {
    return this.processors + processor * P_WORDS;
  }
}
