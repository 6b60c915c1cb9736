/**
 * Stopping all machines at once, for a moment.
 *
 * When a thread has died, some of what it had in hand stands nowhere any more: a goroutine it had popped and not begun, a waiter it had taken off a queue and not made ready. That can be found only by looking
 * everywhere at one moment, and for that moment nobody may move anything. (The way not taken: that every thread notes in shared memory what it has in hand, before and after each step. It would cost every spawn,
 * send and wake-up some stores, for the sake of something that almost never happens.)
 *
 * A *safe point* is a moment at which a machine has nothing in hand: no lock, no goroutine that is on no list. Machines come by one in every scheduling round, and look at M_ATTENTION there anyway, so the stop costs nothing while none
 * is asked for. A plain body that computes for long does not come by one; the host therefore first waits until all have come by (`haveAllPassed`), and only then asks for the stop, which lasts well below a millisecond.
 *
 * - The host: (1) stores the stop's number in SCHED_STOP, (2) asks every machine for attention and wakes it, (3) waits for all to arrive, (4) holds each by compare-and-swap of its M_STOP from 1 to 2, (5) stores the number's
 *   negative in SCHED_STOP, (6) looks once more who takes part: whoever is not held lets it give up, (7) works, alone, (8) sets SCHED_STOP and every M_STOP to 0 and notifies.
 * - A machine at its safe point: (1) finds SCHED_STOP, (2) stores 1 in M_STOP and rings the host, (3) waits on SCHED_STOP while it is positive, but not for ever: (4) when it has waited for long, it takes its 1 back by
 *   compare-and-swap and goes on. If that fails, the host holds it, and it waits on. (5) While SCHED_STOP is negative it waits, however long that takes.
 *
 * So the host never relies on a machine that has gone on: either its compare-and-swap wins or the machine's. And nobody pauses for longer than PATIENCE_MS because of another that does not come.
 *
 * A thread that is only just starting is not among those whom the host held. It stores M_ENTERED before it reads SCHED_STOP, both atomically, and the host stores the negative number before it looks once more who takes part. So one
 * of them sees the other: either the host finds a machine that it does not hold, and gives up; or the machine finds the negative number, and waits until the host is done.
 */

import {
  M_ATTENTION,
  M_ENTERED,
  M_PARK,
  M_STOP,
  M_WORDS,
  SCHED_STOP,
  SYSMON_ENTERED,
  SYSMON_PASSES,
  SYSMON_STOP,
} from "../../memory/layout.ts";
import type { SharedMemory } from "../../memory/shared-memory.ts";
import { wake } from "./parker.ts";
import { wakeSysmon } from "./sysmon-park.ts";

const RUNS = 0;
const ARRIVED = 1;
const HELD = 2;

/** How long a machine pauses for a host that does not hold it: it may be busy, or another machine may not come. A guess: two slices. */
const PATIENCE_MS = 20;

/** The machine's thread is about to touch what is shared for the first time. */
export function enterWorld(i32: Int32Array, machine: number): void {
  Atomics.store(i32, machine + M_ENTERED, 1);
}

/** The same for sysmon. */
export function enterAsSysmon(i32: Int32Array, host: number): void {
  Atomics.store(i32, SYSMON_ENTERED, 1);
  pauseAtSafePoint(i32, SYSMON_STOP, host);
}

/** Whether a stop is asked for. */
export function stopIsAsked(i32: Int32Array): boolean {
  return Atomics.load(i32, SCHED_STOP) !== 0;
}

/** Pauses at a safe point while a stop is asked for. `word` is this thread's M_STOP, or SYSMON_STOP; `host` the first word of the host's record. */
export function pauseAtSafePoint(i32: Int32Array, word: number, host: number): void {
  const stop = Atomics.load(i32, SCHED_STOP);
  if (stop === 0) return;
  if (stop > 0) waitToBeHeld(i32, word, host, stop);
  // The host is at work, with this thread held or only just coming in, and will not take long.
  for (let seen = Atomics.load(i32, SCHED_STOP); seen < 0; seen = Atomics.load(i32, SCHED_STOP))
    Atomics.wait(i32, SCHED_STOP, seen);
}

function waitToBeHeld(i32: Int32Array, word: number, host: number, stop: number): void {
  Atomics.store(i32, word, ARRIVED);
  wake(i32, host);
  Atomics.wait(i32, SCHED_STOP, stop, PATIENCE_MS);
  if (Atomics.compareExchange(i32, word, ARRIVED, RUNS) !== HELD) return;
  while (Atomics.load(i32, word) === HELD) Atomics.wait(i32, word, HELD);
}

/** The host's side. */
export class WorldStop {
  private readonly memory: SharedMemory;
  private readonly i32: Int32Array;
  private stops = 0;
  private passes = 0;

  constructor(memory: SharedMemory) {
    this.memory = memory;
    this.i32 = memory.i32;
  }

  /** Asks everybody to come by a safe point. */
  rollCall(): void {
    const { i32 } = this;
    this.passes = Atomics.load(i32, SYSMON_PASSES);
    for (const machine of this.entered()) {
      Atomics.store(i32, machine + M_ATTENTION, 1);
      wake(i32, machine);
    }
    wakeSysmon(i32);
  }

  /** Whether everybody has come by one since. A machine that sleeps has nothing in hand. */
  haveAllPassed(): boolean {
    const { i32 } = this;
    if (this.sysmonTakesPart() && Atomics.load(i32, SYSMON_PASSES) === this.passes) {
      // Once more: it may have been on its way to sleep when it was called.
      wakeSysmon(i32);
      return false;
    }
    return this.entered().every(
      (machine) =>
        Atomics.load(i32, machine + M_ATTENTION) === 0 || Atomics.load(i32, machine + M_PARK) !== 0,
    );
  }

  /** Asks everybody to stop. */
  ask(): void {
    this.stops = (this.stops + 1) & 0x7fffffff || 1;
    Atomics.store(this.i32, SCHED_STOP, this.stops);
    this.rollCall();
  }

  /** Holds everybody. False, and nobody is held, if somebody has not arrived. */
  tryHold(): boolean {
    const { i32 } = this;
    const words = this.words();
    // A look first, so that nobody is held for nothing.
    if (!words.every((word) => Atomics.load(i32, word) === ARRIVED)) return false;
    if (words.every((word) => this.hold(word))) {
      Atomics.store(i32, SCHED_STOP, -this.stops);
      if (this.words().every((word) => Atomics.load(i32, word) === HELD)) return true;
      Atomics.store(i32, SCHED_STOP, this.stops);
      Atomics.notify(i32, SCHED_STOP);
    }
    for (const word of words) if (Atomics.load(i32, word) === HELD) this.letGo(word);
    return false;
  }

  private hold(word: number): boolean {
    return Atomics.compareExchange(this.i32, word, ARRIVED, HELD) === ARRIVED;
  }

  /** Lets everybody go on, or gives up to stop them. */
  release(): void {
    const { i32 } = this;
    Atomics.store(i32, SCHED_STOP, 0);
    Atomics.notify(i32, SCHED_STOP);
    for (const word of this.words()) if (Atomics.load(i32, word) === HELD) this.letGo(word);
  }

  /** A thread has died: nobody waits for it any more. */
  leave(machine: number): void {
    const base = this.memory.layout.machines + machine * M_WORDS;
    Atomics.store(this.i32, base + M_ENTERED, 0);
    Atomics.store(this.i32, base + M_STOP, RUNS);
  }

  /** sysmon's thread has died. True if it took part. */
  leaveAsSysmon(): boolean {
    Atomics.store(this.i32, SYSMON_STOP, RUNS);
    return Atomics.exchange(this.i32, SYSMON_ENTERED, 0) !== 0;
  }

  private letGo(word: number): void {
    Atomics.store(this.i32, word, RUNS);
    Atomics.notify(this.i32, word);
  }

  private words(): number[] {
    const words = this.entered().map((machine) => machine + M_STOP);
    if (this.sysmonTakesPart()) words.push(SYSMON_STOP);
    return words;
  }

  private sysmonTakesPart(): boolean {
    return Atomics.load(this.i32, SYSMON_ENTERED) !== 0;
  }

  /** First words of the records of the machines that take part. */
  private entered(): number[] {
    const { i32, memory } = this;
    const found: number[] = [];
    for (let m = 1; m <= memory.shape.maxMachines; m++) {
      const base = memory.layout.machines + m * M_WORDS;
      if (Atomics.load(i32, base + M_ENTERED) !== 0) found.push(base);
    }
    return found;
  }
}
