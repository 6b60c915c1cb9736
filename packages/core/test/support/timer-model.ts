/** Timers in the memory of the explorer: one processor, a few timers and channels, and threads with just what timers need of them. */

import type { ModelMemory } from "@heddle/testkit";
import {
  C_BUFFER,
  C_CAPACITY,
  C_HIDDEN,
  CACHE_WORDS,
  O_KIND,
  O_REFS,
  O_WORDS,
  P_MACHINE,
  P_TIMER_COUNT,
  P_TIMER_NEXT,
  P_TIMER_ROOT,
  P_WORDS,
  SCHED_BASE,
  SCHED_WORDS,
  T_HEAP,
  T_KIND,
  T_TARGET,
  T_WORDS,
} from "../../src/memory/layout.ts";
import type { SysmonWords } from "../../src/scheduler/idle/sysmon-park.ts";
import type { Thread } from "../../src/scheduler/thread/thread.ts";
import { TIMER_READY, TIMER_SEND, Timers } from "../../src/scheduler/thread/timers.ts";

/** Where things are. Timers and channels have the numbers 1 and 2. */
export const PROCESSOR: number = SCHED_BASE + SCHED_WORDS;
const TIMERS = PROCESSOR + P_WORDS;
const OBJECTS = TIMERS + 3 * T_WORDS;
const BUFFER = OBJECTS + 3 * O_WORDS;
const CACHES = BUFFER + 16;
/** Counts how often `ready` was called. */
export const READIED: number = CACHES + 6 * CACHE_WORDS;
export const MODEL_WORDS: number = READIED + 2;

export const timerBase = (timer: number): number => TIMERS + timer * T_WORDS;
export const channelBase = (channel: number): number => OBJECTS + channel * O_WORDS;

const CHANNEL_KIND = 3;

/** An idle processor without timers; timer 1 makes goroutine 7 ready, timer 2 sends on channel 2, of which one object exists. */
export function prepareModel({ i32, f64 }: ModelMemory): void {
  f64[(PROCESSOR + P_TIMER_NEXT) >> 1] = Number.POSITIVE_INFINITY;
  i32[timerBase(1) + T_KIND] = TIMER_READY;
  i32[timerBase(1) + T_TARGET] = 7;
  i32[timerBase(2) + T_KIND] = TIMER_SEND;
  i32[timerBase(2) + T_TARGET] = 2;
  const channel = channelBase(2);
  i32[channel + O_KIND] = CHANNEL_KIND;
  i32[channel + O_REFS] = 1;
  i32[channel + C_CAPACITY] = 1;
  i32[channel + C_BUFFER] = BUFFER;
  i32[channel + C_HIDDEN] = 2;
}

/** A thread of the model. `now` is what its clock shows. */
export function modelThread({ i32, f64 }: ModelMemory, number: number, now: number): Thread {
  const memory = {
    i32,
    f64,
    u8: new Uint8Array(8 * MODEL_WORDS),
    layout: { processors: PROCESSOR, timers: TIMERS, objects: OBJECTS, caches: CACHES, pools: CACHES },
    shape: { procs: 1, maxMachines: 3, maxObjects: 2 },
  };
  const thread = {
    memory,
    i32,
    f64,
    number,
    cache: CACHES + number * CACHE_WORDS,
    timerHome: 0,
    clock: () => now,
    ready: () => void Atomics.add(i32, READIED, 1),
    holdings: { objects: new Int32Array(4) },
  } as unknown as Thread;
  (thread as { timers: Timers }).timers = new Timers(thread);
  return thread;
}

/** The processor as sysmon sees it. */
export function sysmonWords({ i32, f64 }: ModelMemory): SysmonWords {
  return { i32, f64, processors: PROCESSOR, procs: 1 };
}

/** Throws unless the heap is empty, nothing is counted, and the timers know that they are in no heap. */
export function expectNoTimers({ i32, f64 }: ModelMemory): void {
  const found = {
    root: i32[PROCESSOR + P_TIMER_ROOT],
    count: i32[PROCESSOR + P_TIMER_COUNT],
    next: f64[(PROCESSOR + P_TIMER_NEXT) >> 1],
    heaps: i32[timerBase(1) + T_HEAP] + i32[timerBase(2) + T_HEAP],
  };
  if (found.root !== 0 || found.count !== 0 || found.heaps !== 0 || found.next !== Number.POSITIVE_INFINITY) {
    throw new Error(`timers are left: ${JSON.stringify(found)}`);
  }
}

/** Names words in traces. */
export function modelWord(word: number): string | undefined {
  const known: Record<number, string> = {
    [PROCESSOR + P_MACHINE]: "P_MACHINE",
    [PROCESSOR + P_TIMER_ROOT]: "P_TIMER_ROOT",
    [PROCESSOR + P_TIMER_COUNT]: "P_TIMER_COUNT",
    [READIED]: "READIED",
  };
  return known[word];
}
