/** A machine dies at every step of locking, waiting, handing over and unlocking. What a lost goroutine held stays held, until somebody gives it back: then everybody gets it in turn. */

import { type ExploreResult, expectFailure, expectNoFailure } from "@heddle/testkit";
import { expect, test } from "vitest";
import {
  G_MACHINE,
  G_WAITER,
  MUTEX_STATE,
  MUTEX_WAITERS,
  SEM_FREE,
  SEM_WAITERS,
  W_QUEUED,
} from "../../src/memory/layout.ts";
import { DeadLocks } from "../../src/repair/locks.ts";
import type { Op } from "../../src/scheduler/frames/types.ts";
import { objectsOf } from "../../src/scheduler/thread/shared-object.ts";
import type { Thread } from "../../src/scheduler/thread/thread.ts";
import type { Mutex } from "../../src/sync/mutex.ts";
import { Semaphore } from "../../src/sync/semaphore.ts";
import { abandon, queueFor, tryTake } from "../../src/sync/semaphore-protocol.ts";
import { busyUntil, hasEnded, isLost, meet, note, noted, type Role, role } from "../support/mortal-roles.ts";
import { aMutex, aSemaphore, exploreDeath, type Scene, wordOf } from "../support/mortal-runtime.ts";
import { exploreUse, onlyReleases } from "../support/mortal-threads.ts";
import { withPlanted } from "../support/planted.ts";

const ENTRIES = 1;
const INSIDE = 10;

/** What only one at a time may do. The first one stays until somebody waits: the queue begins at word `queue` of the record. */
function passThrough(all: readonly Role[], me: number, object: object, queue: number): void {
  note(INSIDE + me);
  note(ENTRIES);
  if (noted(ENTRIES) === 1) busyUntil(() => wordOf(object, queue) !== 0);
  for (const [other, each] of all.entries())
    if (other !== me && noted(INSIDE + other) === 1 && !isLost(each)) throw new Error("two are inside");
  note(INSIDE + me, -1);
}

const areDone = (all: readonly Role[]): boolean => all.every((each) => hasEnded(each) || isLost(each));

/** Three who want the same, two of them on different machines. */
function threeOf(
  queue: number,
  lock: (object: never) => Op<unknown>,
  unlock: (object: never) => void,
): readonly Role[] {
  const all: Role[] = [0, 1, 2].map((me) =>
    role(function* (object: object) {
      if (me < 2) meet(0);
      yield* lock(object as never);
      passThrough(all, me, object, queue);
      unlock(object as never);
    }),
  );
  return all;
}

function mutexScene(): Scene {
  const all = threeOf(
    MUTEX_WAITERS,
    (mu: Mutex) => mu.lock(),
    (mu: Mutex) => mu.unlock(),
  );
  return {
    objects: [aMutex],
    roles: all,
    first: all,
    // Whoever still waits does so for the one who is lost.
    afterwards: (mu: Mutex) => {
      if (areDone(all)) mu.tryLock();
      mu.unlock();
    },
    check: (_notes, told) => expect(told.wordOf(0, MUTEX_STATE)).toBe(0),
  };
}

/** There is one permit, and each asks for one. */
function semaphoreScene(): Scene {
  const all = threeOf(
    SEM_WAITERS,
    (permits: Semaphore) => permits.acquire(),
    (permits: Semaphore) => permits.release(),
  );
  return {
    objects: [aSemaphore(1)],
    roles: all,
    first: all,
    afterwards: (permits: Semaphore) => {
      const free = wordOf(permits, SEM_FREE) & 0x7fff_ffff;
      if (free < 1) permits.release(1 - free);
    },
    check: (_notes, told) => expect(told.wordOf(0, SEM_FREE), "free permits").toBe(1),
  };
}

test("a mutex", () => expectNoFailure(exploreDeath(mutexScene())));

test("a semaphore", () => expectNoFailure(exploreDeath(semaphoreScene())));

/** Goroutines of a third machine. */
const [LARGE, SMALL] = [1, 2];
const ELSEWHERE = 3;

/** One permit is free, and the request for one waits behind the request for two, which is cancelled. */
function exploreCancel(): ExploreResult {
  const permitsOf = (host: Thread): number => objectsOf(host).baseOf(1);
  return exploreUse({
    setup: (host) => {
      const { i32 } = host;
      new Semaphore(2);
      expect(tryTake(i32, permitsOf(host), 1)).toBe(true);
      for (const [goroutine, wants] of [
        [LARGE, 2],
        [SMALL, 1],
      ] as const) {
        const base = host.descriptorOf(goroutine);
        i32[base + G_MACHINE] = ELSEWHERE + 1;
        expect(queueFor(host, permitsOf(host), wants, goroutine, base)).toBe(true);
      }
    },
    threads: [(thread) => (abandon(thread, permitsOf(thread), thread.descriptorOf(LARGE)) ? [LARGE] : [])],
    check: (host) => {
      const { i32 } = host;
      const isServed = i32[host.descriptorOf(SMALL) + G_WAITER + W_QUEUED] === 0;
      const free = (i32[permitsOf(host) + SEM_FREE] as number) & 0x7fff_ffff;
      expect(free + Number(isServed), "permits that are free or have just been taken").toBe(1);
    },
  });
}

test("a request that is cancelled and held off another", () => expectNoFailure(exploreCancel()));

test("a lock that is only released leaves somebody waiting", () => {
  for (const scene of [mutexScene(), semaphoreScene()])
    withPlanted(DeadLocks.prototype, "take", onlyReleases, () => expectFailure(exploreDeath(scene)));
});
