/**
 * sysmon's pass: what looks after the processors from outside, as a plain function of the shared memory and a clock. The thread that calls it lives in the workers package; tests call it with a clock of their own.
 *
 * - A processor that has run in one time slice for longer than the slice is asked to give way. The clock starts when a pass first sees the slice, so a slice is one to two slices long, as in Go.
 * - While a machine waits for a processor, the holder of the oldest hold is asked to give its own up.
 * - Between passes: 20 µs while there was something to do, doubling after 50 idle passes up to 10 ms; no passes at all while all processors are idle.
 */

import {
  H_PROCS,
  H_TIME_SLICE_US,
  P_CURRENT,
  P_GIVE_UP,
  P_MACHINE,
  P_PREEMPT,
  P_TICK,
  P_WORDS,
  SCHED_CLOSING,
  SCHED_IDLE,
  SCHED_WAIT_HEAD,
  SYSMON_PARK,
  SYSMON_PASSES,
} from "../memory/layout.ts";
import type { SharedMemory } from "../memory/shared-memory.ts";
import { CLOSED } from "./idle.ts";

/** Go's shortest and longest sleep between two passes. */
export const MIN_DELAY_MS = 0.02;
export const MAX_DELAY_MS = 10;
/** Go's number of idle passes before the sleep doubles. */
const IDLE_PASSES = 50;

/** What a pass remembers of a processor. */
interface Observation {
  tick: number;
  since: number;
  machine: number;
}

export class Monitor {
  private readonly i32: Int32Array;
  private readonly processors: number;
  private readonly procs: number;
  private readonly sliceMs: number;
  private readonly seen: Observation[];
  private idlePasses = 0;
  private delay = MIN_DELAY_MS;
  /** When the machine that waits for a processor was first seen to wait, and which. */
  private waiting = { machine: 0, since: 0 };

  constructor(memory: SharedMemory) {
    this.i32 = memory.i32;
    this.processors = memory.layout.processors;
    this.procs = this.i32[H_PROCS];
    this.sliceMs = this.i32[H_TIME_SLICE_US] / 1000;
    this.seen = Array.from({ length: this.procs }, () => ({ tick: -1, since: 0, machine: 0 }));
  }

  /** One pass at time `now` (milliseconds of any steady clock). Returns the milliseconds to sleep before the next. */
  pass(now: number): number {
    let acted = false;
    for (let p = 0; p < this.procs; p++) if (this.checkSlice(p, now)) acted = true;
    if (this.serveWaiting(now)) acted = true;
    Atomics.add(this.i32, SYSMON_PASSES, 1);
    return this.nextDelay(acted);
  }

  private checkSlice(p: number, now: number): boolean {
    const { i32 } = this;
    const base = this.processors + p * P_WORDS;
    const seen = this.seen[p] as Observation;
    const tick = Atomics.load(i32, base + P_TICK);
    const machine = Atomics.load(i32, base + P_MACHINE);
    const busy = machine !== 0 && Atomics.load(i32, base + P_CURRENT) !== 0;
    if (!busy || tick !== seen.tick || machine !== seen.machine) {
      seen.tick = tick;
      seen.machine = machine;
      seen.since = now;
      return false;
    }
    if (now - seen.since < this.sliceMs) return false;
    // Best effort, as Go's preemptone: should the slice have ended since, the next goroutine gives way once for nothing.
    Atomics.store(i32, base + P_PREEMPT, 1);
    seen.since = now;
    return true;
  }

  private serveWaiting(now: number): boolean {
    const { i32, waiting } = this;
    const machine = Atomics.load(i32, SCHED_WAIT_HEAD);
    if (machine === 0 || machine !== waiting.machine) {
      waiting.machine = machine;
      waiting.since = now;
      return machine !== 0;
    }
    if (now - waiting.since < this.sliceMs) return true;
    let victim = 0;
    for (let p = 1; p < this.procs; p++) if ((this.seen[p] as Observation).since < (this.seen[victim] as Observation).since) victim = p;
    const base = this.processors + victim * P_WORDS;
    Atomics.store(i32, base + P_GIVE_UP, 1);
    Atomics.store(i32, base + P_PREEMPT, 1);
    waiting.since = now;
    return true;
  }

  private nextDelay(acted: boolean): number {
    if (acted) {
      this.idlePasses = 0;
      this.delay = MIN_DELAY_MS;
    } else if (++this.idlePasses > IDLE_PASSES) {
      this.delay = Math.min(MAX_DELAY_MS, this.delay * 2);
    }
    return this.delay;
  }

  /**
   * Sleeps as the pass says; deeply while all processors are idle. Returns false when the runtime is closed.
   *
   * Deep sleep is announced in SYSMON_PARK before SCHED_IDLE is read; whoever takes a processor changes SCHED_IDLE first and reads SYSMON_PARK then. One of the two sees the other.
   */
  sleep(delayMs: number): boolean {
    const { i32 } = this;
    if (Atomics.load(i32, SCHED_CLOSING) === CLOSED) return false;
    Atomics.store(i32, SYSMON_PARK, 1);
    if (Atomics.load(i32, SCHED_IDLE) >>> 16 === this.procs) {
      Atomics.wait(i32, SYSMON_PARK, 1);
      this.idlePasses = 0;
      this.delay = MIN_DELAY_MS;
      Atomics.store(i32, SYSMON_PARK, 0);
    } else {
      Atomics.store(i32, SYSMON_PARK, 0);
      Atomics.wait(i32, SYSMON_PARK, 0, delayMs);
    }
    return Atomics.load(i32, SCHED_CLOSING) !== CLOSED;
  }
}
