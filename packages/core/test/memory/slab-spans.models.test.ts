/** The slab's chunks under every schedule, and when a thread dies in the middle of cutting or merging. */

import {
  type ExploreOptions,
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
} from "@heddle/testkit";
import { describe, test } from "vitest";
import {
  CHUNK_FOOT,
  CHUNK_NEXT,
  CHUNK_SPAN,
  CHUNK_WORDS,
  SLAB_BIN_COUNT,
  SLAB_BIN_MAP,
  SLAB_BINS,
  SLAB_FREE_CHUNKS,
  SLAB_LOCK,
  SLAB_TOP,
  type SlabLayout,
} from "../../src/memory/layout.ts";
import { SlabSpans } from "../../src/memory/slab-spans.ts";
import { lockIsFree, withFault } from "../support/model-memory.ts";

const CHUNKS = 8;
const RECORDS = SLAB_BINS + SLAB_BIN_COUNT;
const layout: SlabLayout = { chunks: CHUNKS, state: 0, chunkRecords: RECORDS, marks: 0, data: 0, words: 0 };

type Live = [span: number, chunks: number][];

const spansOf = ({ i32 }: ModelMemory, thread: number): SlabSpans => new SlabSpans(i32, layout, thread);
const record = (chunk: number): number => RECORDS + chunk * CHUNK_WORDS;

/** Takes spans of some lengths, gives the named ones back, and keeps the rest. */
const using =
  (thread: number, lengths: readonly number[], given: readonly number[]) =>
  (memory: ModelMemory): Live => {
    const spans = spansOf(memory, thread);
    const taken = lengths.map((length): [number, number] => [spans.take(length, 0), length]);
    for (const place of given) {
      const span = taken[place]?.[0] ?? -1;
      if (span >= 0) spans.give(span);
    }
    return taken.filter(([span], place) => span >= 0 && !given.includes(place));
  };

/** The free spans of the row, by their first chunks. Throws if the row cannot be walked. */
function freeInRow({ i32 }: ModelMemory): Map<number, number> {
  const free = new Map<number, number>();
  const top = i32[SLAB_TOP];
  for (let chunk = 0; chunk < top; ) {
    const length = i32[record(chunk) + CHUNK_SPAN];
    if (length === 0 || chunk + Math.abs(length) > top)
      throw new Error(`chunk ${chunk} begins ${length} of ${top}`);
    const foot = i32[record(chunk + Math.abs(length) - 1) + CHUNK_FOOT];
    if (foot !== Math.max(0, length)) throw new Error(`the span of ${length} at ${chunk} ends with ${foot}`);
    if (length > 0) free.set(chunk, length);
    chunk += Math.abs(length);
  }
  return free;
}

/** Bins, their map and the counter say what the row says. */
function checkBins(memory: ModelMemory, free: ReadonlyMap<number, number>): void {
  const { i32 } = memory;
  const found: number[] = [];
  for (let bin = 0; bin < SLAB_BIN_COUNT; bin++) {
    const mapped = ((i32[SLAB_BIN_MAP + (bin >>> 5)] >>> (bin & 31)) & 1) === 1;
    if (mapped !== (i32[SLAB_BINS + bin] !== 0)) throw new Error(`bin ${bin} and its bit disagree`);
    for (let link = i32[SLAB_BINS + bin]; link !== 0; link = i32[record(link - 1) + CHUNK_NEXT])
      found.push(link - 1);
  }
  const [inBins, inRow] = [found.sort((a, b) => a - b).join(), [...free.keys()].join()];
  if (inBins !== inRow) throw new Error(`free in bins: ${inBins}; in the row: ${inRow}`);
  const chunks = [...free.values()].reduce((sum, length) => sum + length, 0);
  if (i32[SLAB_FREE_CHUNKS] !== chunks)
    throw new Error(`${i32[SLAB_FREE_CHUNKS]} chunks counted, ${chunks} free`);
}

function checkSpans(memory: ModelMemory, live: (Live | undefined)[]): void {
  if (memory.i32[SLAB_LOCK] !== 0) throw new Error("the lock is held");
  checkBins(memory, freeInRow(memory));
  const users = new Map<number, number>();
  for (const [span, length] of live.flatMap((spans) => spans ?? [])) {
    if (memory.i32[record(span) + CHUNK_SPAN] !== -length)
      throw new Error(`span ${span} is not the ${length} taken`);
    for (let chunk = span; chunk < span + length; chunk++) users.set(chunk, (users.get(chunk) ?? 0) + 1);
  }
  for (const [chunk, count] of users)
    if (count > 1) throw new Error(`chunk ${chunk} is in use ${count} times`);
}

function exploreSpans(
  threads: ExploreOptions<undefined, (Live | undefined)[]>["threads"],
  options: Partial<ExploreOptions<undefined, (Live | undefined)[]>> = {},
): ExploreResult {
  return explore<(Live | undefined)[], undefined>({
    words: record(CHUNKS),
    threads,
    check: (memory, results) => checkSpans(memory, results.slice(0, 2)),
    preemptions: 2,
    plainAccessesAreSteps: true,
    ...options,
  });
}

describe("spans of chunks", () => {
  test("two threads cut and merge, and no chunk is lost or doubled", () => {
    expectNoFailure(exploreSpans([using(0, [2, 1], [0]), using(1, [1, 2], [0])]));
    expectNoFailure(exploreSpans([using(0, [3, 2], [0, 1]), using(1, [3, 1], [1, 0])]));
  });

  test("a thread that dies anywhere leaves a row that can be put right", () => {
    const repair = (memory: ModelMemory): Live => {
      spansOf(memory, 2).repairAfter(0);
      return [];
    };
    const survivor = using(1, [1, 2], [0]);
    for (const dying of [
      using(0, [2, 1], [0, 1]),
      using(0, [1, 1, 1], [0, 2, 1]),
      using(0, [3, 1, 1], [0, 1]),
    ]) {
      expectNoFailure(exploreSpans([dying, survivor], { kill: { thread: 0, repair }, preemptions: 1 }));
    }
  });

  test("a repair that only unlocks is not enough", () => {
    const repair = ({ i32 }: ModelMemory): Live => {
      Atomics.store(i32, SLAB_LOCK, 0);
      return [];
    };
    const threads = [using(0, [1, 1, 1], [0, 2, 1]), using(1, [1], [])];
    expectFailure(exploreSpans(threads, { kill: { thread: 0, repair }, preemptions: 1 }));
  });

  test("without the lock chunks are lost or doubled", () => {
    expectFailure(
      exploreSpans([withFault(lockIsFree(SLAB_LOCK), using(0, [2, 1], [0])), using(1, [1, 2], [0])]),
    );
  });
});
