/** A thread dies while it takes a joiner out of the list of those who wait for a goroutine's end: whoever else joins or ends meanwhile goes on, and everybody who waits is woken, once. */

import { type ExploreResult, expectFailure, expectNoFailure } from "@heddle/testkit";
import { expect, test } from "vitest";
import { complete, firstJoiner, isDone, join, leave, nextJoiner } from "../../src/goroutine/completion.ts";
import { G_JOIN, POOL_BUMP, POOL_G, POOL_WORDS } from "../../src/memory/layout.ts";
import { DeadLocks } from "../../src/repair/locks.ts";
import type { Thread } from "../../src/scheduler/thread/thread.ts";
import { exploreUse, type Use } from "../support/mortal-threads.ts";
import { withPlanted } from "../support/planted.ts";

/** The goroutine that ends, and those who wait for it. */
const ENDING = 1;
const WAITING = [2, 3, 4];
const LATE = 5;

const joinOf = (thread: Thread, joiner: number): boolean =>
  join(thread.i32, thread.descriptorOf(ENDING), joiner, thread.descriptorOf(joiner));

/** Returns who was woken. */
const ends: Use = (thread) => {
  const { i32 } = thread;
  const woken: number[] = [];
  const completed = complete(i32, thread.descriptorOf(ENDING));
  for (
    let joiner = firstJoiner(completed);
    joiner !== 0;
    joiner = nextJoiner(i32, thread.descriptorOf(joiner))
  )
    woken.push(joiner);
  return woken;
};

/** Returns the joiner if it has left. */
const leaves =
  (joiner: number): Use =>
  (thread) => {
    const baseOf = (goroutine: number): number => thread.descriptorOf(goroutine);
    return leave(thread.i32, baseOf(ENDING), joiner, baseOf, thread.joinHolder()) ? [joiner] : [];
  };

/** Returns the joiner if it need not wait. */
const joins: Use = (thread) => (joinOf(thread, LATE) ? [] : [LATE]);

/** `leaver` leaves in the thread that may die. */
function exploreLeaving(leaver: number, other: Use): ExploreResult {
  return exploreUse({
    threads: [leaves(leaver), ends, other],
    preemptions: 2,
    setup: (host) => {
      host.i32[host.memory.layout.pools + POOL_G * POOL_WORDS + POOL_BUMP] = LATE + 1;
      for (const joiner of WAITING) joinOf(host, joiner);
    },
    check: (host, results) => {
      expect(isDone(host.i32, host.descriptorOf(ENDING))).toBe(true);
      expect(host.i32[host.descriptorOf(ENDING) + G_JOIN]).toBe(1);
      const accounted = results.flat();
      expect(new Set(accounted).size, `accounted for: ${accounted.join()}`).toBe(accounted.length);
      // The leaver died with its thread, wherever it stood.
      const expected = [...WAITING, ...(other === joins ? [LATE] : [])].filter((each) => each !== leaver);
      expect(accounted.filter((each) => each !== leaver).sort()).toEqual(expected);
    },
  });
}

test("the newest, the oldest or one in between leaves", () => {
  for (const leaver of WAITING) expectNoFailure(exploreLeaving(leaver, joins));
});

test("while another leaves", () => {
  expectNoFailure(exploreLeaving(3, leaves(4)));
  expectNoFailure(exploreLeaving(4, leaves(3)));
});

test("a list that stays locked stops everybody", () => {
  withPlanted(
    DeadLocks.prototype,
    "releaseJoiners",
    () => {},
    () => expectFailure(exploreLeaving(3, joins), /spins/),
  );
});
