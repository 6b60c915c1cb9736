import fc from "fast-check";
import { expect, it } from "vitest";
import { CHUNK_SPAN, CHUNK_WORDS, SLAB_TOP, slabLayoutFor } from "../../src/memory/layout.ts";
import { SlabSpans } from "../../src/memory/slab-spans.ts";

const CHUNKS = 300;

function spansOver(chunks: number): { i32: Int32Array; spans: SlabSpans } {
  const layout = slabLayoutFor(0, chunks * 32 * 1024);
  const i32 = new Int32Array(new SharedArrayBuffer(layout.marks * 4));
  return { i32, spans: new SlabSpans(i32, layout, 0) };
}

/** The row of spans as it stands in memory. */
function row(i32: Int32Array): number[] {
  const layout = slabLayoutFor(0, CHUNKS * 32 * 1024);
  const found: number[] = [];
  for (let chunk = 0; chunk < i32[SLAB_TOP]; chunk += Math.abs(found.at(-1) as number)) {
    found.push(i32[layout.chunkRecords + chunk * CHUNK_WORDS + CHUNK_SPAN]);
  }
  return found;
}

it("merges a freed span with its neighbours on both sides", () => {
  const { i32, spans } = spansOver(CHUNKS);
  const taken = [3, 5, 7, 2].map((count) => spans.take(count, 0));
  spans.give(taken[0] as number);
  spans.give(taken[2] as number);
  expect(row(i32)).toEqual([3, -5, 7, -2]);
  spans.give(taken[1] as number);
  expect(row(i32)).toEqual([15, -2]);
  spans.give(taken[3] as number);
  expect(row(i32)).toEqual([]);
  expect(spans.freeChunks()).toBe(CHUNKS);
});

it("fills a gap before it goes on to untouched chunks", () => {
  const { spans } = spansOver(CHUNKS);
  const taken = [40, 1, 40, 1].map((count) => spans.take(count, 0));
  spans.give(taken[0] as number);
  spans.give(taken[2] as number);
  expect(spans.take(40, 0)).not.toBe(82);
  expect(spans.take(39, 0)).not.toBe(82);
  expect(spans.take(2, 0)).toBe(82);
});

it("finds a span that fits among shorter ones of the same bin", () => {
  const { spans } = spansOver(CHUNKS);
  const lengths = [16, 17, 18, 19];
  const taken = lengths.map((count) => [spans.take(count, 0), spans.take(1, 0)] as const);
  for (const [span] of taken) spans.give(span);
  const top = spans.take(CHUNKS - 74, 0);
  expect(top).toBe(74);
  expect(spans.take(19, 0)).toBe(taken[3]?.[0]);
  expect(spans.take(18, 0)).toBe(taken[2]?.[0]);
  expect(spans.take(18, 0)).toBe(-1);
});

it("keeps neighbours, bins and counters right under random use", () => {
  const step = fc.record({ give: fc.boolean(), count: fc.integer({ min: 1, max: 60 }), pick: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.boolean(), (steps, repair) => {
      const { i32, spans } = spansOver(CHUNKS);
      const live = new Map<number, number>();
      for (const { give, count, pick } of steps) {
        const keys = [...live.keys()];
        if (give && keys.length > 0) {
          const span = keys[pick % keys.length] as number;
          spans.give(span);
          live.delete(span);
        } else {
          const span = spans.take(count, 0);
          if (span >= 0) live.set(span, count);
        }
        if (repair && pick % 7 === 0) {
          i32[0] = 1;
          expect(spans.repairAfter(0)).toBe(true);
        }
        const lengths = row(i32);
        for (let i = 1; i < lengths.length; i++)
          expect((lengths[i - 1] as number) > 0 && (lengths[i] as number) > 0).toBe(false);
        expect(lengths.at(-1) ?? -1).toBeLessThan(0);
        const used = [...live.values()].reduce((sum, length) => sum + length, 0);
        expect(spans.freeChunks()).toBe(CHUNKS - used);
        for (const [span, length] of live) expect(spans.lengthOf(span)).toBe(length);
      }
    }),
    { numRuns: 100 },
  );
});
