/** Where a thread takes descriptors from: the record caches, and the pools that descriptors are in while nobody uses them. */

import {
  AWAIT_RESERVE,
  CACHE_WORDS,
  G_NEXT,
  G_WORDS,
  POOL_AWAIT,
  POOL_G,
  POOL_WORDS,
} from "../../memory/layout.ts";
import { POOL_BATCH, RecordPool } from "../../memory/record-pool.ts";
import type { SharedMemory } from "../../memory/shared-memory.ts";

/** Descriptors of waiters moved at once: few wait at the same time on most threads. */
const AWAIT_BATCH = 8;

/** First word of the cache record that a thread uses while it holds no processor. */
export function threadCache(memory: SharedMemory, thread: number): number {
  return memory.layout.caches + (memory.shape.procs + thread) * CACHE_WORDS;
}

/** Where the goroutine descriptors are pooled. */
export function goroutinePool(memory: SharedMemory, thread: number): RecordPool {
  const { maxGoroutines, procs } = memory.shape;
  // What lies free in the caches of others cannot be had: with small batches that is at most a quarter of a small table.
  const batch = Math.max(1, Math.min(POOL_BATCH, Math.floor(maxGoroutines / (8 * (procs + 1)))));
  return descriptorPool(memory, thread, POOL_G, maxGoroutines + 1, batch);
}

/** The descriptors for those who wait and are no goroutines. */
export function awaitPool(memory: SharedMemory, thread: number): RecordPool {
  const end = memory.shape.maxGoroutines + 1 + AWAIT_RESERVE;
  return descriptorPool(memory, thread, POOL_AWAIT, end, AWAIT_BATCH);
}

function descriptorPool(
  memory: SharedMemory,
  thread: number,
  kind: number,
  capacity: number,
  batch: number,
): RecordPool {
  const { layout } = memory;
  const pool = layout.pools + kind * POOL_WORDS;
  const region = { kind, pool, base: layout.goroutines, stride: G_WORDS, capacity, link: G_NEXT, batch };
  return new RecordPool(memory.i32, region, thread, threadCache(memory, thread));
}
