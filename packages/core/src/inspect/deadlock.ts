/**
 * Total deadlock: every goroutine waits, and nothing that could wake one is left. Go's checkdead.
 *
 * The host looks, after all processors have been idle for a while. It is sure of its verdict because all who could change anything are seen to be at rest, and the host itself is the only one awake:
 *
 * - no processor is held, no queue and no inbox holds a goroutine, no machine is awake;
 * - no machine sleeps for the sake of its event loop (I/O, a timer of the program's, a module being loaded): M_EVENTS, which a machine says before it sleeps and again when it is asked (`askForEvents`);
 * - no timer of the runtime is pending;
 * - the host holds nothing that a goroutine waits for: no channel, mutex or other object in whose queue one stands, no live context under which one runs or for whose end one waits, no abort signal that one follows. An object that
 *   the program has dropped counts until garbage has been collected, so garbage is collected before the verdict.
 *
 * A program whose goroutines wait for each other in one corner while others go on is not found; leaks are what `leakCheck` is for.
 */

import { DeadlockError } from "../base/errors.ts";
import { CHANNEL_KIND } from "../channel/channel.ts";
import { ERR_GROUP_KIND } from "../context/err-group.ts";
import { followedSignals } from "../context/spawn-with.ts";
import { CONTEXT_KIND, contextsOf, LIVE } from "../context/tree.ts";
import { PSEUDO } from "../goroutine/descriptor.ts";
import { RUNNABLE, SYSCALL, WAITING } from "../goroutine/status.ts";
import {
  C_RECEIVERS,
  C_SENDERS,
  CACHE_ENDED,
  CACHE_PARKS,
  CACHE_SPAWNED,
  E_ACTIVE,
  E_PENDING,
  E_STARTERS,
  E_WAITERS,
  G_CONTEXT,
  G_MACHINE,
  G_META,
  G_NEXT,
  G_ON_END,
  G_STATUS,
  M_EVENTS,
  M_LIFE,
  M_PARK,
  O_HEAD,
  O_KIND,
  P_TICK,
  P_TIMER_LOCK,
  P_TIMER_ORDER,
  P_WORDS,
  RW_READERS,
  RW_WRITERS,
  W_GOROUTINE,
  W_NEXT,
  X_CHILD,
  X_DONE,
  X_NEXT,
} from "../memory/layout.ts";
import { isEmpty } from "../queue/inbox.ts";
import { RunQueueStealer } from "../queue/run-queue.ts";
import { total } from "../scheduler/idle/counters.ts";
import { LIFE_ALIVE, machineRecord } from "../scheduler/idle/machine-life.ts";
import { wake } from "../scheduler/idle/parker.ts";
import { objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { RW_MUTEX_KIND } from "../sync/rw-mutex.ts";
import { hasPendingTimers } from "../time/timers.ts";
import { forEachDescriptor, formatGoroutines, type GoroutineInfo, listGoroutines } from "./goroutines.ts";

/** Queues of each kind of object that has others than the one at O_HEAD. */
const QUEUES: Readonly<Record<number, readonly number[]>> = {
  [CHANNEL_KIND]: [C_RECEIVERS, C_SENDERS],
  [RW_MUTEX_KIND]: [RW_WRITERS, RW_READERS],
  [ERR_GROUP_KIND]: [E_WAITERS, E_STARTERS],
  [CONTEXT_KIND]: [],
};
const USUAL_QUEUE = [O_HEAD];

/** The error of a deadlocked runtime, with the list of those who sleep; `undefined` if it is not deadlocked. To be called on the host, whose thread this is. */
export function findDeadlock(host: Thread): DeadlockError | undefined {
  const before = movements(host);
  if (!isAtRest(host) || !allWait(host) || followedSignals(host) > 0) return undefined;
  if (holdsSomethingAwaited(host)) {
    objectsOf(host).collect();
    if (holdsSomethingAwaited(host)) return undefined;
  }
  if (movements(host) !== before) return undefined;
  const sleepers = listGoroutines(host).map(asSleeper);
  if (sleepers.length === 0) return undefined;
  return new DeadlockError(`all goroutines are asleep - deadlock!\n\n${formatGoroutines(sleepers)}`);
}

/** Who is still runnable in a deadlock is a member of a group that its limit lets nobody into. */
function asSleeper(info: GoroutineInfo): GoroutineInfo {
  return info.waitReason === undefined ? { ...info, waitReason: "errgroup limit" } : info;
}

/**
 * A number that changes whenever a goroutine runs or a timer is started. The looks below come one after the other, and between two of them a timer may fire, its goroutine run, start the next timer
 * and sleep again: "no timer" would be true of one moment and "everybody sleeps" of another. Who has moved in between has changed this number before he went to sleep, and his sleep was seen.
 */
export function movements({ f64, i32, memory }: Thread): number {
  let sum = total(memory, CACHE_PARKS) + total(memory, CACHE_ENDED) + total(memory, CACHE_SPAWNED);
  for (let p = 0; p < memory.shape.procs; p++) {
    const base = memory.layout.processors + p * P_WORDS;
    // For the order alone: the lock's last holder has stored P_TIMER_ORDER.
    Atomics.load(i32, base + P_TIMER_LOCK);
    sum += (i32[base + P_TICK] >>> 0) + f64[(base + P_TIMER_ORDER) >> 1];
  }
  return sum;
}

/**
 * Wakes the machines that sleep for the sake of their event loops, to say again whether they must. What was pending there may have ended without running anything of a goroutine's (a file closed, a promise
 * that nobody awaits settled), and then nothing has woken the machine.
 */
export function askForEvents({ i32, memory }: Thread): void {
  for (let m = 1; m <= memory.shape.maxMachines; m++) {
    const record = machineRecord(memory, m);
    if (Atomics.load(i32, record + M_EVENTS) !== 0) wake(i32, record);
  }
}

/** Whether nothing moves by itself. */
function isAtRest(host: Thread): boolean {
  const { i32, memory } = host;
  const { layout, shape } = memory;
  if (!host.idle.allIdle() || host.globalQueue.size() !== 0 || hasPendingTimers(memory)) return false;
  for (let p = 0; p < shape.procs; p++) {
    if (!new RunQueueStealer(i32, layout.processors + p * P_WORDS).isEmpty()) return false;
  }
  for (let m = 1; m <= shape.maxMachines; m++) {
    const record = machineRecord(memory, m);
    if (Atomics.load(i32, record + M_LIFE) !== LIFE_ALIVE) continue;
    const awake = Atomics.load(i32, record + M_PARK) === 0;
    if (awake || Atomics.load(i32, record + M_EVENTS) !== 0 || !isEmpty(i32, record)) return false;
  }
  return isEmpty(i32, machineRecord(memory, 0));
}

/** Whether every goroutine waits: for something, or for its group to let it in. */
function allWait(host: Thread): boolean {
  const { i32 } = host;
  const runnable = new Set<number>();
  const groups = new Set<number>();
  let all = true;
  forEachDescriptor(host, (base) => {
    const status = i32[base + G_STATUS];
    if (status === WAITING || status === SYSCALL || (i32[base + G_META] & PSEUDO) !== 0) return;
    const group = status === RUNNABLE ? groupOf(host, base) : 0;
    if (group === 0) {
      all = false;
      return;
    }
    runnable.add(base);
    groups.add(group);
  });
  if (!all) return false;
  for (const group of groups) forEachPending(host, group, (base) => runnable.delete(base));
  return runnable.size === 0;
}

/** First word of the ErrGroup that a goroutine is a member of; 0 for none. */
function groupOf(host: Thread, base: number): number {
  const { i32 } = host;
  const object = i32[base + G_ON_END];
  if (object === 0) return 0;
  const group = objectsOf(host).baseOf(object);
  return i32[group + O_KIND] === ERR_GROUP_KIND ? group : 0;
}

/** Visits the members that wait for a group's limit. */
function forEachPending(host: Thread, group: number, visit: (base: number) => void): void {
  const { i32 } = host;
  for (let member = i32[group + E_PENDING]; member !== 0; ) {
    const base = host.descriptorOf(member);
    visit(base);
    member = i32[base + G_NEXT];
  }
}

/** Whether the host's program could wake a goroutine through an object that it has. */
function holdsSomethingAwaited(host: Thread): boolean {
  const { i32 } = host;
  const table = objectsOf(host);
  let found = false;
  table.forEachHeld((index) => {
    const base = table.baseOf(index);
    const kind = i32[base + O_KIND];
    for (const queue of QUEUES[kind] ?? USUAL_QUEUE) if (someGoroutineIn(host, base + queue)) found = true;
    if (kind === ERR_GROUP_KIND && couldBeLetIn(host, base)) found = true;
    if (kind === CONTEXT_KIND && contextsOf(host).state(index) === LIVE && endWakesSomebody(host, index))
      found = true;
  });
  return found;
}

/** Whether another limit would let members into a group: it can be changed while none run. */
function couldBeLetIn({ i32 }: Thread, group: number): boolean {
  return i32[group + E_PENDING] !== 0 && i32[group + E_ACTIVE] === 0;
}

/** Whether a waiter other than the host's own stands in a queue. */
function someGoroutineIn(host: Thread, queue: number): boolean {
  const { i32 } = host;
  for (let waiter = i32[queue]; waiter !== 0; waiter = i32[waiter + W_NEXT]) {
    if (i32[host.descriptorOf(i32[waiter + W_GOROUTINE]) + G_MACHINE] !== host.number + 1) return true;
  }
  return false;
}

/** Whether the end of a context would wake a goroutine: one that runs under it, or waits for its end or that of a context below. */
function endWakesSomebody(host: Thread, context: number): boolean {
  return someGoroutineUnder(host, context) || someGoroutineAwaitsEnd(host, context);
}

function someGoroutineAwaitsEnd(host: Thread, context: number): boolean {
  const { i32 } = host;
  const table = objectsOf(host);
  const below = [context];
  for (const index of below) {
    const base = table.baseOf(index);
    const done = Atomics.load(i32, base + X_DONE);
    if (done !== 0 && someGoroutineIn(host, table.baseOf(done) + C_RECEIVERS)) return true;
    for (let child = i32[base + X_CHILD]; child !== 0; child = i32[table.baseOf(child) + X_NEXT])
      below.push(child);
  }
  return false;
}

function someGoroutineUnder(host: Thread, context: number): boolean {
  const { i32 } = host;
  const tree = contextsOf(host);
  let found = false;
  forEachDescriptor(host, (base) => {
    const own = i32[base + G_CONTEXT];
    if ((i32[base + G_META] & PSEUDO) === 0 && own !== 0 && tree.isWithin(own, context)) found = true;
  });
  return found;
}
