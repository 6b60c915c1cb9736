/**
 * How sysmon sleeps, and who wakes it: one word, SYSMON_PARK, and a time, SYSMON_UNTIL.
 *
 * sysmon sleeps in two ways. While a processor is held it sleeps *briefly*, between two passes. While all are idle it
 * sleeps *deeply*: no passes, no CPU. In both it must be up when the first timer of any processor is due, because nobody
 * else may be there to run it: an idle processor has no machine, and a machine may be stuck in a plain body.
 * A held processor's timers are its machine's business first, so sysmon lets them be late by STUCK_MS before it steps in.
 *
 * Three things can happen that sysmon must not sleep through:
 *
 * - work: a processor is taken (ends a deep sleep only);
 * - a timer is put in that is due before SYSMON_UNTIL;
 * - a processor is given up, so that its timers have become sysmon's business at once instead of STUCK_MS after their time.
 *
 * The sleeper: (1) stores SYSMON_UNTIL, (2) announces its sleep in SYSMON_PARK, (3) looks once more: at SCHED_CLOSING, at
 * SCHED_IDLE, at each processor's P_MACHINE, P_TIMER_LOCK and P_TIMER_NEXT, (4) sleeps until the earliest of what it saw,
 * which it stores in SYSMON_UNTIL if that is before what is there.
 * The waker: (1) publishes the change: SCHED_IDLE, P_MACHINE, or P_TIMER_NEXT, which is complete when it releases P_TIMER_LOCK,
 * (2) reads SYSMON_PARK, and SYSMON_UNTIL if sysmon is asleep and a time is concerned, (3) swaps the word to 0 and notifies.
 *
 * No wake-up is lost. If the waker's read of SYSMON_PARK comes before the announcement of a sleep, the change was published before
 * this sleep's last look, which sees it. If it comes after, the waker sees "asleep", and every time it can find in SYSMON_UNTIL is one that
 * this sleep has stored, or a later sleep, whose own look comes even later and sees the change. Within one sleep SYSMON_UNTIL only
 * falls, to times that sysmon will really wake at: a waker that leaves it at that relies on such a time, or on one that was higher
 * still, in which case it wakes sysmon once for nothing.
 *
 * Two of these words are doubles, which JavaScript has no atomic access to. P_TIMER_NEXT is stored under P_TIMER_LOCK; the look
 * reads the lock atomically first. If it finds the lock free, what the last holder stored is visible; if it finds it taken, the holder
 * has not yet come to its own step (2) and will see the announcement. SYSMON_UNTIL is stored before the announcement in SYSMON_PARK,
 * which the waker reads first; one that is being stored for a later sleep may be read in halves, and does no harm, because that
 * sleep looks for itself.
 */

import {
  P_MACHINE,
  P_TIMER_LOCK,
  P_TIMER_NEXT,
  P_WORDS,
  SCHED_CLOSING,
  SCHED_IDLE,
  SYSMON_PARK,
  SYSMON_UNTIL,
} from "../../memory/layout.ts";

/** SYSMON_PARK: makes passes. */
const AWAKE = 0;
/** SYSMON_PARK: all processors are idle. */
const DEEP = 1;
/** SYSMON_PARK: between two passes. */
const BRIEF = 2;

/** SCHED_CLOSING: machines are to leave. */
const CLOSED = 2;
/** Above the idle processors in SCHED_IDLE there is nothing, below them the searching machines. */
const IDLE_SHIFT = 16;

/** How late the timers of a held processor may be before its machine counts as stuck. A few of a machine's looks at the clock. */
export const STUCK_MS = 1;
/** The longest wait asked of the engine: eleven days, far from where its arithmetic on nanoseconds ends. */
const LONGEST_MS = 1e9;

/** What the protocol works on. */
export interface SysmonWords {
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  /** First word of processor 0's record. */
  readonly processors: number;
  readonly procs: number;
}

/** When sysmon has to run a processor's timers itself, Infinity without any. `processor` is the first word of its record. */
export function dueForSysmon(i32: Int32Array, f64: Float64Array, processor: number): number {
  const held = Atomics.load(i32, processor + P_MACHINE) !== 0;
  // For the order alone: see above.
  Atomics.load(i32, processor + P_TIMER_LOCK);
  const when = f64[(processor + P_TIMER_NEXT) >> 1];
  return held ? when + STUCK_MS : when;
}

/** How a sleep was announced, and its end. */
export interface AnnouncedSleep {
  /** What SYSMON_PARK holds until somebody wakes sysmon. */
  readonly kind: number;
  /** By the runtime's clock. */
  readonly until: number;
}

/**
 * sysmon sleeps: `delayMs` long, or deeply if all processors are idle, in any case not beyond the earliest timer. False if the sleep
 * was a deep one or was not begun, so that the next passes should be quick ones.
 */
export function sleepBetweenPasses(words: SysmonWords, delayMs: number, clock: () => number): boolean {
  const { i32 } = words;
  const sleep = announceSleep(words, delayMs, clock);
  if (sleep !== undefined) {
    const ms = sleep.until - clock();
    if (ms > 0) Atomics.wait(i32, SYSMON_PARK, sleep.kind, Math.min(ms, LONGEST_MS));
  }
  Atomics.store(i32, SYSMON_PARK, AWAKE);
  return sleep?.kind === BRIEF;
}

/** Steps (1) to (3), and the time of (4); `undefined` when there is no time to sleep. */
export function announceSleep(
  words: SysmonWords,
  delayMs: number,
  clock: () => number,
): AnnouncedSleep | undefined {
  const { i32, f64, procs } = words;
  let kind = DEEP;
  let until = Number.POSITIVE_INFINITY;
  f64[SYSMON_UNTIL >> 1] = until;
  Atomics.store(i32, SYSMON_PARK, DEEP);
  if (Atomics.load(i32, SCHED_CLOSING) === CLOSED) return undefined;
  if (Atomics.load(i32, SCHED_IDLE) >>> IDLE_SHIFT !== procs) {
    kind = BRIEF;
    until = clock() + delayMs;
    f64[SYSMON_UNTIL >> 1] = until;
    // Unless somebody has woken it from the deep sleep it did not begin.
    if (Atomics.compareExchange(i32, SYSMON_PARK, DEEP, BRIEF) !== DEEP) return undefined;
  }
  const due = earliestTimer(words);
  if (due < until) {
    until = due;
    f64[SYSMON_UNTIL >> 1] = until;
  }
  return { kind, until };
}

function earliestTimer({ i32, f64, processors, procs }: SysmonWords): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (let p = 0; p < procs; p++)
    earliest = Math.min(earliest, dueForSysmon(i32, f64, processors + p * P_WORDS));
  return earliest;
}

/** To be called after a processor was taken: there is something to look after. */
export function wakeSysmonForWork(i32: Int32Array): void {
  if (Atomics.load(i32, SYSMON_PARK) === DEEP) wakeSysmon(i32);
}

/**
 * To be called after a processor's timers have got an earlier first one, and after a processor was given up. `processor` is
 * the first word of its record.
 */
export function wakeSysmonForTimers(i32: Int32Array, f64: Float64Array, processor: number): void {
  if (Atomics.load(i32, SYSMON_PARK) === AWAKE) return;
  if (dueForSysmon(i32, f64, processor) < f64[SYSMON_UNTIL >> 1]) wakeSysmon(i32);
}

/** Wakes sysmon if it sleeps. */
export function wakeSysmon(i32: Int32Array): void {
  if (Atomics.exchange(i32, SYSMON_PARK, AWAKE) !== AWAKE) Atomics.notify(i32, SYSMON_PARK, 1);
}

/** Notifies sysmon for a waker that has died, perhaps after its swap and before its notify. */
export function notifySysmonForDead(i32: Int32Array): void {
  Atomics.notify(i32, SYSMON_PARK);
}
