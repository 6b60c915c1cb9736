/** The thread lock under every schedule, and when its holder dies. */

import {
  type ExploreOptions,
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
} from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { acquire, release, releaseIfHeldBy, tryAcquire } from "../../src/memory/thread-lock.ts";
import { casStores, casTears, withFault } from "../support/model-memory.ts";

const LOCK = 0;
const INSIDE = 1;
const COUNT = 2;

const enter = ({ i32 }: ModelMemory): void => {
  if (Atomics.add(i32, INSIDE, 1) !== 0) throw new Error("two are inside");
  i32[COUNT]++;
  Atomics.sub(i32, INSIDE, 1);
};

const locked =
  (thread: number) =>
  (memory: ModelMemory): void => {
    acquire(memory.i32, LOCK, thread);
    enter(memory);
    release(memory.i32, LOCK);
  };

function exploreLock(
  threads: ExploreOptions<undefined, unknown[]>["threads"],
  options: Partial<ExploreOptions<undefined, unknown[]>> = {},
): ExploreResult {
  return explore<unknown[], undefined>({ words: 8, threads, preemptions: 3, ...options });
}

describe("thread lock", () => {
  const all = ({ i32 }: ModelMemory): void => expect([i32[LOCK], i32[COUNT]]).toEqual([0, 3]);

  test("one holder at a time, and everybody gets it", () => {
    const two = ({ i32 }: ModelMemory): void => expect([i32[LOCK], i32[COUNT]]).toEqual([0, 2]);
    expectNoFailure(exploreLock([locked(0), locked(1)], { check: two, preemptions: Infinity }));
    expectNoFailure(exploreLock([locked(0), locked(1), locked(2)], { check: all }));
  });

  test("one that has spun long enough naps, and comes back without being notified", () => {
    const check = ({ i32 }: ModelMemory): void => expect([i32[LOCK], i32[COUNT]]).toEqual([0, 2]);
    const slow = (memory: ModelMemory): void => {
      acquire(memory.i32, LOCK, 1);
      for (let i = 0; i < 4; i++) Atomics.add(memory.i32, INSIDE + 5, 1);
      enter(memory);
      release(memory.i32, LOCK);
    };
    // More reads before a spinner stands aside than the lock spins, so that schedules with naps are met.
    expectNoFailure(exploreLock([locked(0), slow], { check, spin: { reads: 120 }, preemptions: 2 }));
  });

  test("a try takes it only when it is free", () => {
    const trying = (memory: ModelMemory): boolean => {
      const taken = tryAcquire(memory.i32, LOCK, 1);
      if (taken) {
        enter(memory);
        release(memory.i32, LOCK);
      }
      return taken;
    };
    const seen = new Set<unknown>();
    const check = (_memory: ModelMemory, results: unknown[]): void => void seen.add(results[1]);
    expectNoFailure(exploreLock([locked(0), trying], { check }));
    expect(seen).toEqual(new Set([true, false]));
  });

  test("a dead holder's lock is taken from it, a living holder's is not", () => {
    const repair = ({ i32 }: ModelMemory): boolean => releaseIfHeldBy(i32, LOCK, 0);
    const dying = ({ i32 }: ModelMemory): void => {
      acquire(i32, LOCK, 0);
      i32[COUNT]++;
      release(i32, LOCK);
    };
    const check = ({ i32 }: ModelMemory): void => expect(i32[LOCK]).toBe(0);
    expectNoFailure(exploreLock([dying, locked(1)], { check, kill: { thread: 0, repair } }));
    expectFailure(exploreLock([dying, locked(1)], { check, kill: { thread: 0 } }));
    const repairWrongly = ({ i32 }: ModelMemory): void => void Atomics.store(i32, LOCK, 0);
    const inside = { check, kill: { thread: 0, repair: repairWrongly } };
    expectFailure(exploreLock([dying, locked(1), locked(2)], inside), /two are inside/);
  });

  test("taking it twice throws instead of waiting for ever", () => {
    const i32 = new Int32Array(new SharedArrayBuffer(32));
    acquire(i32, LOCK, 3);
    expect(() => acquire(i32, LOCK, 3)).toThrow("acquire: thread 3 already holds the lock at word 0");
    release(i32, LOCK);
    acquire(i32, LOCK, 3);
  });
});

describe("planted bugs in the lock are found", () => {
  test("a compare-and-swap that does not compare", () => {
    expectFailure(exploreLock([withFault(casStores(LOCK), locked(0)), locked(1)]), /two are inside/);
  });

  test("a compare-and-swap in two steps", () => {
    expectFailure(exploreLock([withFault(casTears(LOCK), locked(0)), locked(1)]), /two are inside/);
  });

  test("a release without the lock", () => {
    const releasing = ({ i32 }: ModelMemory): void => release(i32, LOCK);
    expectFailure(exploreLock([locked(0), locked(1), releasing]), /two are inside/);
  });
});
