/**
 * Blocks of any size for values, in shared memory. A block that one thread took may be given back by another.
 *
 * ```
 * take(200)                                  take(5_000_000)
 *   │ class of 256 bytes                       │ 153 chunks
 *   ▼                                          │
 * RecordPool: cache of this processor          │
 *   │ empty: a batch from the list behind      │
 *   │ that is empty: the next of a run         │
 *   │ that is used up: another run             │
 *   ▼                                          ▼
 * SlabSpans: spans of 32 KiB chunks, under one lock
 * ```
 *
 * A block has no header. A byte for each unit of 64 bytes says whether a block in use begins there and of what class, so the block
 * can be filled to the last byte, nothing written into it can mislead `give`, and a wrong or repeated `give` is seen
 * at once. The byte is written plainly: only the block's one user touches it, and whoever gets the block from him gets it through an atomic step.
 *
 * When memory runs out, runs whose blocks are all free go back to the chunks: what one size no longer needs, another can have. Blocks in other
 * threads' caches are out of reach for that, a few batches each.
 */

import {
  POOL_BUMP,
  POOL_COUNT,
  POOL_HEAD,
  POOL_LIMIT,
  POOL_LOCK,
  POOL_SEARCHED,
  POOL_SLAB,
  POOL_WORDS,
  SLAB_CHUNK_UNITS,
  SLAB_CLASSES,
  SLAB_UNIT_WORDS,
  slabLayoutFor,
} from "./layout.ts";
import { RecordPool } from "./record-pool.ts";
import type { SharedMemory } from "./shared-memory.ts";
import {
  CLASS_UNITS,
  classBatch,
  classFor,
  MAX_CLASS_BYTES,
  runBlocks,
  runChunks,
  UNIT_BYTES,
} from "./slab-classes.ts";
import { SlabSpans } from "./slab-spans.ts";
import { acquire, release } from "./thread-lock.ts";

const UNIT = UNIT_BYTES;
const UNIT_WORDS = SLAB_UNIT_WORDS;
const SMALL = MAX_CLASS_BYTES;
/** Mark of a block that is a span; smaller ones have their class + 1. */
const LARGE = 255;
const CHUNK_BYTES = SLAB_CHUNK_UNITS * UNIT_BYTES;

/** What `census` found. */
export interface SlabCensus {
  /** Blocks in use. */
  readonly blocks: number;
  /** Bytes of those blocks, in the sizes of their classes. */
  readonly bytes: number;
}

/** One thread's access to the slab. */
export class Slab {
  /** Bytes of the largest block that could ever be taken. */
  readonly maxBytes: number;
  private readonly i32: Int32Array;
  private readonly u8: Uint8Array;
  private readonly owner: number;
  private readonly spans: SlabSpans;
  private readonly pools: readonly RecordPool[];
  /** First word of the classes' pool records. */
  private readonly poolRecords: number;
  /** Number of the first unit of the data; units are numbered from the buffer's first byte. */
  private readonly firstUnit: number;
  private readonly endUnit: number;
  /** Byte of the mark that a unit number 0 would have. */
  private readonly marks: number;

  /** `owner` is the thread's number, `cacheRecord` the first word of the cache it may use now. */
  constructor(memory: SharedMemory, owner: number, cacheRecord: number) {
    const layout = slabLayoutFor(memory.layout.slab, memory.shape.slabBytes);
    this.i32 = memory.i32;
    this.u8 = memory.u8;
    this.owner = owner;
    this.spans = new SlabSpans(memory.i32, layout, owner);
    this.maxBytes = layout.chunks * CHUNK_BYTES;
    this.firstUnit = layout.data / UNIT_WORDS;
    this.endUnit = this.firstUnit + layout.chunks * SLAB_CHUNK_UNITS;
    this.marks = layout.marks * 4 - this.firstUnit;
    this.poolRecords = memory.layout.pools + POOL_SLAB * POOL_WORDS;
    this.pools = Array.from({ length: SLAB_CLASSES }, (_, sizeClass) => this.poolOf(sizeClass, cacheRecord));
  }

  /** Works on another cache from now on: the thread took up a processor or gave it up. */
  useCache(cacheRecord: number): void {
    for (const pool of this.pools) pool.useCache(cacheRecord);
  }

  /**
   * A block of at least `bytes` bytes that nobody else has: the byte at which it begins, a multiple of 64. 0 when there is no
   * room. It holds what its last user left.
   */
  take(bytes: number): number {
    if (bytes > SMALL) return this.takeLarge(bytes);
    const sizeClass = classFor(bytes);
    const unit = this.pools[sizeClass].take();
    if (unit === 0) return this.takeWhenEmpty(sizeClass);
    this.u8[this.marks + unit] = sizeClass + 1;
    return unit * UNIT;
  }

  /** Gives a block back. The caller must be its only user. Throws when no block in use begins there. */
  give(offset: number): void {
    const unit = offset / UNIT;
    const mark = this.markAt(unit);
    if (mark === 0) throw new Error(`give: no block in use begins at byte ${offset}`);
    this.u8[this.marks + unit] = 0;
    if (mark === LARGE) this.spans.give(this.chunkOf(unit));
    else this.pools[mark - 1].give(unit);
  }

  /** Bytes of the block in use that begins at `offset`; 0 when none does. */
  capacityAt(offset: number): number {
    const unit = offset / UNIT;
    const mark = this.markAt(unit);
    if (mark === 0) return 0;
    if (mark === LARGE) return this.spans.lengthOf(this.chunkOf(unit)) * CHUNK_BYTES;
    return CLASS_UNITS[mark - 1] * UNIT;
  }

  /** Empties the caches into the lists behind, for others to use. */
  flush(): void {
    for (const pool of this.pools) pool.flush();
  }

  /** Counts the blocks in use, by looking at every unit. Exact only while nobody takes or gives. */
  census(): SlabCensus {
    let blocks = 0;
    let bytes = 0;
    this.spans.forEachTaken((chunk, length) => {
      const first = this.firstUnit + chunk * SLAB_CHUNK_UNITS;
      for (let unit = first; unit < first + length * SLAB_CHUNK_UNITS; unit++) {
        if (this.u8[this.marks + unit] === 0) continue;
        blocks++;
        bytes += this.capacityAt(unit * UNIT);
      }
    });
    return { blocks, bytes };
  }

  /** Takes the chunks' lock from a thread that died. False if it did not hold it. */
  repairAfter(owner: number): boolean {
    return this.spans.repairAfter(owner);
  }

  private poolOf(sizeClass: number, cacheRecord: number): RecordPool {
    const region = {
      kind: POOL_SLAB + sizeClass,
      pool: this.poolRecords + sizeClass * POOL_WORDS,
      base: 0,
      stride: UNIT_WORDS,
      capacity: 0,
      link: 0,
      batch: classBatch(sizeClass),
      step: CLASS_UNITS[sizeClass],
      grow: (): void => this.addRun(sizeClass),
    };
    return new RecordPool(this.i32, region, this.owner, cacheRecord);
  }

  /** Gives a class fresh chunks to cut blocks from. Runs under the class's lock, and takes that of the chunks. */
  private addRun(sizeClass: number): void {
    const chunk = this.spans.take(runChunks(sizeClass));
    if (chunk < 0) return;
    const pool = this.poolRecords + sizeClass * POOL_WORDS;
    const first = this.unitOf(chunk);
    this.i32[pool + POOL_BUMP] = first;
    this.i32[pool + POOL_LIMIT] = first + runBlocks(sizeClass) * CLASS_UNITS[sizeClass];
  }

  private takeLarge(bytes: number): number {
    const count = Math.ceil(bytes / CHUNK_BYTES);
    if (!(count <= this.spans.chunks)) return 0;
    let chunk = this.spans.take(count);
    if (chunk < 0 && this.reclaim()) chunk = this.spans.take(count);
    if (chunk < 0) return 0;
    const unit = this.unitOf(chunk);
    this.u8[this.marks + unit] = LARGE;
    return unit * UNIT;
  }

  /** The class has nothing left and there was no chunk for a run: looks among other classes' free runs, then their larger blocks. */
  private takeWhenEmpty(sizeClass: number): number {
    const first = this.reclaim() ? sizeClass : sizeClass + 1;
    for (let other = first; other < SLAB_CLASSES; other++) {
      const unit = this.pools[other].take();
      if (unit === 0) continue;
      this.u8[this.marks + unit] = other + 1;
      return unit * UNIT;
    }
    return 0;
  }

  /** The mark of a unit; 0 as well when there is no such unit. */
  private markAt(unit: number): number {
    if (unit >= this.firstUnit && unit < this.endUnit) return this.u8[this.marks + unit] ?? 0;
    return 0;
  }

  private unitOf(chunk: number): number {
    return this.firstUnit + chunk * SLAB_CHUNK_UNITS;
  }

  private chunkOf(unit: number): number {
    return Math.floor((unit - this.firstUnit) / SLAB_CHUNK_UNITS);
  }

  // ── giving runs back ──

  /** Gives runs that are wholly free back to the chunks. True if there were any. */
  private reclaim(): boolean {
    this.flush();
    let found = false;
    for (let sizeClass = 0; sizeClass < SLAB_CLASSES; sizeClass++) {
      const pool = this.poolRecords + sizeClass * POOL_WORDS;
      acquire(this.i32, pool + POOL_LOCK, this.owner);
      if (this.isWorthSearching(pool, sizeClass) && this.reclaimClass(pool, sizeClass)) found = true;
      release(this.i32, pool + POOL_LOCK);
    }
    return found;
  }

  /** Whether a run's worth of blocks has come or gone since the last search. Otherwise a full slab would be searched at every `take`. */
  private isWorthSearching(pool: number, sizeClass: number): boolean {
    const { i32 } = this;
    const fresh = i32[pool + POOL_BUMP] < i32[pool + POOL_LIMIT];
    const changed = Math.abs(i32[pool + POOL_COUNT] - i32[pool + POOL_SEARCHED]);
    return fresh || changed >= runBlocks(sizeClass);
  }

  private reclaimClass(pool: number, sizeClass: number): boolean {
    const { i32 } = this;
    this.listFreshBlocks(pool, sizeClass);
    const runs = this.freeRuns(pool, sizeClass);
    if (runs.size > 0) {
      this.unlistBlocksOf(runs, pool, sizeClass);
      for (const chunk of runs) this.spans.give(chunk);
    }
    i32[pool + POOL_SEARCHED] = i32[pool + POOL_COUNT];
    return runs.size > 0;
  }

  /** Puts the blocks of the present run that were never used into the list, so that all free blocks are found there. */
  private listFreshBlocks(pool: number, sizeClass: number): void {
    const { i32 } = this;
    const limit = i32[pool + POOL_LIMIT];
    for (let unit = i32[pool + POOL_BUMP]; unit < limit; unit += CLASS_UNITS[sizeClass]) {
      i32[unit * UNIT_WORDS] = i32[pool + POOL_HEAD];
      i32[pool + POOL_HEAD] = unit;
      i32[pool + POOL_COUNT]++;
    }
    i32[pool + POOL_BUMP] = limit;
  }

  /** First chunks of the runs all of whose blocks stand in the list. */
  private freeRuns(pool: number, sizeClass: number): Set<number> {
    const { i32 } = this;
    const free = new Map<number, number>();
    for (let unit = i32[pool + POOL_HEAD]; unit !== 0; unit = i32[unit * UNIT_WORDS]) {
      const chunk = this.chunkOf(unit);
      free.set(chunk, (free.get(chunk) ?? 0) + 1);
    }
    const runs = new Set<number>();
    this.spans.forEachTaken((span, length) => {
      let blocks = 0;
      for (let chunk = span; chunk < span + length; chunk++) blocks += free.get(chunk) ?? 0;
      if (length === runChunks(sizeClass) && blocks === runBlocks(sizeClass)) runs.add(span);
    });
    return runs;
  }

  private unlistBlocksOf(runs: ReadonlySet<number>, pool: number, sizeClass: number): void {
    const { i32 } = this;
    const length = runChunks(sizeClass);
    const inRun = (unit: number): boolean => {
      const chunk = this.chunkOf(unit);
      for (let back = 0; back < length; back++) if (runs.has(chunk - back)) return true;
      return false;
    };
    let kept = 0;
    let count = 0;
    for (let unit = i32[pool + POOL_HEAD]; unit !== 0; ) {
      const next = i32[unit * UNIT_WORDS];
      if (!inRun(unit)) {
        i32[unit * UNIT_WORDS] = kept;
        kept = unit;
        count++;
      }
      unit = next;
    }
    i32[pool + POOL_HEAD] = kept;
    i32[pool + POOL_COUNT] = count;
  }
}
