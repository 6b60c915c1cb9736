/** A thread dies after any of its writes to the global queue, while another uses it: after the repair nothing is in it twice, its length is right, and the other goes on. */

import { type ExploreResult, expectFailure, expectNoFailure } from "@heddle/testkit";
import { expect, test } from "vitest";
import { G_NEXT, GLOBAL_HEAD, GLOBAL_SIZE, GLOBAL_TAIL } from "../../src/memory/layout.ts";
import { DeadLocks } from "../../src/repair/locks.ts";
import type { HostThread } from "../../src/scheduler/thread/host.ts";
import { exploreUse, onlyReleases, type Use } from "../support/mortal-threads.ts";
import { withPlanted } from "../support/planted.ts";

const push =
  (...goroutines: number[]): Use =>
  ({ globalQueue }) => {
    globalQueue.pushChain(Int32Array.from(goroutines), goroutines.length);
    return [];
  };

const pop: Use = ({ globalQueue }) => {
  const into = new Int32Array(4);
  return [...into.subarray(0, globalQueue.popBatch(into, 2))];
};

/** The goroutines in the queue, by its links. */
function linked(host: HostThread): number[] {
  const { i32 } = host;
  const found: number[] = [];
  for (let at = i32[GLOBAL_HEAD] as number; at !== 0; at = i32[host.descriptorOf(at) + G_NEXT] as number)
    found.push(at);
  return found;
}

const exploreQueue = (dying: Use, other: Use): ExploreResult =>
  exploreUse({
    setup: ({ globalQueue }) => globalQueue.pushChain(Int32Array.of(1, 2, 3), 3),
    threads: [dying, other],
    check: (host, [, had = []]) => {
      const queued = linked(host);
      expect(host.i32[GLOBAL_SIZE]).toBe(queued.length);
      expect(host.i32[GLOBAL_TAIL]).toBe(queued.at(-1) ?? 0);
      const all = [...queued, ...had];
      expect(new Set(all).size).toBe(all.length);
    },
  });

test("while it puts a chain in", () => {
  expectNoFailure(exploreQueue(push(4, 5), pop));
  expectNoFailure(exploreQueue(push(4, 5), push(6)));
});

test("while it takes a batch", () => {
  expectNoFailure(exploreQueue(pop, pop));
  expectNoFailure(exploreQueue(pop, push(6)));
});

test("a lock that is only released leaves length and links at odds", () => {
  withPlanted(DeadLocks.prototype, "take", onlyReleases, () =>
    expectFailure(exploreQueue(push(4, 5), pop), /check/),
  );
});
