/** The semaphore under every schedule. */

import {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ThreadFunction,
} from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { SEM_FREE, SEM_PERMITS, SEM_WAITERS } from "../../src/memory/layout.ts";
import { abandon, give, queueFor, tryTake } from "../../src/sync/semaphore-protocol.ts";
import { casTears, lockIsFree, withFault } from "../support/model-memory.ts";
import { INSIDE, LOCK, ModelGoroutine, type ModelWait, RECORD, WORDS } from "./sync-model.ts";

type Thread = ThreadFunction<unknown, void>;

const FREE = RECORD + SEM_FREE;
const PERMITS = 2;

const waitFor = ({ thread }: ModelGoroutine, n: number): ModelWait => ({
  attempt: () => tryTake(thread.i32, RECORD, n),
  enqueue: (goroutine, base) => queueFor(thread, RECORD, n, goroutine, base),
  resume: () => true,
  abandon: (base) => abandon(thread, RECORD, base),
});

function use({ thread, memory: { i32 } }: ModelGoroutine, n: number): void {
  const inUse = Atomics.add(i32, INSIDE, n) + n;
  if (inUse > PERMITS) throw new Error(`${inUse} permits are in use`);
  Atomics.sub(i32, INSIDE, n);
  give(thread, RECORD, n);
}

const taking =
  (number: number, n: number): Thread =>
  (memory) => {
    const goroutine = new ModelGoroutine(memory, number);
    goroutine.wait(waitFor(goroutine, n));
    use(goroutine, n);
  };

const canceled =
  (number: number, n: number): Thread =>
  (memory) => {
    const goroutine = new ModelGoroutine(memory, number);
    if (goroutine.waitCanceled(waitFor(goroutine, n))) use(goroutine, n);
  };

function exploreSemaphore(threads: readonly Thread[], preemptions = 2): ExploreResult {
  return explore<void[], undefined>({
    words: WORDS,
    setup: ({ i32 }) => {
      i32[FREE] = PERMITS;
      i32[RECORD + SEM_PERMITS] = PERMITS;
      return undefined;
    },
    threads: [...threads],
    preemptions,
    name: (word) => ({ [FREE]: "free", [LOCK]: "lock" })[word],
    check: ({ i32 }) => expect([i32[FREE], i32[RECORD + SEM_WAITERS]]).toEqual([PERMITS, 0]),
  });
}

describe("semaphore", () => {
  test("never more permits out than there are, and everybody gets theirs: two goroutines, every schedule", () => {
    expectNoFailure(exploreSemaphore([taking(1, 2), taking(2, 1)], Infinity));
    expectNoFailure(exploreSemaphore([taking(1, 2), taking(2, 2)], Infinity));
  });

  test("the same with three", () => {
    expectNoFailure(exploreSemaphore([taking(1, 2), taking(2, 1), taking(3, 1)]));
    expectNoFailure(exploreSemaphore([taking(1, 1), taking(2, 2), taking(3, 1)]));
  });

  test("one that is cancelled takes no permits along and lets those behind it be served", () => {
    expectNoFailure(exploreSemaphore([taking(1, 1), canceled(2, 2)], Infinity));
    expectNoFailure(exploreSemaphore([taking(1, 1), canceled(2, 2), taking(3, 1)]));
    expectNoFailure(exploreSemaphore([taking(1, 2), canceled(2, 1), taking(3, 2)]));
  });

  test("finds permits that are counted in two steps", () => {
    expectFailure(
      exploreSemaphore([
        withFault(casTears(FREE), taking(1, 1)),
        withFault(casTears(FREE), taking(2, 1)),
        taking(3, 2),
      ]),
    );
  });

  test("finds a queue that nobody guards", () => {
    expectFailure(
      exploreSemaphore([1, 2, 3].map((number) => withFault(lockIsFree(LOCK), taking(number, 2)))),
    );
  });
});
