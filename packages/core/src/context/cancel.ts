/**
 * Whom a cancellation reaches, and how it is told (see scheduler/thread/cancellation.ts for what happens on the goroutine's machine).
 *
 * *A context ends*: every goroutine that was started with it, or with one below it, is marked.
 *
 * *A goroutine is cancelled through its handle*: it, and the goroutines that it started and that were not given a context of their own, and so on down. A goroutine costs no context of its own for that, which would make every
 * spawn dearer: each knows who started it, and the few cancellations look through the table. A goroutine whose starter has ended meanwhile is out of reach unless a context connects them. If one of them has
 * asked for its own context (`context.current()`), that context ends too.
 *
 * Marks are made under CONTEXT_LOCK, which a goroutine with a context also takes when it ends: a mark cannot hit a descriptor in which another goroutine has come to live. For a
 * goroutine without a context, which ends without the lock, the mark names the goroutine it is meant for.
 */

import { isDone } from "../goroutine/completion.ts";
import { EXPLICIT_CONTEXT, PLANNED, PSEUDO } from "../goroutine/descriptor.ts";
import { RUNNABLE, RUNNING, SYSCALL, WAITING } from "../goroutine/status.ts";
import {
  G_CANCELED,
  G_CANCELED_ID,
  G_CONTEXT,
  G_ID,
  G_META,
  G_PARENT,
  G_STATUS,
  POOL_BUMP,
  POOL_G,
  POOL_WORDS,
} from "../memory/layout.ts";
import { requestAttention, setCancellationHooks } from "../scheduler/thread/cancellation.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { endTimerUse, setTimerCallback } from "../time/timers.ts";
import { beginLimits, endPlan, timeoutCause } from "./time-limits.ts";
import { CANCELED, CONTEXT_TIMER, type ContextTree, contextsOf, EXCEEDED, LIVE } from "./tree.ts";

/** Ends a context and tells every goroutine it reaches. */
export function cancelContext(thread: Thread, context: number, state: number, cause: unknown): void {
  const tree = contextsOf(thread);
  if (tree.end(context, state, cause)) markEnded(thread, tree);
}

/** Marks every goroutine whose context has ended, and has the machines tell them. */
function markEnded(thread: Thread, tree: ContextTree): void {
  let any = false;
  tree.locked(() => {
    forEachLive(thread, (base) => {
      const own = thread.i32[base + G_CONTEXT];
      if (own !== 0 && tree.state(own) !== LIVE && mark(thread, tree, base, own)) any = true;
    });
  });
  if (any) requestAttention(thread.memory);
}

/**
 * Does what is left to do of the ends of contexts that a thread had begun when it died, of those too that it had only taken a deadline's timer for; while all machines are held. `contexts` are the records in use.
 *
 * All of it can be told from the records, and doing it again changes nothing: a context says whether its end is finished, a deadline that has come has a timer that is in no heap, and a goroutine is marked once.
 */
export function finishEnds(thread: Thread, contexts: readonly number[]): void {
  const tree = contextsOf(thread);
  tree.finishEnds(contexts);
  for (const context of contexts) {
    const timer = tree.lostTimer(context);
    if (timer === 0) continue;
    cancelContext(thread, context, EXCEEDED, timeoutCause(thread, context));
    // In the place of the thread that had taken it.
    endTimerUse(thread, timer);
    tree.table.release(context);
  }
  markEnded(thread, tree);
}

/** Cancels a goroutine and those it started. Nothing happens if it has ended. */
export function cancelGoroutine(thread: Thread, goroutine: number, cause: unknown): void {
  const base = thread.descriptorOf(goroutine);
  if (isDone(thread.i32, base)) return;
  const tree = contextsOf(thread);
  // A context of the cancellation alone: it carries the cause to all who are told.
  const reason = tree.create(0);
  tree.end(reason, CANCELED, cause);
  // Those who wait for the end of their own context are woken by it before they could be told.
  for (const context of ownContexts(thread, tree, base)) {
    cancelContext(thread, context, CANCELED, cause);
    tree.table.release(context);
  }
  tree.locked(() => {
    for (const reached of inheritors(thread, base)) mark(thread, tree, reached, reason);
  });
  requestAttention(thread.memory);
  tree.table.release(reason);
}

/** The contexts, retained, that the descriptor at `root` and those that inherit from it have asked for. */
function ownContexts(thread: Thread, tree: ContextTree, root: number): number[] {
  return tree.locked(() => {
    const own: number[] = [];
    for (const reached of inheritors(thread, root)) {
      const context = thread.i32[reached + G_CONTEXT];
      if (tree.owner(context) !== thread.f64[(reached + G_ID) >> 1]) continue;
      tree.table.retain(context);
      own.push(context);
    }
    return own;
  });
}

/** Cancels every goroutine. */
export function cancelAll(thread: Thread, cause: unknown): void {
  const tree = contextsOf(thread);
  const reason = tree.create(0);
  tree.end(reason, CANCELED, cause);
  tree.locked(() => forEachLive(thread, (base) => void mark(thread, tree, base, reason)));
  requestAttention(thread.memory);
  tree.table.release(reason);
}

/** Writes the mark. False if the goroutine has one. */
function mark(thread: Thread, tree: ContextTree, base: number, context: number): boolean {
  const { i32, f64 } = thread;
  const id = f64[(base + G_ID) >> 1] | 0;
  const seen = Atomics.load(i32, base + G_CANCELED);
  if (seen !== 0 && i32[base + G_CANCELED_ID] === id) return false;
  tree.table.retain(context);
  i32[base + G_CANCELED_ID] = id;
  Atomics.store(i32, base + G_CANCELED, context);
  return true;
}

/** The descriptor at `root`, and those of live goroutines that inherit its context, as far as the chain of the living reaches. */
function inheritors(thread: Thread, root: number): number[] {
  const { i32, f64 } = thread;
  const children = new Map<number, number[]>();
  forEachLive(thread, (base) => {
    if ((i32[base + G_META] & EXPLICIT_CONTEXT) !== 0) return;
    const parent = f64[(base + G_PARENT) >> 1];
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [base]);
    else siblings.push(base);
  });
  const reached = [root];
  for (const base of reached) reached.push(...(children.get(f64[(base + G_ID) >> 1]) ?? []));
  return reached;
}

/** Visits the descriptors of all goroutines that have not ended. */
export function forEachLive(thread: Thread, visit: (base: number, goroutine: number) => void): void {
  const { i32, memory } = thread;
  const end = Atomics.load(i32, memory.layout.pools + POOL_G * POOL_WORDS + POOL_BUMP);
  for (let goroutine = 1; goroutine < end; goroutine++) {
    const base = thread.descriptorOf(goroutine);
    const status = i32[base + G_STATUS];
    const live = status === RUNNABLE || status === RUNNING || status === SYSCALL || status === WAITING;
    if (live && (i32[base + G_META] & PSEUDO) === 0) visit(base, goroutine);
  }
}

setCancellationHooks({
  errorOf: (thread, context) => contextsOf(thread).error(context) as Error,
  cancel: cancelGoroutine,
  isDone: (thread, context) => contextsOf(thread).state(context) !== LIVE,
  isWithin: (thread, context, above) => contextsOf(thread).isWithin(context, above),
  retain: (thread, context) => contextsOf(thread).table.retain(context),
  begin: beginLimits,
  leave: (thread, base) => {
    const tree = contextsOf(thread);
    const { i32 } = thread;
    if ((i32[base + G_META] & PLANNED) !== 0) endPlan(thread, base);
    const held = tree.locked(() => {
      const words = [i32[base + G_CONTEXT], i32[base + G_CANCELED]];
      i32[base + G_CONTEXT] = 0;
      i32[base + G_CANCELED] = 0;
      return words;
    });
    for (const context of held) if (context !== 0) tree.table.release(context);
  },
  release: (thread, context) => contextsOf(thread).table.release(context),
});

setTimerCallback(CONTEXT_TIMER, (thread, context) => {
  cancelContext(thread, context, EXCEEDED, timeoutCause(thread, context));
  // The timer's own reference.
  contextsOf(thread).table.release(context);
});
