/**
 * Plans: what `spawnWith` was asked to do for one goroutine if it is lost, or takes too long.
 *
 * A plan is a block in the slab that the goroutine's own context names, so a goroutine without one pays nothing: no word of its descriptor, no look at its start or end beyond the one for its context. The goroutine is told from others by
 * PLANNED in its G_META. The block goes with the context, which those may outlive it that it started; the arguments that it keeps for another run go when the goroutine has ended.
 */

import { MemoryLimitError } from "../base/errors.ts";
import {
  COUNT_MASK,
  COUNT_SHIFT,
  EXPLICIT_CONTEXT,
  INLINE_ARGS,
  PACKED,
  PLANNED,
  SLOT_WORDS,
  TAG_BITS,
  TAG_MASK,
} from "../goroutine/descriptor.ts";
import {
  G_ARGS,
  G_CONTEXT,
  G_META,
  PL_ARGS,
  PL_CONDEMNED,
  PL_GOROUTINE,
  PL_KEPT,
  PL_KILL_AFTER,
  PL_KILL_TIMER,
  PL_META,
  PL_RETRIED,
  PL_RETRIES,
  PL_TIMEOUT,
  PL_WORDS,
  X_PLAN,
} from "../memory/layout.ts";
import { objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";

/** What was asked for. */
export interface Plan {
  /** How often to run it again if its thread is lost. */
  readonly retry: number;
  /** How long its body may run, milliseconds; infinite for any time. */
  readonly timeout: number;
  /** How long it may go on after it was cancelled for that, milliseconds; infinite for any time. */
  readonly killAfter: number;
}

/** Writes a plan into the record of a context whose number is `context`. The arguments are kept only if they may be needed again. Throws `CloneError`, `MemoryLimitError`; then nothing is kept. */
export function addPlan(thread: Thread, context: number, plan: Plan, args: readonly unknown[]): void {
  const { i32, f64, slab } = thread;
  const offset = slab.take(PL_WORDS * 4);
  if (offset === 0) throw new MemoryLimitError("no room for the options of another goroutine");
  const block = offset / 4;
  i32[block + PL_GOROUTINE] = 0;
  i32[block + PL_RETRIES] = plan.retry;
  i32[block + PL_RETRIED] = 0;
  i32[block + PL_KEPT] = 0;
  i32[block + PL_KILL_TIMER] = 0;
  i32[block + PL_CONDEMNED] = 0;
  f64[(block + PL_TIMEOUT) >> 1] = plan.timeout;
  f64[(block + PL_KILL_AFTER) >> 1] = plan.killAfter;
  if (plan.retry > 0) keepArguments(thread, block, args);
  i32[objectsOf(thread).baseOf(context) + X_PLAN] = block;
}

/** Says whose plan it is: a goroutine that is not queued yet. `given` says that it was given the context above its own. */
export function setPlanned(thread: Thread, context: number, goroutine: number, given: boolean): void {
  const { i32 } = thread;
  i32[i32[objectsOf(thread).baseOf(context) + X_PLAN] + PL_GOROUTINE] = goroutine;
  const meta = thread.descriptorOf(goroutine) + G_META;
  i32[meta] |= PLANNED;
  // As with a context that a goroutine asks for itself: who cancels the starter reaches it.
  if (!given) i32[meta] &= ~EXPLICIT_CONTEXT;
}

/** The plan of the goroutine whose descriptor is at `base`: its block's first word, 0 for none. */
export function planOf(thread: Thread, base: number): number {
  const { i32 } = thread;
  if ((i32[base + G_META] & PLANNED) === 0) return 0;
  const context = i32[base + G_CONTEXT];
  return context === 0 ? 0 : i32[objectsOf(thread).baseOf(context) + X_PLAN];
}

/** Gives back the plan of a context that is being disposed of; its record is at `base`. */
export function givePlan(thread: Thread, base: number): void {
  const { i32, slab } = thread;
  const block = i32[base + X_PLAN];
  if (block === 0) return;
  i32[base + X_PLAN] = 0;
  dropKept(thread, block);
  slab.give(block * 4);
}

// ── arguments ──

function keepArguments(thread: Thread, block: number, args: readonly unknown[]): void {
  const { i32, slab } = thread;
  const packed = args.length > INLINE_ARGS;
  const values = packed ? [args] : args;
  let meta = (packed ? PACKED : args.length) << COUNT_SHIFT;
  i32[block + PL_KEPT] = 1;
  try {
    values.forEach((value, place) => {
      const where = packed ? "args" : `args[${place}]`;
      meta |= thread.codec.put(block + PL_ARGS + place * SLOT_WORDS, value, where) << (place * TAG_BITS);
      i32[block + PL_META] = meta;
    });
  } catch (error) {
    // Tags that are still missing say "undefined", which holds nothing.
    i32[block + PL_META] = meta;
    dropKept(thread, block);
    slab.give(block * 4);
    throw error;
  }
  i32[block + PL_META] = meta;
}

/** Drops the arguments that a plan keeps, if it does. */
export function dropKept(thread: Thread, block: number): void {
  const { i32, codec } = thread;
  if (i32[block + PL_KEPT] === 0) return;
  i32[block + PL_KEPT] = 0;
  forEachKept(thread, block, (slot, tag) => codec.drop(slot, tag));
}

function forEachKept(
  { i32 }: Thread,
  block: number,
  visit: (slot: number, tag: number, place: number) => void,
): void {
  const meta = i32[block + PL_META];
  const count = (meta >>> COUNT_SHIFT) & COUNT_MASK;
  const slots = count === PACKED ? 1 : count;
  for (let place = 0; place < slots; place++)
    visit(block + PL_ARGS + place * SLOT_WORDS, (meta >>> (place * TAG_BITS)) & TAG_MASK, place);
}

/** Puts copies of the kept arguments into the descriptor at `base`. Returns count and tags, for its G_META. Throws `MemoryLimitError`; then none is there. */
function putArguments(thread: Thread, block: number, base: number): number {
  const { i32, codec } = thread;
  let meta = i32[block + PL_META] & (COUNT_MASK << COUNT_SHIFT);
  let put = 0;
  try {
    forEachKept(thread, block, (slot, tag, place) => {
      const copy = codec.put(base + G_ARGS + place * SLOT_WORDS, codec.peek(slot, tag), `args[${place}]`);
      meta |= copy << (place * TAG_BITS);
      put++;
    });
  } catch (error) {
    thread.dropSlots(base, meta, put);
    throw error;
  }
  return meta;
}

// ── another run ──

/** Whether a goroutine that was lost is to be run again, as far as its plan says. */
export function hasRetries(thread: Thread, base: number): boolean {
  const { i32 } = thread;
  const block = planOf(thread, base);
  return block !== 0 && i32[block + PL_RETRIES] > 0 && i32[block + PL_CONDEMNED] === 0;
}

/** How often the goroutine has been run again; 0 for one without a plan. */
export function timesRetried(thread: Thread, base: number): number {
  const block = planOf(thread, base);
  return block === 0 ? 0 : thread.i32[block + PL_RETRIED];
}

/** Counts another run, and puts the arguments in place for it. Returns count and tags, for G_META. Throws `MemoryLimitError`. */
export function takeRetry(thread: Thread, base: number): number {
  const { i32 } = thread;
  const block = planOf(thread, base);
  const meta = putArguments(thread, block, base);
  i32[block + PL_RETRIES]--;
  i32[block + PL_RETRIED]++;
  return meta;
}
