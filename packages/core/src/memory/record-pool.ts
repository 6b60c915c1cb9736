/**
 * Free lists of fixed-size records in shared memory.
 *
 * Every processor (and every thread, for the times when it holds none) has a cache of free records that it alone touches,
 * with plain reads and writes. Behind the caches stands one list a pool, under a lock. A cache that runs dry fetches a batch; one that
 * grows to two batches gives one back: whichever way records flow, the lock is taken once in a batch. Records that were never used
 * come from a counter, so untouched memory stays untouched.
 *
 * Invariant: a record is in exactly one of the caches, the list behind, beyond the counter, or in use. The link word is meaningful only in
 * the first two.
 */

import { CACHE_POOLS, POOL_BUMP, POOL_COUNT, POOL_HEAD, POOL_LOCK } from "./layout.ts";
import { acquire, release } from "./thread-lock.ts";

/** Records moved at once. Go moves 32 descriptors; a guess that measured no different from 64. */
export const POOL_BATCH = 32;

/** Where a pool's records lie. */
export interface PoolRegion {
  /** Number of the kind, which fixes the pool's place in each cache. */
  readonly kind: number;
  /** First word of the pool's own record (POOL_LOCK …). */
  readonly pool: number;
  /** First word of record 0, which is never given out. */
  readonly base: number;
  /** Words of a record. */
  readonly stride: number;
  /** Records, number 0 included. */
  readonly capacity: number;
  /** Offset of the link word in a record. */
  readonly link: number;
}

/** One thread's access to a pool. `owner` is the thread's number, for the lock. */
export class RecordPool {
  private readonly i32: Int32Array;
  private readonly owner: number;
  private readonly region: PoolRegion;
  private readonly linkBase: number;
  private readonly stride: number;
  /** Word of the current cache's list head; the count follows it. */
  private cache = 0;

  constructor(i32: Int32Array, region: PoolRegion, owner: number, cacheRecord: number) {
    this.i32 = i32;
    this.owner = owner;
    this.region = region;
    this.linkBase = region.base + region.link;
    this.stride = region.stride;
    this.useCache(cacheRecord);
  }

  /** Works on another cache from now on: the thread took up a processor or gave it up. */
  useCache(cacheRecord: number): void {
    this.cache = cacheRecord + CACHE_POOLS + this.region.kind * 2;
  }

  /** A record that nobody else has; 0 when all are in use. Its words hold what its last user left. */
  take(): number {
    const { i32, cache } = this;
    const first = i32[cache];
    if (first === 0) return this.refill();
    i32[cache] = i32[this.linkBase + first * this.stride];
    i32[cache + 1]--;
    return first;
  }

  /** Gives a record back. The caller must be its only user. */
  give(record: number): void {
    const { i32, cache } = this;
    i32[this.linkBase + record * this.stride] = i32[cache];
    i32[cache] = record;
    if (++i32[cache + 1] >= 2 * POOL_BATCH) this.spill(POOL_BATCH);
  }

  /** Empties the cache into the list behind, for others to use. */
  flush(): void {
    const count = this.i32[this.cache + 1];
    if (count > 0) this.spill(count);
  }

  private refill(): number {
    const { i32, cache, region, linkBase, stride } = this;
    acquire(i32, region.pool + POOL_LOCK, this.owner);
    const listed = Math.min(POOL_BATCH, i32[region.pool + POOL_COUNT]);
    if (listed > 0) {
      const first = i32[region.pool + POOL_HEAD];
      let last = first;
      for (let i = 1; i < listed; i++) last = i32[linkBase + last * stride];
      i32[region.pool + POOL_HEAD] = i32[linkBase + last * stride];
      i32[region.pool + POOL_COUNT] -= listed;
      i32[linkBase + last * stride] = 0;
      i32[cache] = first;
      i32[cache + 1] = listed;
    } else {
      const fresh = i32[region.pool + POOL_BUMP];
      const count = Math.min(POOL_BATCH, region.capacity - fresh);
      i32[region.pool + POOL_BUMP] = fresh + count;
      // Chained lowest first, so that records come out in the order of their addresses.
      for (let i = count - 1; i >= 0; i--) this.chain(fresh + i);
    }
    release(i32, region.pool + POOL_LOCK);
    return i32[cache] === 0 ? 0 : this.take();
  }

  private chain(record: number): void {
    const { i32, cache } = this;
    i32[this.linkBase + record * this.stride] = i32[cache];
    i32[cache] = record;
    i32[cache + 1]++;
  }

  private spill(count: number): void {
    const { i32, cache, region, linkBase, stride } = this;
    const first = i32[cache];
    let last = first;
    for (let i = 1; i < count; i++) last = i32[linkBase + last * stride];
    i32[cache] = i32[linkBase + last * stride];
    i32[cache + 1] -= count;
    acquire(i32, region.pool + POOL_LOCK, this.owner);
    i32[linkBase + last * stride] = i32[region.pool + POOL_HEAD];
    i32[region.pool + POOL_HEAD] = first;
    i32[region.pool + POOL_COUNT] += count;
    release(i32, region.pool + POOL_LOCK);
  }
}
