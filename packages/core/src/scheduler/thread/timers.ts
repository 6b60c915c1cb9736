/**
 * Timers: which thread runs them, and what may become of one.
 *
 * A timer stands in the heap of the processor on which it was started. It is run by whoever comes first: the machine that
 * holds the processor, at its looks at the clock; a machine that searches for work, in its last round; sysmon, for processors
 * that are idle or whose machine is stuck. To run a timer is to take it out of the heap (or, if it has a period, to put it
 * back in for its next time) under the processor's P_TIMER_LOCK, to release the lock, and then to do what its kind says.
 *
 * Stopping against firing: both take the timer out under that lock, and T_HEAP tells them whether it is still in. Exactly one of them
 * finds it there. A stopper may wait for the lock of a heap that the timer has left meanwhile, so it looks at T_HEAP again
 * when it has the lock. A timer is started only by one who knows that it is not in a heap: who has just taken the record, or has won a stop.
 *
 * The record belongs to whoever took it from the pool, and is not given back by firing or stopping it. A firing
 * under way has everything it needs in hand when it releases the lock, and does not touch the record afterwards unless its kind sees to
 * it that the record is still there.
 *
 * A thread that dies with a timer in hand leaves a note of it, if nothing else tells of the timer: see firing-note.ts.
 *
 * P_TIMER_COUNT falls when the kind's work is done, not when the timer leaves the heap, so there is no moment at which a goroutine
 * that is about to be woken by a timer looks like one that nobody will wake.
 */

import { MemoryLimitError } from "../../base/errors.ts";
import {
  H_PROCS,
  P_TIMER_COUNT,
  P_TIMER_LOCK,
  P_TIMER_NEXT,
  P_WORDS,
  POOL_BUMP,
  POOL_TIMER,
  POOL_WORDS,
  T_ARMING,
  T_HEAP,
  T_KIND,
  T_LEFT,
  T_ORDER,
  T_PERIOD,
  T_TARGET,
  T_WHEN,
  T_WORDS,
  TIMER_CAPACITY,
} from "../../memory/layout.ts";
import { RecordPool } from "../../memory/record-pool.ts";
import type { SharedMemory } from "../../memory/shared-memory.ts";
import { acquire, release } from "../../memory/thread-lock.ts";
import { TimerHeap } from "../../queue/timer-heap.ts";
import { wakeSysmonForTimers } from "../idle/sysmon-park.ts";
import { type Firing, FiringNote, TAKING } from "./firing-note.ts";
import type { Thread } from "./thread.ts";

/** T_KIND: makes the goroutine `target` ready. */
export const TIMER_READY = 1;
/** T_KIND: sends on the channel `target`. */
export const TIMER_SEND = 2;

/** The latest time a timer can have: such a one never fires. */
export const NEVER: number = Number.MAX_VALUE;

/** What a kind of timer does. Runs on any thread, under no lock; must not wait and must not throw. */
export type TimerCallback = (thread: Thread, firing: Firing) => void;

/** What there is to know of a kind of timer. */
export interface TimerKind {
  readonly fire: TimerCallback;
  /**
   * Called under the lock for a timer with a period, which goes on being in the heap and may be stopped while it fires: keeps
   * the target there until `fire` gives it up. One that fires once leaves to `fire` what its being in the heap had kept.
   */
  readonly keep?: (thread: Thread, target: number) => void;
  /**
   * Does what is left of a firing that a thread began and died in. A kind that has this has its firings noted (see firing-note.ts), and ends the note in `fire`. `hasSent`: the tick has been sent, and nothing but what keeps the
   * target is left.
   */
  readonly finish?: (thread: Thread, firing: Firing, hasSent: boolean) => void;
}

const kinds: (TimerKind | undefined)[] = [];

/** Says what a kind of timer does, on this thread. Done when a module is loaded, so all threads know all kinds. */
export function registerTimerKind(kind: number, behaviour: TimerKind): void {
  if (kinds[kind] !== undefined) throw new Error(`registerTimerKind: kind ${kind} is registered already`);
  kinds[kind] = behaviour;
}

/** What there is to know of a kind; `undefined` for one that nobody has registered. */
export function timerKind(kind: number): TimerKind | undefined {
  return kinds[kind];
}

/** The error of a caller for whom there was no timer. */
export function noTimerLeft(): MemoryLimitError {
  return new MemoryLimitError(`all ${TIMER_CAPACITY - 1} timers are in use`);
}

/** Whether a timer waits for its time, or is being run. */
export function hasPendingTimers({ i32, layout, shape }: SharedMemory): boolean {
  for (let p = 0; p < shape.procs; p++) {
    if (Atomics.load(i32, layout.processors + p * P_WORDS + P_TIMER_COUNT) !== 0) return true;
  }
  return false;
}

/** One thread's access to the timers. */
export class Timers {
  private readonly thread: Thread;
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;
  private readonly processors: number;
  private readonly base: number;
  private readonly pool: RecordPool;
  private readonly heap: TimerHeap;
  /** What this thread has in hand, for the host to find. */
  readonly note: FiringNote;
  private readonly firing: { timer: number; target: number; arming: number } = {
    timer: 0,
    target: 0,
    arming: 0,
  };

  constructor(thread: Thread) {
    const { memory, i32, f64 } = thread;
    const { layout } = memory;
    this.thread = thread;
    this.i32 = i32;
    this.f64 = f64;
    this.processors = layout.processors;
    this.base = layout.timers;
    this.heap = new TimerHeap(i32, f64, layout.timers);
    this.note = new FiringNote(memory, thread.number);
    const region = {
      kind: POOL_TIMER,
      pool: layout.pools + POOL_TIMER * POOL_WORDS,
      base: layout.timers,
      stride: T_WORDS,
      capacity: TIMER_CAPACITY,
      link: T_LEFT,
    };
    this.pool = new RecordPool(i32, region, thread.number, thread.cache);
  }

  /** First word of a timer. */
  baseOf(timer: number): number {
    return this.base + timer * T_WORDS;
  }

  /** A new timer, not started; 0 when all are in use. */
  take(kind: number, target: number): number {
    this.pool.useCache(this.thread.cache);
    const timer = this.pool.take();
    if (timer === 0) return 0;
    const base = this.baseOf(timer);
    this.i32[base + T_KIND] = kind;
    this.i32[base + T_TARGET] = target;
    return timer;
  }

  /** Gives a timer back that is not in a heap. */
  free(timer: number): void {
    // So that a record in use can be told from a free one.
    this.i32[this.baseOf(timer) + T_KIND] = 0;
    this.pool.useCache(this.thread.cache);
    this.pool.give(timer);
  }

  /** Starts a timer that is not in a heap: due in `ms`, then every `period` ms unless that is 0. */
  start(timer: number, ms: number, period = 0): void {
    const { i32, f64 } = this;
    const { number, timerHome } = this.thread;
    const when = Math.min(this.thread.clock() + ms, NEVER);
    const processor = this.processors + timerHome * P_WORDS;
    const base = this.baseOf(timer);
    acquire(i32, processor + P_TIMER_LOCK, number);
    f64[(base + T_PERIOD) >> 1] = period;
    // Before it counts as being in the heap: should this thread die in the middle of putting it in, the heap is made anew from these two.
    f64[(base + T_WHEN) >> 1] = when;
    Atomics.store(i32, base + T_HEAP, timerHome + 1);
    const first = this.heap.insert(processor, timer, when);
    Atomics.add(i32, processor + P_TIMER_COUNT, 1);
    release(i32, processor + P_TIMER_LOCK);
    if (first) wakeSysmonForTimers(i32, f64, processor);
  }

  /**
   * Takes a timer out of its heap. True if this call kept it from firing, or firing again; false if it was not in a heap, or is
   * not `wanted`, which is asked under the lock: for a caller who cannot be sure that the record is still the timer he means.
   */
  stop(timer: number, wanted?: (base: number) => boolean): boolean {
    const { i32 } = this;
    const base = this.baseOf(timer);
    for (;;) {
      const home = Atomics.load(i32, base + T_HEAP);
      if (home === 0) return false;
      const processor = this.processors + (home - 1) * P_WORDS;
      acquire(i32, processor + P_TIMER_LOCK, this.thread.number);
      // It may have fired, and even been started elsewhere, while this thread waited.
      const found = i32[base + T_HEAP] === home;
      const refused = found && wanted !== undefined && !wanted(base);
      if (found && !refused) {
        this.heap.remove(processor, timer);
        Atomics.add(i32, base + T_ARMING, 1);
        Atomics.store(i32, base + T_HEAP, 0);
      }
      release(i32, processor + P_TIMER_LOCK);
      if (refused) return false;
      if (!found) continue;
      Atomics.sub(i32, processor + P_TIMER_COUNT, 1);
      return true;
    }
  }

  /** Makes a processor's heap anew of the timers that say they are in it; under its lock, for a thread that died with it. */
  restore(processor: number): void {
    const { i32, f64 } = this;
    const heap = this.processors + processor * P_WORDS;
    const members: number[] = [];
    const end = i32[this.thread.memory.layout.pools + POOL_TIMER * POOL_WORDS + POOL_BUMP];
    for (let timer = 1; timer < end; timer++)
      if (i32[this.baseOf(timer) + T_HEAP] === processor + 1) members.push(timer);
    const whenOf = (timer: number): number => f64[(this.baseOf(timer) + T_WHEN) >> 1];
    const orderOf = (timer: number): number => f64[(this.baseOf(timer) + T_ORDER) >> 1];
    members.sort((a, b) => whenOf(a) - whenOf(b) || orderOf(a) - orderOf(b));
    this.heap.clear(heap);
    for (const timer of members) this.heap.insert(heap, timer, whenOf(timer));
  }

  /**
   * Decides whether a thread that died with a processor's P_TIMER_LOCK had taken the timer that it was about to take; under that lock, before the heap is made anew.
   *
   * T_HEAP tells it of one that fires once: nobody else can have put it into this heap. One with a period was taken when T_WHEN says its next time. That its target has been kept for the firing is not certain then, as that comes afterwards; so
   * it is kept here, and the reference is one too many only if the thread died between these two writes.
   */
  settleTaking(processor: number, dead: number): void {
    const { i32, f64, thread } = this;
    const note = new FiringNote(thread.memory, dead);
    if (note.stage !== TAKING) return;
    const base = this.baseOf(note.timer);
    const recurs = f64[(base + T_PERIOD) >> 1] > 0;
    const taken = recurs ? f64[(base + T_WHEN) >> 1] !== note.when : i32[base + T_HEAP] !== processor + 1;
    if (taken && recurs) kinds[i32[base + T_KIND]]?.keep?.(thread, note.target);
    if (taken) note.taken();
    else note.end();
  }

  /** Stops and frees the timers of sleepers that are no more, while all machines are held, and counts all timers anew: a thread that died may have been running one. */
  forgetSleepers(isGone: (goroutine: number) => boolean): void {
    const { i32, processors } = this;
    const counts = new Int32Array(i32[H_PROCS]);
    const end = i32[this.thread.memory.layout.pools + POOL_TIMER * POOL_WORDS + POOL_BUMP];
    for (let timer = 1; timer < end; timer++) {
      const base = this.baseOf(timer);
      if (i32[base + T_KIND] === TIMER_READY && isGone(i32[base + T_TARGET])) {
        this.stop(timer);
        this.free(timer);
      } else if (i32[base + T_HEAP] !== 0) {
        counts[i32[base + T_HEAP] - 1]++;
      }
    }
    counts.forEach((count, p) => Atomics.store(i32, processors + p * P_WORDS + P_TIMER_COUNT, count));
  }

  /** Whether a timer is in a heap. */
  isStarted(timer: number): boolean {
    return Atomics.load(this.i32, this.baseOf(timer) + T_HEAP) !== 0;
  }

  /** When a processor's first timer is due, Infinity for none. A plain look. */
  next(processor: number): number {
    return this.f64[(this.processors + processor * P_WORDS + P_TIMER_NEXT) >> 1];
  }

  /** Runs a processor's timers that are due at `now`. Returns how many. */
  runDue(processor: number, now: number): number {
    const at = this.processors + processor * P_WORDS;
    let count = 0;
    while (this.f64[(at + P_TIMER_NEXT) >> 1] <= now && this.runFirst(at, now)) count++;
    return count;
  }

  /** False if the first timer is not due any more: another thread was faster. */
  private runFirst(processor: number, now: number): boolean {
    const { i32, f64, heap, firing, note } = this;
    acquire(i32, processor + P_TIMER_LOCK, this.thread.number);
    const timer = heap.first(processor);
    const base = this.baseOf(timer);
    const when = f64[(base + T_WHEN) >> 1];
    if (timer === 0 || when > now) {
      release(i32, processor + P_TIMER_LOCK);
      return false;
    }
    const period = f64[(base + T_PERIOD) >> 1];
    const kind = i32[base + T_KIND];
    firing.timer = timer;
    firing.target = i32[base + T_TARGET];
    firing.arming = i32[base + T_ARMING];
    const noted = kind !== TIMER_READY && kinds[kind]?.finish !== undefined;
    if (noted) note.begin(firing, when);
    heap.remove(processor, timer);
    if (period > 0) {
      heap.insert(processor, timer, nextTick(when, period, now));
      kinds[kind]?.keep?.(this.thread, firing.target);
    } else {
      Atomics.store(i32, base + T_HEAP, 0);
    }
    if (noted) note.taken();
    release(i32, processor + P_TIMER_LOCK);
    this.run(kind);
    if (period === 0) Atomics.sub(i32, processor + P_TIMER_COUNT, 1);
    return true;
  }

  private run(kind: number): void {
    const { thread, firing } = this;
    if (kind === TIMER_READY) {
      thread.ready(firing.target);
      return;
    }
    const behaviour = kinds[kind];
    if (behaviour === undefined)
      throw new Error(`timers: timer ${firing.timer} is of kind ${kind}, which nobody has registered`);
    behaviour.fire(thread, firing);
  }
}

/** The first multiple of the period after `now`: what was missed is skipped, and no delay adds up. Go's rule for tickers. */
function nextTick(when: number, period: number, now: number): number {
  const next = when + period * (1 + Math.floor((now - when) / period));
  // The division may round down what is just below a multiple.
  return next > now ? next : next + period;
}
