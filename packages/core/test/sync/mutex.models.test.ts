/** The mutex under every schedule. */

import {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ThreadFunction,
} from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { MUTEX_STATE, MUTEX_USES, MUTEX_WAITERS } from "../../src/memory/layout.ts";
import { LockWait, tryTake, unlock, unlockUse } from "../../src/sync/mutex-protocol.ts";
import { casTears, lockIsFree, withFault } from "../support/model-memory.ts";
import { COUNT, LOCK, ModelGoroutine, RECORD, WORDS } from "./sync-model.ts";

type Thread = ThreadFunction<unknown, number>;

const STATE = RECORD + MUTEX_STATE;

/** Time that makes every waiter one that has waited too long: each look at the clock is 2 ms later. */
const impatient = (): (() => number) => {
  let now = 0;
  return () => (now += 2);
};
const patient = (): (() => number) => () => 0;

/** Locks and unlocks; returns how often it was inside. */
const locking =
  (number: number, clock = patient, times = 1): Thread =>
  (memory) => {
    for (let i = 0; i < times; i++) {
      const goroutine = new ModelGoroutine(memory, number, clock());
      goroutine.wait(new LockWait(goroutine.thread, RECORD));
      goroutine.enter();
      unlock(goroutine.thread, RECORD);
    }
    return times;
  };

/** Is cancelled as soon as it queues, or when it would have to queue again. */
const canceled =
  (number: number, clock = patient, when: "waitCanceled" | "waitOnce" = "waitCanceled"): Thread =>
  (memory) => {
    const goroutine = new ModelGoroutine(memory, number, clock());
    const wait = new LockWait(goroutine.thread, RECORD);
    if (!goroutine[when](wait)) return 0;
    goroutine.enter();
    unlockUse(goroutine.thread, RECORD, wait.use);
    return 1;
  };

const trying =
  (number: number): Thread =>
  (memory) => {
    const goroutine = new ModelGoroutine(memory, number);
    const use = tryTake(memory.i32, RECORD);
    if (use === 0) return 0;
    goroutine.enter();
    unlockUse(goroutine.thread, RECORD, use);
    return 1;
  };

function exploreMutex(threads: readonly Thread[], preemptions = 3): ExploreResult {
  return explore<number[], undefined>({
    words: WORDS,
    threads: [...threads],
    preemptions,
    name: (word) => ({ [STATE]: "state", [LOCK]: "lock" })[word],
    check: ({ i32 }, results) => {
      expect(i32[COUNT]).toBe(results.reduce((sum, times) => sum + times, 0));
      expect({ state: i32[STATE], first: i32[RECORD + MUTEX_WAITERS] }).toEqual({
        state: 0,
        first: 0,
      });
      // Uses are numbered evenly: the odd ones are for locks that were taken from the dead.
      expect(i32[RECORD + MUTEX_USES]).toBe(2 * (i32[COUNT] as number));
    },
  });
}

describe("mutex", () => {
  test("one at a time, and everybody gets it: two goroutines, every schedule", () => {
    expectNoFailure(exploreMutex([locking(1), locking(2)], Infinity));
    expectNoFailure(exploreMutex([locking(1, impatient), locking(2, impatient)], Infinity));
  });

  test("one at a time, and everybody gets it: three goroutines", () => {
    expectNoFailure(exploreMutex([locking(1), locking(2), locking(3)], 2));
  });

  test("the same when waiting makes them starve, so that the lock is handed over", () => {
    expectNoFailure(exploreMutex([locking(1, impatient), locking(2, impatient), locking(3, impatient)], 2));
    expectNoFailure(exploreMutex([locking(1, patient, 2), locking(2, impatient)], 3));
  });

  test("one that is cancelled neither keeps the lock nor takes a wake-up along", () => {
    expectNoFailure(exploreMutex([locking(1), canceled(2)], Infinity));
    expectNoFailure(exploreMutex([locking(1), canceled(2), locking(3)], 2));
    expectNoFailure(exploreMutex([locking(1, impatient), canceled(2, impatient), locking(3, impatient)], 2));
  });

  test("one that was woken and is cancelled instead of waiting once more wakes the next", () => {
    expectNoFailure(exploreMutex([locking(1, patient, 2), canceled(2, patient, "waitOnce"), locking(3)], 3));
  });

  test("tryLock comes between", () => {
    expectNoFailure(exploreMutex([locking(1), locking(2), trying(3)], 2));
  });

  test("finds a lock word that is written without comparing", () => {
    expectFailure(
      exploreMutex([withFault(casTears(STATE), locking(1)), locking(2)]),
      /two are inside|deadlock|unlock|toBe|toEqual/i,
    );
  });

  test("finds a queue that nobody guards", () => {
    expectFailure(
      exploreMutex([
        withFault(lockIsFree(LOCK), locking(1)),
        withFault(lockIsFree(LOCK), locking(2)),
        locking(3),
      ]),
    );
  });

  test("finds an unlock that does not look whether somebody waits", () => {
    const careless: Thread = (memory) => {
      const goroutine = new ModelGoroutine(memory, 1);
      goroutine.wait(new LockWait(goroutine.thread, RECORD));
      goroutine.enter();
      Atomics.store(memory.i32, STATE, 0);
      return 1;
    };
    expectFailure(exploreMutex([careless, locking(2)]), /deadlock/);
  });
});
