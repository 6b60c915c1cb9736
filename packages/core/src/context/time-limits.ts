/**
 * Time limits of goroutines: `timeout` and `killAfter` of `spawnWith`.
 *
 * Both count from the call of the body (`beginLimits`). When the first is over the goroutine's own context ends, as if it had that deadline: it is told like any cancelled goroutine. A second timer is started together with the first. If
 * the goroutine is still there when it fires, its thread is *condemned*: the machine's record says so, and the host, which is the only one that can end a thread, is rung.
 *
 * Such a timer may fire while the goroutine ends, and even when its descriptor is another's. It holds a reference to the context, and the context knows its goroutine: under CONTEXT_LOCK, which a goroutine with a context takes to let
 * go of it (context/cancel), "this descriptor names this context" means that the goroutine has not ended.
 */

import { DeadlineExceededError } from "../base/errors.ts";
import {
  G_CONTEXT,
  G_ID,
  G_MACHINE,
  M_CONDEMNED,
  PL_CONDEMNED,
  PL_GOROUTINE,
  PL_KILL_AFTER,
  PL_KILL_TIMER,
  PL_TIMEOUT,
  SCHED_CONDEMNED,
  X_PLAN,
} from "../memory/layout.ts";
import { machineRecord } from "../scheduler/idle/machine-life.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { setTimerCallback, startTimer, stopTimer } from "../time/timers.ts";
import { dropKept, planOf } from "./plan.ts";
import { type ContextTree, contextsOf, LIVE } from "./tree.ts";

/** The kind of timer that condemns a thread. */
const KILL_TIMER = 5;

const FOR_EVER = Number.POSITIVE_INFINITY;

/** The body of the goroutine whose descriptor is at `base` is about to be called: its time begins. Returns the error that keeps it from that, if any. */
export function beginLimits(thread: Thread, base: number): Error | undefined {
  const { i32, f64 } = thread;
  const plan = planOf(thread, base);
  const timeout = plan === 0 ? FOR_EVER : f64[(plan + PL_TIMEOUT) >> 1];
  if (timeout === FOR_EVER) return undefined;
  const tree = contextsOf(thread);
  const own = i32[base + G_CONTEXT];
  try {
    tree.setDeadline(own, Date.now() + timeout);
    tree.armDeadline(own, timeout);
    const killAfter = f64[(plan + PL_KILL_AFTER) >> 1];
    if (killAfter < FOR_EVER)
      i32[plan + PL_KILL_TIMER] = startKillTimer(tree, thread, own, timeout + killAfter);
  } catch (error) {
    return error as Error;
  }
  return undefined;
}

function startKillTimer(tree: ContextTree, thread: Thread, own: number, delayMs: number): number {
  // The timer's own reference.
  tree.table.retain(own);
  try {
    return startTimer(thread, delayMs, KILL_TIMER, own);
  } catch (error) {
    tree.table.release(own);
    throw error;
  }
}

/** The goroutine has ended, or is to be run again: its time is over. What it has started goes on without its deadline. */
export function endLimits(thread: Thread, base: number): void {
  const { i32 } = thread;
  const plan = planOf(thread, base);
  if (plan === 0) return;
  const tree = contextsOf(thread);
  const own = i32[base + G_CONTEXT];
  tree.disarm(own);
  if (tree.state(own) === LIVE) tree.setDeadline(own, FOR_EVER);
  const timer = i32[plan + PL_KILL_TIMER];
  i32[plan + PL_KILL_TIMER] = 0;
  if (timer !== 0 && stopTimer(thread, timer)) tree.table.release(own);
}

/** Why a context has come to its deadline: what a goroutine is told that has used up its time; `undefined` for any other context. */
export function timeoutCause(thread: Thread, context: number): Error | undefined {
  const tree = contextsOf(thread);
  const plan = thread.i32[tree.table.baseOf(context) + X_PLAN];
  if (plan === 0) return undefined;
  const timeout = thread.f64[(plan + PL_TIMEOUT) >> 1];
  return new DeadlineExceededError(
    `goroutine ${tree.owner(context)} has run for longer than its timeout of ${timeout} ms`,
  );
}

/** The goroutine has ended: nothing of its plan is needed any more. */
export function endPlan(thread: Thread, base: number): void {
  const plan = planOf(thread, base);
  if (plan === 0) return;
  endLimits(thread, base);
  dropKept(thread, plan);
}

setTimerCallback(KILL_TIMER, (thread, own) => {
  const tree = contextsOf(thread);
  if (tree.locked(() => condemn(thread, tree, own))) thread.idle.wakeHost();
  // The timer's own reference.
  tree.table.release(own);
});

/**
 * Condemns the thread of the goroutine whose descriptor is at `base` if its time is over and nothing stands in a heap that would see to it: a thread that has died had taken the timer. For the host, while it waits for threads to come by a
 * safe point, which one that defies its cancellation may never do.
 */
export function condemnOverdue(host: Thread, base: number): void {
  const { i32 } = host;
  const tree = contextsOf(host);
  tree.locked(() => {
    const plan = planOf(host, base);
    if (plan === 0 || i32[plan + PL_CONDEMNED] !== 0) return;
    const timer = i32[plan + PL_KILL_TIMER];
    if (timer !== 0 && !host.timers.isStarted(timer)) condemn(host, tree, i32[base + G_CONTEXT]);
  });
}

/** Condemns the thread on which the goroutine lives whose own context this is, if it still defies its cancellation. (One that has ended has no deadline any more. One that has not, and is past it, was to be cancelled by a thread that died.) */
function condemn(thread: Thread, tree: ContextTree, own: number): boolean {
  const { i32, memory } = thread;
  const plan = i32[tree.table.baseOf(own) + X_PLAN];
  const base = thread.descriptorOf(i32[plan + PL_GOROUTINE]);
  const machine = i32[base + G_MACHINE] - 1;
  const inTime = tree.state(own) === LIVE && Date.now() < tree.deadline(own);
  if (inTime || machine <= 0 || !isAlive(thread, tree, base, own)) return false;
  i32[plan + PL_CONDEMNED] = 1;
  Atomics.store(i32, machineRecord(memory, machine) + M_CONDEMNED, i32[plan + PL_GOROUTINE]);
  Atomics.store(i32, SCHED_CONDEMNED, 1);
  return true;
}

/** Whether the goroutine whose own context this is has not ended; under CONTEXT_LOCK. */
function isAlive({ i32, f64 }: Thread, tree: ContextTree, base: number, own: number): boolean {
  return i32[base + G_CONTEXT] === own && f64[(base + G_ID) >> 1] === tree.owner(own);
}

/** A thread that is to be ended, and for whom. */
export interface Condemned {
  readonly machine: number;
  /** Descriptor of the goroutine that defies its cancellation. */
  readonly base: number;
  readonly timeoutMs: number;
  readonly killAfterMs: number;
}

/** The threads that the host is to end. Those whose goroutine has come to its end meanwhile are let off. */
export function takeCondemned(host: Thread): Condemned[] {
  const { i32, f64, memory } = host;
  if (Atomics.load(i32, SCHED_CONDEMNED) === 0) return [];
  Atomics.store(i32, SCHED_CONDEMNED, 0);
  const tree = contextsOf(host);
  const found: Condemned[] = [];
  for (let machine = 1; machine <= memory.shape.maxMachines; machine++) {
    const goroutine = Atomics.exchange(i32, machineRecord(memory, machine) + M_CONDEMNED, 0);
    if (goroutine === 0) continue;
    const base = host.descriptorOf(goroutine);
    const plan = tree.locked(() => (i32[base + G_MACHINE] === machine + 1 ? planOf(host, base) : 0));
    if (plan === 0 || i32[plan + PL_CONDEMNED] === 0) continue;
    const [timeoutMs, killAfterMs] = [f64[(plan + PL_TIMEOUT) >> 1], f64[(plan + PL_KILL_AFTER) >> 1]];
    found.push({ machine, base, timeoutMs, killAfterMs });
  }
  return found;
}
