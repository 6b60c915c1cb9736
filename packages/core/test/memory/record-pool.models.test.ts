/** Record pools under every schedule: two caches that fetch from and give back to one list. */

import {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
  type ThreadFunction,
} from "@heddle/testkit";
import { describe, test } from "vitest";
import {
  CACHE_POOLS,
  CACHE_WORDS,
  POOL_BUMP,
  POOL_COUNT,
  POOL_HEAD,
  POOL_LOCK,
} from "../../src/memory/layout.ts";
import { type PoolRegion, RecordPool } from "../../src/memory/record-pool.ts";
import { expectEachOnce, type Fault, lockIsFree, withFault } from "../support/model-memory.ts";

const POOL = 0;
const RECORDS = 16;
const STRIDE = 2;
const CACHES = 64;
const CAPACITY = 7;

const region: PoolRegion = {
  kind: 0,
  pool: POOL,
  base: RECORDS,
  stride: STRIDE,
  capacity: CAPACITY,
  link: 0,
  batch: 2,
};
const setup = ({ i32 }: ModelMemory): void => {
  i32[POOL + POOL_BUMP] = 1;
};
const cacheOf = (thread: number): number => CACHES + thread * CACHE_WORDS;
const poolOf = ({ i32 }: ModelMemory, thread: number): RecordPool =>
  new RecordPool(i32, region, thread, cacheOf(thread));

const listFrom = ({ i32 }: ModelMemory, head: number): number[] => {
  const found: number[] = [];
  for (let record = i32[head]; record !== 0; record = i32[RECORDS + record * STRIDE]) found.push(record);
  return found;
};

/** Every record is in use, in one cache, in the list behind, or beyond the counter; the counts say how many. */
function checkRecords(memory: ModelMemory, inUse: number[][]): void {
  const { i32 } = memory;
  const places = [0, 1].map((thread) => listFrom(memory, cacheOf(thread) + CACHE_POOLS));
  const listed = listFrom(memory, POOL + POOL_HEAD).slice(0, i32[POOL + POOL_COUNT]);
  const fresh = Array.from({ length: CAPACITY - i32[POOL + POOL_BUMP] }, (_, i) => i32[POOL + POOL_BUMP] + i);
  expectEachOnce([...inUse.flat(), ...places.flat(), ...listed, ...fresh], CAPACITY - 1);
  places.forEach((place, thread) => {
    const count = i32[cacheOf(thread) + CACHE_POOLS + 1];
    if (count !== place.length) throw new Error(`cache ${thread} says ${count} and has ${place.length}`);
  });
}

/** Takes as many as it can, and keeps a few. */
const using =
  (thread: number, wanted: number, kept: number): ThreadFunction<void, number[]> =>
  (memory) => {
    const pool = poolOf(memory, thread);
    const taken: number[] = [];
    for (let i = 0; i < wanted; i++) {
      const record = pool.take();
      if (record !== 0) taken.push(record);
    }
    for (const record of taken.splice(kept)) pool.give(record);
    return taken;
  };

function explorePool(
  first: ThreadFunction<void, number[]>,
  second: ThreadFunction<void, number[]>,
  preemptions = 3,
): ExploreResult {
  return explore<number[][], void>({
    words: CACHES + 2 * CACHE_WORDS,
    setup,
    threads: [first, second],
    check: checkRecords,
    preemptions,
    plainAccessesAreSteps: true,
  });
}

describe("record pool", () => {
  test("two caches refill and spill, and no record is lost or doubled", () => {
    expectNoFailure(explorePool(using(0, 5, 0), using(1, 5, 0)));
    expectNoFailure(explorePool(using(0, 4, 1), using(1, 3, 2)));
  });

  test("when all are in use, one of the takers gets 0 and nothing breaks", () => {
    expectNoFailure(explorePool(using(0, 6, 6), using(1, 6, 6)));
  });

  test("an emptied cache goes to the other", () => {
    const flushing: ThreadFunction<void, number[]> = (memory, shared) => {
      const taken = using(0, 4, 1)(memory, shared);
      poolOf(memory, 0).flush();
      return taken;
    };
    expectNoFailure(explorePool(flushing, using(1, 6, 6)));
  });

  test("without its lock records are lost or doubled", () => {
    const unlocked: Fault = lockIsFree(POOL + POOL_LOCK);
    expectFailure(explorePool(withFault(unlocked, using(0, 5, 0)), using(1, 5, 0)));
    expectFailure(explorePool(using(0, 5, 0), withFault(unlocked, using(1, 3, 0))));
  });
});
