/**
 * Free lists of fixed-size records in shared memory.
 *
 * Every processor (and every thread, for the times when it holds none) has a cache of free records that it alone touches,
 * with plain reads and writes. Behind the caches stands one list a pool, under a lock. A cache that runs dry fetches a batch; one that
 * grows to two batches gives one back: whichever way records flow, the lock is taken once in a batch. Records that were never used
 * come from a counter, so untouched memory stays untouched. A pool may grow: when the counter has reached its limit, it
 * asks for another range of numbers to count through.
 *
 * Invariant: a record is in exactly one of the caches, the list behind, beyond the counter, or in use. The link word is meaningful only in
 * the first two.
 */

import { CACHE_POOLS, POOL_BUMP, POOL_COUNT, POOL_HEAD, POOL_LIMIT, POOL_LOCK } from "./layout.ts";
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
  /** Records moved at once; default POOL_BATCH. */
  readonly batch?: number;
  /** Distance between the numbers of neighbouring records; default 1. */
  readonly step?: number;
  /**
   * Makes the pool one that grows: stores a range of fresh numbers in POOL_BUMP and POOL_LIMIT, or leaves them alone
   * when there is no more. Called under the pool's lock.
   */
  readonly grow?: () => void;
}

/** One thread's access to a pool. `owner` is the thread's number, for the lock. */
export class RecordPool {
  private readonly i32: Int32Array;
  private readonly owner: number;
  private readonly region: PoolRegion;
  private readonly linkBase: number;
  private readonly stride: number;
  private readonly batch: number;
  /** Word of the current cache's list head; the count follows it. */
  private cache = 0;
  /** The record that was given when the cache held one batch: it ends the batch above, which goes first, so nobody need look for that end. 0 if the cache was taken up with more. */
  private lowest = 0;

  constructor(i32: Int32Array, region: PoolRegion, owner: number, cacheRecord: number) {
    this.i32 = i32;
    this.owner = owner;
    this.region = region;
    this.linkBase = region.base + region.link;
    this.stride = region.stride;
    this.batch = region.batch ?? POOL_BATCH;
    this.useCache(cacheRecord);
  }

  /** Works on another cache from now on: the thread took up a processor or gave it up. */
  useCache(cacheRecord: number): void {
    this.cache = cacheRecord + CACHE_POOLS + this.region.kind * 2;
    this.lowest = 0;
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
    const count = ++i32[cache + 1];
    if (count === this.batch + 1) this.lowest = record;
    else if (count >= 2 * this.batch) this.spill(this.batch);
  }

  /** Empties the cache into the list behind, for others to use. */
  flush(): void {
    const count = this.i32[this.cache + 1];
    if (count > 0) this.spill(count);
  }

  private refill(): number {
    const { i32, cache, region } = this;
    acquire(i32, region.pool + POOL_LOCK, this.owner);
    const listed = Math.min(this.batch, i32[region.pool + POOL_COUNT]);
    if (listed > 0) this.fetchListed(listed);
    else this.fetchFresh();
    release(i32, region.pool + POOL_LOCK);
    return i32[cache] === 0 ? 0 : this.take();
  }

  /** Moves records from the list behind into the empty cache; under the lock. */
  private fetchListed(count: number): void {
    const { i32, cache, region, linkBase, stride } = this;
    const first = i32[region.pool + POOL_HEAD];
    let last = first;
    for (let i = 1; i < count; i++) last = i32[linkBase + last * stride];
    i32[region.pool + POOL_HEAD] = i32[linkBase + last * stride];
    i32[region.pool + POOL_COUNT] -= count;
    i32[linkBase + last * stride] = 0;
    i32[cache] = first;
    i32[cache + 1] = count;
  }

  /** Moves records that were never used into the empty cache; under the lock. */
  private fetchFresh(): void {
    const { i32, region } = this;
    const { pool, step = 1 } = region;
    if (region.grow !== undefined && i32[pool + POOL_BUMP] + step > i32[pool + POOL_LIMIT]) region.grow();
    const limit = region.grow === undefined ? region.capacity : i32[pool + POOL_LIMIT];
    const fresh = i32[pool + POOL_BUMP];
    const count = Math.min(this.batch, Math.max(0, Math.floor((limit - fresh) / step)));
    i32[pool + POOL_BUMP] = fresh + count * step;
    // Chained lowest first, so that records come out in the order of their addresses.
    for (let i = count - 1; i >= 0; i--) this.chain(fresh + i * step);
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
    const last = this.endOfTop(first, count);
    i32[cache] = i32[linkBase + last * stride];
    i32[cache + 1] -= count;
    acquire(i32, region.pool + POOL_LOCK, this.owner);
    i32[linkBase + last * stride] = i32[region.pool + POOL_HEAD];
    i32[region.pool + POOL_HEAD] = first;
    i32[region.pool + POOL_COUNT] += count;
    release(i32, region.pool + POOL_LOCK);
  }

  /** The last of the first `count` records of the cache. */
  private endOfTop(first: number, count: number): number {
    const { i32, cache, linkBase, stride, lowest } = this;
    if (lowest !== 0 && count === this.batch && i32[cache + 1] === 2 * count) return lowest;
    let last = first;
    for (let i = 1; i < count; i++) last = i32[linkBase + last * stride];
    return last;
  }
}
