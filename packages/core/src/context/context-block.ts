/**
 * What a context carries beside its place in the tree, in a block of the slab: its deadline, the goroutine whose own it is, a key with its value, and the cause of its end. Which of the last three are there, and what they are, say tags that the
 * context's record keeps (X_TAGS).
 */

import { MemoryLimitError } from "../base/errors.ts";
import { XB_CAUSE, XB_DEADLINE, XB_KEY, XB_OWNER, XB_VALUE, XB_WORDS } from "../memory/layout.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import type { FailureCopy } from "./failure-copy.ts";

/** Of the cause; those of key and value are shifted. */
const TAG = 63;
const KEY_SHIFT = 6;
const VALUE_SHIFT = 12;

/** What a new context has beside its parent. */
export interface ContextDetails {
  /** Milliseconds since the epoch. */
  readonly deadline?: number;
  readonly key?: string;
  readonly value?: unknown;
  /** Id of the goroutine whose own context it is. */
  readonly owner?: number;
}

/** A block by its first word, and its tags. */
export interface ContextBlock {
  readonly block: number;
  readonly tags: number;
}

/** A block for a new context. Throws `CloneError`, `MemoryLimitError`, and then keeps nothing. */
export function takeBlock(thread: Thread, details: ContextDetails): ContextBlock {
  const { codec, slab } = thread;
  const offset = slab.take(XB_WORDS * 4);
  if (offset === 0) throw new MemoryLimitError("no room for another context");
  const block = offset / 4;
  let tags = 0;
  try {
    if (details.key !== undefined) tags |= codec.put(block + XB_KEY, details.key, "key") << KEY_SHIFT;
    if ("value" in details) tags |= codec.put(block + XB_VALUE, details.value, "value") << VALUE_SHIFT;
  } catch (error) {
    giveBlock(thread, { block, tags });
    throw error;
  }
  writeDeadline(thread, block, details.deadline ?? Number.POSITIVE_INFINITY);
  writeOwner(thread, block, details.owner ?? 0);
  return { block, tags };
}

/** Drops what is in a block, and gives it back. */
export function giveBlock({ codec, slab }: Thread, { block, tags }: ContextBlock): void {
  codec.drop(block + XB_CAUSE, tags & TAG);
  codec.drop(block + XB_KEY, (tags >> KEY_SHIFT) & TAG);
  codec.drop(block + XB_VALUE, (tags >> VALUE_SHIFT) & TAG);
  slab.give(block * 4);
}

/** Milliseconds since the epoch, infinite for none. */
export function readDeadline({ f64 }: Thread, block: number): number {
  return f64[(block + XB_DEADLINE) >> 1];
}

export function writeDeadline({ f64 }: Thread, block: number, epochMs: number): void {
  f64[(block + XB_DEADLINE) >> 1] = epochMs;
}

/** A goroutine's id, 0 for none. */
export function readOwner({ f64 }: Thread, block: number): number {
  return f64[(block + XB_OWNER) >> 1];
}

export function writeOwner({ f64 }: Thread, block: number, id: number): void {
  f64[(block + XB_OWNER) >> 1] = id;
}

/** Whether there is a value under this key. */
export function hasKey({ codec }: Thread, { block, tags }: ContextBlock, key: string): boolean {
  const tag = (tags >> KEY_SHIFT) & TAG;
  return tag !== 0 && codec.peek(block + XB_KEY, tag) === key;
}

export function readValue({ codec }: Thread, { block, tags }: ContextBlock): unknown {
  return codec.peek(block + XB_VALUE, (tags >> VALUE_SHIFT) & TAG);
}

export function readCause({ codec }: Thread, { block, tags }: ContextBlock): unknown {
  return codec.peek(block + XB_CAUSE, tags & TAG);
}

/** Moves the cause of the end into the block; its tag. */
export function moveCause(cause: FailureCopy, block: number): number {
  return cause.moveTo(block + XB_CAUSE);
}
