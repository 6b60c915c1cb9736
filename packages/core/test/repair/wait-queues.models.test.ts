/** A thread dies after any of its writes to a queue of waiters: the repair leaves a whole queue, in which everybody stands who says so. */

import {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
} from "@heddle/testkit";
import { expect, test } from "vitest";
import {
  dequeueWaiter,
  enqueueWaiter,
  enqueueWaiterFirst,
  removeWaiter,
} from "../../src/goroutine/wait-queue.ts";
import { W_NEXT, W_PREVIOUS, W_QUEUED, W_WORDS } from "../../src/memory/layout.ts";
import { acquire, release, releaseIfHeldBy } from "../../src/memory/thread-lock.ts";
import { repairQueue } from "../../src/repair/wait-queues.ts";

const LOCK = 1;
const QUEUE = 2;
const waiter = (number: number): number => W_WORDS * number;
const WAITERS = [1, 2, 3, 4].map(waiter);
const [FIRST = 0, SECOND = 0, THIRD = 0, OWN = 0] = WAITERS;
const VICTIM = 0;

type Change = (i32: Int32Array) => void;

/** The waiters in the queue, from the front; throws if its links do not agree. */
function membersOf(i32: Int32Array): number[] {
  const found: number[] = [];
  let before = 0;
  for (let at = i32[QUEUE] as number; at !== 0; at = i32[at + W_NEXT] as number) {
    expect(i32[at + W_PREVIOUS]).toBe(before);
    found.push(at);
    before = at;
  }
  expect(i32[QUEUE + 1]).toBe(before);
  return found;
}

function exploreDeath(queued: readonly number[], change: Change, repair: Change): ExploreResult {
  return explore({
    words: W_WORDS * 5,
    setup: ({ i32 }: ModelMemory) => {
      for (const each of queued) enqueueWaiter(i32, QUEUE, each);
    },
    threads: [
      ({ i32 }: ModelMemory) => {
        acquire(i32, LOCK, VICTIM);
        change(i32);
        release(i32, LOCK);
      },
    ],
    kill: {
      thread: VICTIM,
      repair: ({ i32 }) => {
        if (Atomics.load(i32, LOCK) !== VICTIM + 1) return;
        repair(i32);
        releaseIfHeldBy(i32, LOCK, VICTIM);
      },
    },
    plainAccessesAreSteps: true,
    check: ({ i32 }) => {
      expect(i32[LOCK]).toBe(0);
      const members = membersOf(i32);
      // The dead thread's own waiter may say so without being found: nobody looks for it.
      const saying = WAITERS.filter((each) => each !== OWN && i32[each + W_QUEUED] === 1);
      expect(members.filter((each) => each !== OWN)).toEqual(saying);
    },
  });
}

const changes: [what: string, queued: readonly number[], change: Change][] = [
  ["the only one is taken", [FIRST], (i32) => void dequeueWaiter(i32, QUEUE, 0)],
  ["the first of three is taken", [FIRST, SECOND, THIRD], (i32) => void dequeueWaiter(i32, QUEUE, 0)],
  ["the one in the middle leaves", [FIRST, SECOND, THIRD], (i32) => void removeWaiter(i32, QUEUE, SECOND)],
  ["the last one leaves", [FIRST, SECOND, THIRD], (i32) => void removeWaiter(i32, QUEUE, THIRD)],
  ["one is put into an empty queue", [], (i32) => enqueueWaiter(i32, QUEUE, OWN)],
  ["one is put at the end", [FIRST, SECOND], (i32) => enqueueWaiter(i32, QUEUE, OWN)],
  ["one is put at the front", [FIRST, SECOND], (i32) => enqueueWaiterFirst(i32, QUEUE, OWN)],
  ["one is put at the front of an empty queue", [], (i32) => enqueueWaiterFirst(i32, QUEUE, OWN)],
];

test.each(changes)("%s", (_what, queued, change) => {
  expectNoFailure(exploreDeath(queued, change, (i32) => repairQueue(i32, QUEUE)));
});

test("a lock that is only released leaves a queue that is torn", () => {
  const take: Change = (i32) => void dequeueWaiter(i32, QUEUE, 0);
  expectFailure(
    exploreDeath([FIRST, SECOND], take, () => {}),
    /check/,
  );
});
