/** What processors, machines and queues are doing, read from shared memory by any thread: the part of a dump that goroutines do not tell. */

import {
  CONTEXT_LOCK,
  FN_LOCK,
  G_NEXT,
  GLOBAL_LOCK,
  M_ATTENTION,
  M_EVENTS,
  M_GRANT,
  M_INBOX,
  M_LIFE,
  M_LISTED,
  M_PARK,
  P_CURRENT,
  P_GIVE_UP,
  P_MACHINE,
  P_PREEMPT,
  P_TICK,
  P_TIMER_COUNT,
  P_TIMER_LOCK,
  P_TIMER_NEXT,
  P_WORDS,
  SCHED_CLOSING,
  SCHED_IDLE,
  SCHED_LOCK,
  SCHED_WAIT_HEAD,
  SCHED_WANTED,
  SYSMON_PARK,
  SYSMON_PASSES,
} from "../memory/layout.ts";
import { RunQueueStealer } from "../queue/run-queue.ts";
import { LIFE_NONE, machineRecord } from "../scheduler/idle/machine-life.ts";
import type { Thread } from "../scheduler/thread/thread.ts";

const LIVES = ["no thread", "wanted", "starting", "alive", "lost"];
const PARKS = ["awake", "asleep", "asleep in its event loop"];
const LISTS = ["not listed", "listed as idle", "waits for a processor"];
const CLOSINGS = ["open", "draining", "closed"];
const SYSMON_SLEEPS = ["awake", "asleep while all is idle", "asleep between passes"];

/** Entries of an inbox that are counted: a list that has become a ring ends here. */
const MOST_IN_INBOX = 100_000;

/** One line for the scheduler, one for each processor and each machine that has a thread. While they run, each is a moment's picture of its own. */
export function formatScheduler(thread: Thread): string {
  const { shape } = thread.memory;
  const lines = [describeWhole(thread), describeLocks(thread)];
  for (let p = 0; p < shape.procs; p++) lines.push(describeProcessor(thread, p));
  for (let m = 0; m <= shape.maxMachines; m++) {
    const life = Atomics.load(thread.i32, machineRecord(thread.memory, m) + M_LIFE);
    if (m === 0 || life !== LIFE_NONE) lines.push(describeMachine(thread, m));
  }
  return lines.join("\n");
}

function describeWhole({ i32, globalQueue }: Thread): string {
  const idle = Atomics.load(i32, SCHED_IDLE);
  return [
    `scheduler: ${nameIn(CLOSINGS, i32[SCHED_CLOSING])}`,
    `${idle >>> 16} processors idle`,
    `${idle & 0xffff} machines searching`,
    `global queue ${globalQueue.size()}`,
    `first machine that waits for a processor ${i32[SCHED_WAIT_HEAD]}`,
    `threads wanted ${i32[SCHED_WANTED]}`,
    `sysmon ${nameIn(SYSMON_SLEEPS, i32[SYSMON_PARK])} after ${i32[SYSMON_PASSES]} passes`,
  ].join(", ");
}

function describeLocks({ i32 }: Thread): string {
  const holder = (word: number): string => (i32[word] === 0 ? "free" : `held by thread ${i32[word] - 1}`);
  return `locks: idle lists ${holder(SCHED_LOCK)}, global queue ${holder(GLOBAL_LOCK)}, contexts ${holder(CONTEXT_LOCK)}, functions ${holder(FN_LOCK)}`;
}

function describeProcessor({ i32, f64, memory, clock }: Thread, processor: number): string {
  const base = memory.layout.processors + processor * P_WORDS;
  const due = f64[(base + P_TIMER_NEXT) >> 1] - clock();
  const timers =
    due === Number.POSITIVE_INFINITY
      ? "none due"
      : due >= 0
        ? `next in ${due.toFixed(1)} ms`
        : `next ${(-due).toFixed(1)} ms late`;
  return [
    `processor ${processor}: ${i32[base + P_MACHINE] === 0 ? "idle" : `held by machine ${i32[base + P_MACHINE]}`}`,
    `queue ${new RunQueueStealer(i32, base).length()}`,
    `running descriptor ${i32[base + P_CURRENT]}`,
    `tick ${i32[base + P_TICK] >>> 0}`,
    `preempt ${i32[base + P_PREEMPT]}`,
    `give up ${i32[base + P_GIVE_UP]}`,
    `timers ${i32[base + P_TIMER_COUNT]}, ${timers}, lock ${i32[base + P_TIMER_LOCK]}`,
  ].join(", ");
}

function describeMachine(thread: Thread, machine: number): string {
  const { i32, memory } = thread;
  const base = machineRecord(memory, machine);
  const parked = nameIn(PARKS, Atomics.load(i32, base + M_PARK));
  const inbox = `inbox ${inboxLength(thread, base)}`;
  if (machine === 0) return `host: ${parked}, ${inbox}`;
  return [
    `machine ${machine}: ${nameIn(LIVES, i32[base + M_LIFE])}`,
    parked,
    nameIn(LISTS, i32[base + M_LISTED]),
    inbox,
    i32[base + M_GRANT] === 0 ? "nothing granted" : `granted processor ${i32[base + M_GRANT] - 1}`,
    `attention ${i32[base + M_ATTENTION]}`,
    `events ${i32[base + M_EVENTS]}`,
  ].join(", ");
}

function inboxLength(thread: Thread, machine: number): number {
  const { i32 } = thread;
  let count = 0;
  for (let at = Atomics.load(i32, machine + M_INBOX); at !== 0 && count < MOST_IN_INBOX; count++)
    at = i32[thread.descriptorOf(at) + G_NEXT];
  return count;
}

function nameIn(names: readonly string[], value: number): string {
  return names[value] ?? `unknown (${value})`;
}
