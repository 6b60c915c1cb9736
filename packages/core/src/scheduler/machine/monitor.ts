/**
 * sysmon's pass: what looks after the processors from outside, as a plain function of the shared memory and a clock. The thread that calls it lives in the workers package; tests call it with a clock of their own.
 *
 * - A processor that has run in one time slice for longer than the slice is asked to give way. The clock starts when a pass first sees the slice, so a slice is one to two slices long, as in Go.
 * - A goroutine that has been asked to give way and has kept its processor for a second all the same is a hog: it is reported, once.
 * - While a machine waits for a processor, the holder of the oldest hold is asked to give its own up.
 * - A processor that was given to a machine in its event loop, and which the machine does not come for, is given to another.
 * - Timers that are due are run if their processor is idle, or its machine has not come to it: see sysmon-park.ts.
 * - Between passes: 20 µs after one that ran timers or passed a processor on, then twice as long each time up to 10 ms, but never beyond the end of a slice or a wait that is being watched; no passes at all while all processors are idle. That a slice was over is no reason for haste, as
 *   in Go: it would bring ten passes for each slice of a long goroutine.
 *
 * Go stays at 20 µs for 50 passes. There a pass finds threads that have blocked, which nobody tells it of; here they tell, and what is left has its time. A pass with its sleep costs 20 µs of CPU time, and where every core
 * computes that is taken from a goroutine: with Go's rule sysmon took 4 to 10 % of a core from lists of long tasks.
 */

import { PSEUDO } from "../../goroutine/descriptor.ts";
import {
  G_ID,
  G_META,
  G_WORDS,
  H_PROCS,
  H_TIME_SLICE_US,
  P_CURRENT,
  P_GIVE_UP,
  P_MACHINE,
  P_PREEMPT,
  P_TICK,
  P_WORDS,
  SCHED_CLOSING,
  SCHED_WAIT_HEAD,
  SYSMON_PASSES,
  SYSMON_STOP,
} from "../../memory/layout.ts";
import type { SharedMemory } from "../../memory/shared-memory.ts";
import { CLOSED, IdleCoordinator } from "../idle/idle-coordinator.ts";
import { dueForSysmon, type SysmonWords, sleepBetweenPasses } from "../idle/sysmon-park.ts";
import { enterAsSysmon, pauseAtSafePoint } from "../idle/world-stop.ts";
import { sysmonNumber } from "../thread/sysmon-thread.ts";
import type { Timers } from "../thread/timers.ts";

/** Go's shortest and longest sleep between two passes. */
export const MIN_DELAY_MS = 0.02;
export const MAX_DELAY_MS = 10;
/** How long a machine may take to come out of its event loop for a processor. A guess: a hundred times what it takes when nothing keeps it, half of Go's slice. */
const GRANT_MS = 5;

/** How long a goroutine may keep its processor before that is reported. A guess: far above any slice, collection of garbage or cold start, below what a person would wait for. */
export const HOG_MS = 1000;
/** Goroutines known to be hogs, at most: then the list begins anew, and one may be reported twice. */
const MAX_HOGS = 1000;

/** Is told of a goroutine, by its descriptor's first word, that has kept its processor for so many milliseconds. */
export type HogReport = (base: number, heldMs: number) => void;

/** What a pass remembers of a processor. */
interface Observation {
  tick: number;
  since: number;
  machine: number;
  /** The goroutine that runs, and since when it has without giving way. */
  current: number;
  currentSince: number;
  /** Since when it has been asked to give way, Infinity if it has not. */
  askedSince: number;
  /** The machine that has not come for this processor, and since when. */
  awaited: number;
  awaitedSince: number;
}

export class Monitor implements SysmonWords {
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly processors: number;
  readonly procs: number;
  /** First word of the host's record. */
  private readonly host: number;
  private readonly timers: Timers | undefined;
  private readonly idle: IdleCoordinator;
  private readonly sliceMs: number;
  private readonly seen: Observation[];
  private readonly descriptors: number;
  private readonly reportHog: HogReport | undefined;
  /** Ids of goroutines that were reported. */
  private readonly hogs: Set<number> = new Set();
  private delay = MIN_DELAY_MS / 2;
  /** When something that this pass has seen will be over. */
  private nextEnd = 0;
  /** When the machine that waits for a processor was first seen to wait, and which. */
  private waiting = { machine: 0, since: 0 };

  /** `timers` are sysmon's own access to them; without, timers are left alone. */
  constructor(memory: SharedMemory, timers?: Timers, reportHog?: HogReport) {
    this.i32 = memory.i32;
    this.f64 = memory.f64;
    this.timers = timers;
    this.reportHog = reportHog;
    this.processors = memory.layout.processors;
    this.descriptors = memory.layout.goroutines;
    this.procs = this.i32[H_PROCS];
    this.host = memory.layout.machines;
    this.idle = new IdleCoordinator(memory, sysmonNumber(memory));
    this.sliceMs = this.i32[H_TIME_SLICE_US] / 1000;
    this.seen = Array.from({ length: this.procs }, () => ({
      tick: -1,
      since: 0,
      machine: 0,
      current: 0,
      currentSince: 0,
      askedSince: Number.POSITIVE_INFINITY,
      awaited: 0,
      awaitedSince: 0,
    }));
  }

  /** Takes part from now on. */
  enter(): void {
    enterAsSysmon(this.i32, this.host);
  }

  /** One pass at time `now` (milliseconds of the runtime's clock; of any steady one if no timers are to be run). Returns the milliseconds to sleep before the next. */
  pass(now: number): number {
    this.nextEnd = Number.POSITIVE_INFINITY;
    pauseAtSafePoint(this.i32, SYSMON_STOP, this.host);
    let acted = this.runTimers(now);
    for (let p = 0; p < this.procs; p++) {
      this.checkSlice(p, now);
      if (this.checkGrant(p, now)) acted = true;
    }
    if (this.serveWaiting(now)) acted = true;
    Atomics.add(this.i32, SYSMON_PASSES, 1);
    return Math.min(this.nextDelay(acted), Math.max(MIN_DELAY_MS, this.nextEnd - now));
  }

  private runTimers(now: number): boolean {
    const { timers, i32, f64 } = this;
    if (timers === undefined) return false;
    let ran = 0;
    for (let p = 0; p < this.procs; p++) {
      if (dueForSysmon(i32, f64, this.processors + p * P_WORDS) <= now) ran += timers.runDue(p, now);
    }
    return ran > 0;
  }

  private checkSlice(p: number, now: number): void {
    const { i32 } = this;
    const base = this.processors + p * P_WORDS;
    const seen = this.seen[p] as Observation;
    const tick = Atomics.load(i32, base + P_TICK);
    const machine = Atomics.load(i32, base + P_MACHINE);
    const current = Atomics.load(i32, base + P_CURRENT);
    const busy = machine !== 0 && current !== 0;
    this.checkHog(seen, now, current, busy && tick === seen.tick && machine === seen.machine);
    if (!busy || tick !== seen.tick || machine !== seen.machine) {
      seen.tick = tick;
      seen.machine = machine;
      seen.since = now;
    }
    if (!busy) return;
    if (now - seen.since >= this.sliceMs) this.endSlice(base, seen, now);
    this.nextEnd = Math.min(this.nextEnd, seen.since + this.sliceMs);
  }

  private endSlice(base: number, seen: Observation, now: number): void {
    // Best effort, as Go's preemptone: should the slice have ended since, the next goroutine gives way once for nothing.
    Atomics.store(this.i32, base + P_PREEMPT, 1);
    seen.since = now;
    seen.askedSince = Math.min(seen.askedSince, now);
  }

  /** `goesOn` says whether the slice is the one of the last pass. */
  private checkHog(seen: Observation, now: number, current: number, goesOn: boolean): void {
    if (!goesOn || current !== seen.current) {
      seen.current = current;
      seen.currentSince = now;
      seen.askedSince = Number.POSITIVE_INFINITY;
      return;
    }
    // Not counted from its beginning: where many compete for the cores, this thread itself may be late, and has asked for nothing meanwhile.
    if (now - seen.askedSince < HOG_MS || this.reportHog === undefined) return;
    const base = this.descriptors + current * G_WORDS;
    // The number on its own: should the goroutine have ended just now, another may be named, which is then reported too soon.
    const id = this.f64[(base + G_ID) >> 1] as number;
    if (((this.i32[base + G_META] as number) & PSEUDO) !== 0 || this.hogs.has(id)) return;
    if (this.hogs.size >= MAX_HOGS) this.hogs.clear();
    this.hogs.add(id);
    this.reportHog(base, now - seen.currentSince);
  }

  private checkGrant(p: number, now: number): boolean {
    const seen = this.seen[p] as Observation;
    const machine = this.idle.notComeFor(p);
    if (machine !== seen.awaited) {
      seen.awaited = machine;
      seen.awaitedSince = now;
    }
    if (machine === 0) return false;
    if (now - seen.awaitedSince >= GRANT_MS) {
      seen.awaited = 0;
      this.idle.takeBack(p, machine);
      return true;
    }
    this.nextEnd = Math.min(this.nextEnd, seen.awaitedSince + GRANT_MS);
    return false;
  }

  private serveWaiting(now: number): boolean {
    const { waiting } = this;
    const machine = Atomics.load(this.i32, SCHED_WAIT_HEAD);
    if (machine !== waiting.machine) {
      waiting.machine = machine;
      waiting.since = now;
    }
    if (machine === 0) return false;
    const over = now - waiting.since >= this.sliceMs;
    if (over) {
      this.askToGiveUp();
      waiting.since = now;
    }
    this.nextEnd = Math.min(this.nextEnd, waiting.since + this.sliceMs);
    return over;
  }

  /** Of the holder of the oldest hold. */
  private askToGiveUp(): void {
    const { i32 } = this;
    let victim = 0;
    for (let p = 1; p < this.procs; p++)
      if ((this.seen[p] as Observation).since < (this.seen[victim] as Observation).since) victim = p;
    const base = this.processors + victim * P_WORDS;
    Atomics.store(i32, base + P_GIVE_UP, 1);
    Atomics.store(i32, base + P_PREEMPT, 1);
  }

  private nextDelay(acted: boolean): number {
    this.delay = acted ? MIN_DELAY_MS : Math.min(MAX_DELAY_MS, this.delay * 2);
    return this.delay;
  }

  /** Sleeps as the pass says; deeply while all processors are idle; never beyond the first timer. Returns false when the runtime is closed. */
  sleep(delayMs: number, clock: () => number): boolean {
    if (!sleepBetweenPasses(this, delayMs, clock)) this.delay = MIN_DELAY_MS / 2;
    return Atomics.load(this.i32, SCHED_CLOSING) !== CLOSED;
  }
}
