import { expectNoFailure, explore, type ModelMemory } from "@heddle/testkit";
import { expect, test } from "vitest";
import { GOID_BATCH, nextGoroutineId } from "../../src/goroutine/identity.ts";
import { CACHE_WORDS, SCHED_BASE, SCHED_GOID_BATCH, SCHED_WORDS } from "../../src/memory/layout.ts";

const CACHES = SCHED_BASE + SCHED_WORDS;
const cacheOf = (owner: number): number => CACHES + owner * CACHE_WORDS;

function newMemory(): { i32: Int32Array; f64: Float64Array } {
  const buffer = new SharedArrayBuffer((CACHES + 4 * CACHE_WORDS) * 4);
  return { i32: new Int32Array(buffer), f64: new Float64Array(buffer) };
}

test("one owner's ids count up from 1, over the end of a batch", () => {
  const { i32, f64 } = newMemory();
  const ids = Array.from({ length: 2 * GOID_BATCH + 3 }, () => nextGoroutineId(i32, f64, cacheOf(0)));
  expect(ids).toEqual(ids.map((_, i) => i + 1));
  expect(i32[SCHED_GOID_BATCH]).toBe(3);
});

test("no two owners get the same id, whatever the order in which they ask", () => {
  const { i32, f64 } = newMemory();
  const seen = new Set<number>();
  for (let i = 0; i < 5000; i++) seen.add(nextGoroutineId(i32, f64, cacheOf((i * 7) % 3)));
  expect(seen.size).toBe(5000);
});

test("no two threads that take batches at the same time get the same one", () => {
  const take =
    (owner: number) =>
    ({ i32, f64 }: ModelMemory) =>
      nextGoroutineId(i32, f64, cacheOf(owner));
  const result = explore({
    words: CACHES + 4 * CACHE_WORDS,
    threads: [take(0), take(1), take(2)],
    check: (_memory, ids) => expect(new Set(ids).size).toBe(3),
    preemptions: Infinity,
  });
  expectNoFailure(result);
});

test("ids beyond 32 bits are whole and still grow", () => {
  const { i32, f64 } = newMemory();
  i32[SCHED_GOID_BATCH] = -1; // 2^32 − 1 batches were taken
  const id = nextGoroutineId(i32, f64, cacheOf(0));
  expect(id).toBe((2 ** 32 - 1) * GOID_BATCH + 1);
  expect(nextGoroutineId(i32, f64, cacheOf(0))).toBe(id + 1);
  expect(Number.isSafeInteger(id + GOID_BATCH)).toBe(true);
});
