/** A thread dies after any of its writes to the global queue, while another uses it: after the repair nothing is in it twice, its length is right, and the other goes on. */

import {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
} from "@heddle/testkit";
import { expect, test } from "vitest";
import {
  G_NEXT,
  G_WORDS,
  GLOBAL_HEAD,
  GLOBAL_LOCK,
  GLOBAL_SIZE,
  GLOBAL_TAIL,
} from "../../src/memory/layout.ts";
import { releaseIfHeldBy } from "../../src/memory/thread-lock.ts";
import { GlobalQueue } from "../../src/queue/global-queue.ts";

const VICTIM = 0;
/** Descriptors 1 to 6, behind the scheduler's words. */
const DESCRIPTORS = 256;

type Use = (queue: GlobalQueue) => number[];

const push =
  (...goroutines: number[]): Use =>
  (queue) => {
    queue.pushChain(Int32Array.from(goroutines), goroutines.length);
    return [];
  };

const pop: Use = (queue) => {
  const into = new Int32Array(4);
  return [...into.subarray(0, queue.popBatch(into, 2))];
};

function exploreDeath(dying: Use, other: Use, restores = true): ExploreResult {
  const queueOf = ({ i32 }: ModelMemory, thread: number): GlobalQueue =>
    new GlobalQueue(i32, DESCRIPTORS, thread);
  return explore({
    words: DESCRIPTORS + 7 * G_WORDS,
    setup: (memory: ModelMemory) => queueOf(memory, 9).pushChain(Int32Array.of(1, 2, 3), 3),
    threads: [
      (memory: ModelMemory) => dying(queueOf(memory, VICTIM)),
      (memory: ModelMemory) => other(queueOf(memory, 1)),
    ],
    kill: {
      thread: VICTIM,
      repair: (memory) => {
        const { i32 } = memory;
        if (Atomics.load(i32, GLOBAL_LOCK) !== VICTIM + 1) return;
        if (restores) queueOf(memory, 2).restore();
        releaseIfHeldBy(i32, GLOBAL_LOCK, VICTIM);
      },
    },
    plainAccessesAreSteps: true,
    preemptions: 1,
    check: ({ i32 }, [, had]) => {
      const queued: number[] = [];
      for (
        let at = i32[GLOBAL_HEAD] as number;
        at !== 0;
        at = i32[DESCRIPTORS + at * G_WORDS + G_NEXT] as number
      )
        queued.push(at);
      expect(i32[GLOBAL_SIZE]).toBe(queued.length);
      expect(i32[GLOBAL_TAIL]).toBe(queued.at(-1) ?? 0);
      const all = [...queued, ...(had ?? [])];
      expect(new Set(all).size).toBe(all.length);
    },
  });
}

test("while it puts a chain in", () => {
  expectNoFailure(exploreDeath(push(4, 5), pop));
  expectNoFailure(exploreDeath(push(4, 5), push(6)));
});

test("while it takes a batch", () => {
  expectNoFailure(exploreDeath(pop, pop));
  expectNoFailure(exploreDeath(pop, push(6)));
});

test("a lock that is only released leaves length and links at odds", () => {
  expectFailure(exploreDeath(push(4, 5), pop, false), /check/);
});
