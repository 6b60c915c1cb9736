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
 * A block has no header. A byte for each unit of 64 bytes says whether a block in use begins there and of
 * what class, so the block can be filled to the last byte, nothing written into it can mislead `give`, and a
 * wrong or repeated `give` is seen at once. The byte is written plainly: only the block's one user touches
 * it, and whoever gets the block from him gets it through an atomic step.
 *
 * When memory runs out, runs whose blocks are all free go back to the chunks: what one size no longer needs,
 * another can have. Blocks in other threads' caches are out of reach for that, a few batches each.
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
  /**
   * Tries to make room when there is none: true if it may have. Blocks may be given back meanwhile, from
   * here, too.
   */
  whenFull: (() => boolean) | undefined = undefined;

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
   * A block of at least `bytes` bytes that nobody else has: the byte at which it begins, a multiple of 64. 0
   * when there is no room. It holds what its last user left.
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

  /**
   * Gives a class fresh chunks to cut blocks from. Runs under the class's lock, and takes that of the chunks.
   */
  private addRun(sizeClass: number): void {
    const chunk = this.spans.take(runChunks(sizeClass), sizeClass + 1);
    if (chunk < 0) return;
    const pool = this.poolRecords + sizeClass * POOL_WORDS;
    const first = this.unitOf(chunk);
    // No limit in between: a thread that dies there leaves a class that asks for another run.
    this.i32[pool + POOL_LIMIT] = 0;
    this.i32[pool + POOL_BUMP] = first;
    this.i32[pool + POOL_LIMIT] = first + runBlocks(sizeClass) * CLASS_UNITS[sizeClass];
  }

  private takeLarge(bytes: number): number {
    const count = Math.ceil(bytes / CHUNK_BYTES);
    if (!(count <= this.spans.chunks)) return 0;
    let chunk = this.spans.take(count, 0);
    if (chunk < 0 && this.reclaim()) chunk = this.spans.take(count, 0);
    if (chunk < 0) return this.takeWhenFull(bytes);
    const unit = this.unitOf(chunk);
    this.u8[this.marks + unit] = LARGE;
    return unit * UNIT;
  }

  /**
   * The class has nothing left and there was no chunk for a run: looks among other classes' free runs, then
   * their larger blocks.
   */
  private takeWhenEmpty(sizeClass: number): number {
    const first = this.reclaim() ? sizeClass : sizeClass + 1;
    for (let other = first; other < SLAB_CLASSES; other++) {
      const unit = this.pools[other].take();
      if (unit === 0) continue;
      this.u8[this.marks + unit] = other + 1;
      return unit * UNIT;
    }
    return this.takeWhenFull(CLASS_UNITS[sizeClass] * UNIT);
  }

  /** Once more, after others were asked to make room. */
  private takeWhenFull(bytes: number): number {
    const { whenFull } = this;
    if (whenFull === undefined) return 0;
    // Not again while trying: making room may itself look for some.
    this.whenFull = undefined;
    try {
      return whenFull() ? this.take(bytes) : 0;
    } finally {
      this.whenFull = whenFull;
    }
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

  /**
   * Gives runs that are wholly free back to the chunks. True if there were any. The marks are asked first: they
   * tell in 10 ms a GiB which runs have no block in use, where following the lists of free blocks may take a
   * second.
   */
  private reclaim(): boolean {
    this.flush();
    let found = false;
    for (const [sizeClass, runs] of this.unusedRuns()) {
      const pool = this.poolRecords + sizeClass * POOL_WORDS;
      acquire(this.i32, pool + POOL_LOCK, this.owner);
      if (this.reclaimAmong(runs, pool, sizeClass)) found = true;
      release(this.i32, pool + POOL_LOCK);
    }
    return found;
  }

  /**
   * By class, the first chunks of the runs that have no block in use. Their blocks may still be in other
   * threads' caches.
   */
  private unusedRuns(): Map<number, number[]> {
    const runs: [sizeClass: number, chunk: number][] = [];
    this.spans.forEachTaken((chunk, _, use) => {
      if (use > 0) runs.push([use - 1, chunk]);
    });
    const unused = new Map<number, number[]>();
    for (const [sizeClass, chunk] of runs) {
      if (!this.isUnused(chunk, sizeClass)) continue;
      const same = unused.get(sizeClass);
      if (same === undefined) unused.set(sizeClass, [chunk]);
      else same.push(chunk);
    }
    return unused;
  }

  /** Whether no block of a run is in use. Four marks are read at once; those inside a block are 0. */
  private isUnused(chunk: number, sizeClass: number): boolean {
    const first = (this.marks + this.unitOf(chunk)) / 4;
    const end = first + (runChunks(sizeClass) * SLAB_CHUNK_UNITS) / 4;
    for (let word = first; word < end; word++) if (this.i32[word] !== 0) return false;
    return true;
  }

  /** Gives back those of the runs whose blocks all stand in the list; under the class's lock. */
  private reclaimAmong(runs: readonly number[], pool: number, sizeClass: number): boolean {
    const { i32 } = this;
    this.listFreshBlocks(pool, sizeClass);
    if (i32[pool + POOL_COUNT] === i32[pool + POOL_SEARCHED]) return false;
    const runOf = new Map<number, number>();
    for (const run of runs) for (let i = 0; i < runChunks(sizeClass); i++) runOf.set(run + i, run);
    const free = this.countListed(runOf, pool);
    const whole = new Set(runs.filter((run) => free.get(run) === runBlocks(sizeClass)));
    if (whole.size > 0) this.unlist(runOf, whole, pool);
    for (const run of whole) this.spans.give(run);
    i32[pool + POOL_SEARCHED] = i32[pool + POOL_COUNT];
    return whole.size > 0;
  }

  /**
   * Puts the blocks of the present run that were never used into the list, so that all free blocks are found
   * there.
   */
  private listFreshBlocks(pool: number, sizeClass: number): void {
    const { i32 } = this;
    const limit = i32[pool + POOL_LIMIT];
    for (let unit = i32[pool + POOL_BUMP]; unit < limit; unit += CLASS_UNITS[sizeClass]) {
      i32[unit * UNIT_WORDS] = i32[pool + POOL_HEAD];
      i32[pool + POOL_HEAD] = unit;
      i32[pool + POOL_COUNT]++;
    }
    i32[pool + POOL_BUMP] = Math.max(i32[pool + POOL_BUMP], limit);
  }

  /** How many blocks of each run stand in the list. */
  private countListed(runOf: ReadonlyMap<number, number>, pool: number): Map<number, number> {
    const { i32 } = this;
    const counts = new Map<number, number>();
    for (let unit = i32[pool + POOL_HEAD]; unit !== 0; unit = i32[unit * UNIT_WORDS]) {
      const run = runOf.get(this.chunkOf(unit));
      if (run !== undefined) counts.set(run, (counts.get(run) ?? 0) + 1);
    }
    return counts;
  }

  /** Takes the blocks of some runs out of the list. */
  private unlist(runOf: ReadonlyMap<number, number>, runs: ReadonlySet<number>, pool: number): void {
    const { i32 } = this;
    let kept = 0;
    let count = 0;
    for (let unit = i32[pool + POOL_HEAD]; unit !== 0; ) {
      const next = i32[unit * UNIT_WORDS];
      if (!runs.has(runOf.get(this.chunkOf(unit)) ?? -1)) {
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
