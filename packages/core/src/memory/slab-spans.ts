/**
 * The slab's large blocks: spans of whole chunks.
 *
 * A buddy allocator was the first thought. It rounds a value of 64 MiB and a few header bytes up to 128 MiB,
 * which leaves room for seven in 1 GiB; spans of 32 KiB chunks leave room for fifteen and split and merge as
 * cheaply. The memory is a row of spans, free and taken, and a part at the end that was never used:
 *
 * ```
 * ┌──────┬───────────┬──────┬───────────────┬─────────────────────┐
 * │ taken│ free      │ taken│ taken         │ untouched           │
 * └──────┴───────────┴──────┴───────────────┴─────────────────────┘
 *   -1     3 . foot 3  -1     -4                 ↑ SLAB_TOP
 * ```
 *
 * The first chunk of a span holds its length (CHUNK_SPAN), negative while it is taken. The last chunk of a
 * free span holds the length again (CHUNK_FOOT), that of a taken one holds 0 there, so that the span behind
 * finds its neighbour. Free spans stand in bins by length: one for each length up to 16, then four to each
 * power of two. Two free spans are never neighbours, and a free span never ends at SLAB_TOP: `give` merges.
 *
 * Everything happens under SLAB_LOCK. Any thread may die there, so the row of CHUNK_SPAN words is kept
 * walkable: cutting a span writes the rest's length before its own, merging writes one length, and SLAB_TOP
 * moves after the span before it is described. Bins, feet and counters can be had from the row again:
 * `rebuild`.
 */

import {
  CHUNK_FOOT,
  CHUNK_NEXT,
  CHUNK_PREV,
  CHUNK_SPAN,
  CHUNK_WORDS,
  SLAB_BIN_COUNT,
  SLAB_BIN_MAP,
  SLAB_BINS,
  SLAB_FREE_CHUNKS,
  SLAB_LOCK,
  SLAB_TOP,
  type SlabLayout,
} from "./layout.ts";
import { acquire, release, releaseIfHeldBy } from "./thread-lock.ts";

/** Lengths that have a bin of their own; a power of two. */
const EXACT = 16;
const EXACT_BITS = 4;

/** The bin a free span of so many chunks stands in. */
function binOf(chunks: number): number {
  if (chunks <= EXACT) return chunks - 1;
  const power = 31 - Math.clz32(chunks);
  return Math.min(SLAB_BIN_COUNT - 1, EXACT + (power - EXACT_BITS) * 4 + ((chunks >>> (power - 2)) & 3));
}

/** One thread's access to the chunks. Chunks are numbered from 0. */
export class SlabSpans {
  private readonly i32: Int32Array;
  private readonly owner: number;
  private readonly state: number;
  private readonly records: number;
  /** Chunks in all. */
  readonly chunks: number;

  constructor(i32: Int32Array, layout: SlabLayout, owner: number) {
    this.i32 = i32;
    this.owner = owner;
    this.state = layout.state;
    this.records = layout.chunkRecords;
    this.chunks = layout.chunks;
  }

  /**
   * First of `count` neighbouring chunks that nobody else has; -1 when there are none. `use` is remembered
   * for `forEachTaken`.
   */
  take(count: number, use: number): number {
    const { i32, state } = this;
    acquire(i32, state + SLAB_LOCK, this.owner);
    let span = this.findFree(count);
    if (span >= 0) this.cut(span, count);
    else span = this.extendTop(count);
    if (span >= 0) i32[this.record(span) + CHUNK_PREV] = use;
    release(i32, state + SLAB_LOCK);
    return span;
  }

  /** Gives a taken span back, by its first chunk. */
  give(span: number): void {
    const { i32, state } = this;
    acquire(i32, state + SLAB_LOCK, this.owner);
    this.merge(span);
    release(i32, state + SLAB_LOCK);
  }

  /** Chunks of the taken span that begins at `span`; 0 or less when none does. */
  lengthOf(span: number): number {
    return -this.i32[this.record(span) + CHUNK_SPAN];
  }

  /** Chunks in no span that is taken. Exact only while nobody takes or gives. */
  freeChunks(): number {
    return this.chunks - this.i32[this.state + SLAB_TOP] + this.i32[this.state + SLAB_FREE_CHUNKS];
  }

  /** Calls `visit` with first chunk, length and use of every taken span; under the lock. */
  forEachTaken(visit: (span: number, length: number, use: number) => void): void {
    const { i32, state } = this;
    acquire(i32, state + SLAB_LOCK, this.owner);
    for (let span = 0; span < i32[state + SLAB_TOP]; ) {
      const length = i32[this.record(span) + CHUNK_SPAN];
      if (length < 0) visit(span, -length, i32[this.record(span) + CHUNK_PREV]);
      span += Math.abs(length);
    }
    release(i32, state + SLAB_LOCK);
  }

  /**
   * Takes the lock from a thread that died, and puts right what it left half done. False if it did not hold
   * the lock.
   */
  repairAfter(owner: number): boolean {
    const { i32, state } = this;
    if (Atomics.load(i32, state + SLAB_LOCK) !== owner + 1) return false;
    this.rebuild();
    return releaseIfHeldBy(i32, state + SLAB_LOCK, owner);
  }

  // ── under the lock ──

  /** A free span of `count` chunks or more, as short as the bins tell; -1 for none. */
  private findFree(count: number): number {
    const own = binOf(count);
    if (count > EXACT) {
      const found = this.searchBin(own, count);
      if (found >= 0) return found;
    }
    const bin = this.firstBinFrom(count > EXACT ? own + 1 : own);
    return bin < 0 ? -1 : this.i32[this.state + SLAB_BINS + bin] - 1;
  }

  /** Above EXACT the spans of one bin differ in length. */
  private searchBin(bin: number, count: number): number {
    const { i32 } = this;
    for (let link = i32[this.state + SLAB_BINS + bin]; link !== 0; ) {
      const record = this.record(link - 1);
      if (i32[record + CHUNK_SPAN] >= count) return link - 1;
      link = i32[record + CHUNK_NEXT];
    }
    return -1;
  }

  /** The first bin from `bin` on that holds a span; -1 for none. */
  private firstBinFrom(bin: number): number {
    for (let word = bin >>> 5; word < SLAB_BIN_COUNT / 32; word++) {
      let bits = this.i32[this.state + SLAB_BIN_MAP + word];
      if (word === bin >>> 5) bits &= -1 << (bin & 31);
      if (bits !== 0) return word * 32 + 31 - Math.clz32(bits & -bits);
    }
    return -1;
  }

  /** Takes the first `count` chunks of a free span and leaves the rest free. */
  private cut(span: number, count: number): void {
    const { i32 } = this;
    const length = i32[this.record(span) + CHUNK_SPAN];
    this.unlink(span, length);
    const rest = length - count;
    // The rest first: a walk that still reads the whole length here never looks at it.
    if (rest > 0) this.link(span + count, rest);
    i32[this.record(span + count - 1) + CHUNK_FOOT] = 0;
    i32[this.record(span) + CHUNK_SPAN] = -count;
  }

  /** Takes chunks that were never used; -1 when too few are left. */
  private extendTop(count: number): number {
    const { i32, state } = this;
    const top = i32[state + SLAB_TOP];
    if (top + count > this.chunks) return -1;
    const record = this.record(top);
    i32[record + CHUNK_SPAN] = -count;
    i32[this.record(top + count - 1) + CHUNK_FOOT] = 0;
    i32[state + SLAB_TOP] = top + count;
    return top;
  }

  /** Frees a span together with the free ones before and behind it. */
  private merge(span: number): void {
    const { i32, state } = this;
    let first = span;
    let end = span - i32[this.record(span) + CHUNK_SPAN];
    const before = first > 0 ? i32[this.record(first - 1) + CHUNK_FOOT] : 0;
    if (before > 0) {
      first -= before;
      this.unlink(first, before);
    }
    const behind = end < i32[state + SLAB_TOP] ? i32[this.record(end) + CHUNK_SPAN] : 0;
    if (behind > 0) {
      this.unlink(end, behind);
      end += behind;
    }
    if (end === i32[state + SLAB_TOP]) i32[state + SLAB_TOP] = first;
    else this.link(first, end - first);
  }

  /** Describes a free span and puts it into its bin. */
  private link(span: number, length: number): void {
    const { i32, state } = this;
    const bin = binOf(length);
    const head = state + SLAB_BINS + bin;
    const record = this.record(span);
    const next = i32[head];
    i32[record + CHUNK_PREV] = 0;
    i32[record + CHUNK_NEXT] = next;
    if (next !== 0) i32[this.record(next - 1) + CHUNK_PREV] = span + 1;
    i32[head] = span + 1;
    i32[state + SLAB_BIN_MAP + (bin >>> 5)] |= 1 << (bin & 31);
    i32[this.record(span + length - 1) + CHUNK_FOOT] = length;
    i32[record + CHUNK_SPAN] = length;
    i32[state + SLAB_FREE_CHUNKS] += length;
  }

  /** Takes a free span out of its bin; its description stays. */
  private unlink(span: number, length: number): void {
    const { i32, state } = this;
    const bin = binOf(length);
    const record = this.record(span);
    const prev = i32[record + CHUNK_PREV];
    const next = i32[record + CHUNK_NEXT];
    if (next !== 0) i32[this.record(next - 1) + CHUNK_PREV] = prev;
    if (prev !== 0) i32[this.record(prev - 1) + CHUNK_NEXT] = next;
    else i32[state + SLAB_BINS + bin] = next;
    if (i32[state + SLAB_BINS + bin] === 0) i32[state + SLAB_BIN_MAP + (bin >>> 5)] &= ~(1 << (bin & 31));
    i32[state + SLAB_FREE_CHUNKS] -= length;
  }

  /** Makes bins, feet and counters anew from the row of lengths. */
  private rebuild(): void {
    const { i32, state } = this;
    i32.fill(0, state + SLAB_BIN_MAP, state + SLAB_BINS + SLAB_BIN_COUNT);
    i32[state + SLAB_FREE_CHUNKS] = 0;
    const top = i32[state + SLAB_TOP];
    for (let span = 0; span < top; ) {
      const length = Math.abs(i32[this.record(span) + CHUNK_SPAN]);
      if (length === 0 || span + length > top) {
        throw new Error(`rebuild: chunk ${span} of ${top} begins a span of ${length} chunks`);
      }
      i32[this.record(span + length - 1) + CHUNK_FOOT] = 0;
      if (i32[this.record(span) + CHUNK_SPAN] > 0) this.link(span, length);
      span += length;
    }
  }

  private record(chunk: number): number {
    return this.records + chunk * CHUNK_WORDS;
  }
}
