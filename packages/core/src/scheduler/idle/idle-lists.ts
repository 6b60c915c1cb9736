/**
 * The lists of idle processors, idle machines and machines that wait for a processor.
 *
 * They stand under SCHED_LOCK; they are only touched when somebody goes to sleep or is woken. What is done with them and when: see idle.ts. What each processor and machine says of itself decides: should a thread die in the middle of a
 * change, the lists are made anew from that.
 */

import {
  H_PROCS,
  M_GRANT,
  M_GRANT_LOOP,
  M_GRANT_SEARCHING,
  M_IDLE_NEXT,
  M_IN_LOOP,
  M_LISTED,
  M_WORDS,
  P_IDLE_NEXT,
  P_MACHINE,
  P_WORDS,
  SCHED_IDLE,
  SCHED_IDLE_M,
  SCHED_IDLE_P,
  SCHED_WAIT_HEAD,
  SCHED_WAIT_TAIL,
} from "../../memory/layout.ts";
import type { SharedMemory } from "../../memory/shared-memory.ts";
import { wakeSysmonForTimers, wakeSysmonForWork } from "./sysmon-park.ts";

/** SCHED_IDLE: one idle processor. */
export const IDLE_P: number = 1 << 16;
/** SCHED_IDLE: the machines that search. */
export const SEARCHING_MASK = 0xffff;

/** M_LISTED: in no list. */
export const NOT_LISTED = 0;
/** M_LISTED: idle. */
export const LISTED_IDLE = 1;
/** M_LISTED: queues for a processor. */
export const LISTED_WAITING = 2;

/** The part of an IdleCoordinator that holds the lists. But for `initialise`, all of it is under SCHED_LOCK. */
export abstract class IdleLists {
  protected readonly memory: SharedMemory;
  protected readonly i32: Int32Array;
  private readonly f64: Float64Array;
  private readonly processors: number;
  private readonly machines: number;
  protected readonly procs: number;
  protected readonly maxMachines: number;
  protected readonly thread: number;

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

  // ── processors ──

  /** Gives a processor to the first machine that waits for one: returns it, to be woken. With none waiting, 0: the processor is idle. */
  protected passOn(processor: number): number {
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

  /** Gives an idle processor to a machine, if there is one. `searching` is 1 if the machine has been counted as searching. */
  protected grantIdleProcessor(machine: number, searching: number): boolean {
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

  protected popIdleProcessor(): number {
    const { i32 } = this;
    const processor = i32[SCHED_IDLE_P] - 1;
    if (processor < 0) return -1;
    i32[SCHED_IDLE_P] = i32[this.processorBase(processor) + P_IDLE_NEXT];
    Atomics.sub(i32, SCHED_IDLE, IDLE_P);
    return processor;
  }

  // ── machines ──

  /** The machine that went idle last, but one in its event loop only if all are: it may be busy there, and takes longer to wake. */
  protected popIdleMachine(): number {
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

  protected unlink(headWord: number, machine: number): number {
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

  protected unlinkWaiting(machine: number): void {
    const before = this.unlink(SCHED_WAIT_HEAD, machine);
    if (this.i32[SCHED_WAIT_TAIL] === machine) this.i32[SCHED_WAIT_TAIL] = before;
  }

  // ── after a death ──

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

  // ── records ──

  protected machineBase(machine: number): number {
    return this.machines + machine * M_WORDS;
  }

  protected processorBase(processor: number): number {
    return this.processors + processor * P_WORDS;
  }
}
