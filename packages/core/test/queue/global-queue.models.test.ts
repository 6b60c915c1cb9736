/** The global queue under every schedule. */

import {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
} from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { GLOBAL_LOCK, GLOBAL_SIZE } from "../../src/memory/layout.ts";
import type { SharedMemory } from "../../src/memory/shared-memory.ts";
import { GlobalQueue } from "../../src/queue/global-queue.ts";
import { expectEachOnce, lockIsFree, modelMemory, modelWords, withFault } from "../support/model-memory.ts";

type Thread = (memory: ModelMemory, shared: SharedMemory) => number[];

const queueOf = ({ i32, layout }: SharedMemory, thread: number): GlobalQueue =>
  new GlobalQueue(i32, layout.goroutines, thread);

function popAll(queue: GlobalQueue, max = 8): number[] {
  const batch = new Int32Array(max);
  return Array.from(batch.subarray(0, queue.popBatch(batch, max)));
}

const pushing: Thread = (_memory, shared) => {
  const queue = queueOf(shared, 1);
  queue.push(1);
  queue.push(2);
  return [];
};
const chaining: Thread = (_memory, shared) => {
  queueOf(shared, 2).pushChain(Int32Array.of(3, 4, 5), 3);
  return [];
};
const poppingAs =
  (thread: number): Thread =>
  (_memory, shared) => {
    const queue = queueOf(shared, thread);
    return [...popAll(queue, 1), ...popAll(queue, 2)];
  };
const popping = poppingAs(3);

/** Whether what is in `expected` comes in that order. */
const expectOrder = (found: number[], expected: number[]): void =>
  expect(found.filter((g) => expected.includes(g))).toEqual(expected);

function exploreQueue(threads: readonly [Thread, Thread, Thread], poppers = 1): ExploreResult {
  return explore<number[][], SharedMemory>({
    words: modelWords(),
    setup: modelMemory,
    threads: [...threads],
    check: ({ i32 }, results, shared) => {
      const found = [...results.flat(), ...popAll(queueOf(shared, 0))];
      expectEachOnce(found, 5);
      // With two who pop, the order of their results says nothing.
      if (poppers === 1) expectOrder(found, [1, 2]);
      if (poppers === 1) expectOrder(found, [3, 4, 5]);
      expect(i32[GLOBAL_SIZE]).toBe(0);
    },
    preemptions: 3,
  });
}

describe("global queue", () => {
  test("nothing is lost or doubled, each pusher's goroutines keep their order, the size ends right", () => {
    expectNoFailure(exploreQueue([pushing, chaining, popping]));
    const chainingAndPopping: Thread = (memory, shared) => [
      ...chaining(memory, shared),
      ...poppingAs(2)(memory, shared),
    ];
    expectNoFailure(exploreQueue([pushing, popping, chainingAndPopping], 2));
  });

  test("a size that is seen has its goroutines behind it", () => {
    const seen: Thread = (_memory, shared) => {
      const queue = queueOf(shared, 3);
      const size = queue.size();
      const popped = popAll(queue);
      expect(popped.length).toBeGreaterThanOrEqual(size);
      return popped;
    };
    expectNoFailure(exploreQueue([pushing, chaining, seen]));
  });

  test("without its lock goroutines are lost", () => {
    const unlocked = lockIsFree(GLOBAL_LOCK);
    expectFailure(exploreQueue([withFault(unlocked, pushing), chaining, popping]));
    expectFailure(exploreQueue([pushing, chaining, withFault(unlocked, popping)]));
  });
});
