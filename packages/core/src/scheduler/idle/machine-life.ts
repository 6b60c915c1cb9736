/** Machines' threads: which are wanted, which are on their way, which live. The host starts them; whoever has work for one asks it to. */

import { M_LIFE, M_WORDS, SCHED_COMING, SCHED_IDLE, SCHED_LOCK, SCHED_WANTED } from "../../memory/layout.ts";
import type { SharedMemory } from "../../memory/shared-memory.ts";
import { acquire, release } from "../../memory/thread-lock.ts";
import { IdleLists } from "./idle-lists.ts";
import { wake } from "./parker.ts";

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

/** First word of a machine's record; 0 is the host's. */
export function machineRecord(memory: SharedMemory, machine: number): number {
  return memory.layout.machines + machine * M_WORDS;
}

/** The part of an IdleCoordinator that asks for threads. */
export abstract class MachineLives extends IdleLists {
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

  /** No thread comes for a machine that `takeWanted` gave out. Whoever published work since may rely on it: the caller must look through the queues afterwards. */
  withdraw(machine: number): void {
    this.setLife(machine, LIFE_NONE);
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

  /** Under SCHED_LOCK. A machine without a thread, marked as wanted. The processor it is for stays idle until the thread comes and takes it, so that others may. */
  protected reserveMachine(): number {
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
}
