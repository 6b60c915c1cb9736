/**
 * A goroutine's thread dies after any of its steps of taking, holding and giving back a mutex, or of serving a semaphore's queue, while others want the same: nobody waits for ever, nobody is let in beside another, and who comes next
 * learns of a holder who was lost inside.
 *
 * The repair has two parts, as in the runtime: the record's lock is taken from the dead at once; what he held is looked at only while the others are held at safe points, where they have nothing in hand.
 */

import {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
  type ThreadFunction,
} from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import {
  G_ID,
  G_WAITER,
  G_WORDS,
  MUTEX_STATE,
  MUTEX_WAITERS,
  O_WORDS,
  SEM_FREE,
  SEM_PERMITS,
  SEM_WAITERS,
  W_QUEUED,
  W_RESULT,
} from "../../src/memory/layout.ts";
import { releaseIfHeldBy } from "../../src/memory/thread-lock.ts";
import { repairQueue } from "../../src/repair/wait-queues.ts";
import {
  isAbandonedUse,
  LockWait,
  releaseForDead,
  restoreMutex,
  unlock,
} from "../../src/sync/mutex-protocol.ts";
import { abandon, give, queueFor, restoreSemaphore, tryTake } from "../../src/sync/semaphore-protocol.ts";
import { LOCK, ModelGoroutine, type ModelWait, RECORD, WORDS } from "../sync/sync-model.ts";

/** Goroutine numbers, and numbers of their model threads. */
const VICTIM = 1;
const OTHERS = [2, 3];

/** 1 asks everybody to stop; then a word for each goroutine that says whether it has anything in hand. */
const STOP = WORDS;
const BUSY = WORDS + 1;
/** Whether the victim is inside, and how many of the others. */
const VICTIM_INSIDE = WORDS + 5;
const OTHERS_INSIDE = WORDS + 6;
/** A word for each goroutine: whether it has got as far as to have its permit. */
const TAKEN = WORDS + 7;
const ALL_WORDS = WORDS + 12;

const descriptorOf = (goroutine: number): number => RECORD + O_WORDS + goroutine * G_WORDS;

/** One that comes by safe points: before it begins, where it sleeps, and at its end. */
class Resident extends ModelGoroutine {
  arrive(): void {
    const { i32 } = this.memory;
    for (;;) {
      Atomics.store(i32, BUSY + this.number, 1);
      if (Atomics.load(i32, STOP) === 0) return;
      this.leave();
      Atomics.wait(i32, STOP, 1);
    }
  }

  leave(): void {
    Atomics.store(this.memory.i32, BUSY + this.number, 0);
    Atomics.notify(this.memory.i32, BUSY + this.number);
  }

  protected override sleep(): void {
    this.leave();
    super.sleep();
    this.arrive();
  }
}

/** What the repair does: the steps of a test may leave some out. */
interface Steps {
  /** Under the record's lock, if the victim died with it. Returns whom to make ready. */
  restore(host: ModelGoroutine): readonly number[];
  /** While nobody has anything in hand. */
  release(host: ModelGoroutine): readonly number[];
  readonly holdsOthers: boolean;
}

function repairing({ restore, release, holdsOthers }: Steps): ThreadFunction<unknown, unknown> {
  return (memory) => {
    const { i32 } = memory;
    const host = new ModelGoroutine(memory as ModelMemory, 0);
    if (Atomics.load(i32, LOCK) === VICTIM + 1) {
      const woken = restore(host);
      releaseIfHeldBy(i32, LOCK, VICTIM);
      host.thread.readyAll(woken);
    }
    if (holdsOthers) {
      Atomics.store(i32, STOP, 1);
      for (const other of OTHERS)
        while (Atomics.load(i32, BUSY + other) !== 0) Atomics.wait(i32, BUSY + other, 1);
    }
    // Whoever was made ready, but not woken: the roll call wakes all.
    for (const other of OTHERS) Atomics.notify(i32, other);
    // Those who were taken off a queue and not made ready.
    for (const other of OTHERS)
      if (Atomics.load(i32, other) === 1 && i32[descriptorOf(other) + G_WAITER + W_QUEUED] === 0)
        host.thread.ready(other);
    host.thread.readyAll(release(host));
    Atomics.store(i32, STOP, 0);
    Atomics.notify(i32, STOP);
  };
}

const setup = ({ f64 }: ModelMemory): void => {
  for (const goroutine of [VICTIM, ...OTHERS]) f64[(descriptorOf(goroutine) + G_ID) >> 1] = goroutine;
};

const isLost = (owner: number): boolean => owner === VICTIM;
const impatient = (): (() => number) => {
  let now = 0;
  return () => (now += 2);
};

describe("mutex", () => {
  const dies: ThreadFunction<unknown, number> = (memory) => {
    const goroutine = new ModelGoroutine(memory as ModelMemory, VICTIM, impatient());
    const { i32 } = memory;
    goroutine.wait(new LockWait(goroutine.thread, RECORD));
    Atomics.store(i32, VICTIM_INSIDE, 1);
    Atomics.store(i32, VICTIM_INSIDE, 0);
    unlock(goroutine.thread, RECORD);
    return 0;
  };

  /** Locks and unlocks; 1 if it was told that the lock came from a lost holder. */
  const locks =
    (number: number): ThreadFunction<unknown, number> =>
    (memory) => {
      const { i32 } = memory;
      const goroutine = new Resident(memory as ModelMemory, number, impatient());
      goroutine.arrive();
      const wait = new LockWait(goroutine.thread, RECORD);
      goroutine.wait(wait);
      if (Atomics.add(i32, OTHERS_INSIDE, 1) !== 0 || Atomics.load(i32, VICTIM_INSIDE) === 1)
        throw new Error("two are inside");
      Atomics.sub(i32, OTHERS_INSIDE, 1);
      unlock(goroutine.thread, RECORD);
      goroutine.leave();
      return Number(isAbandonedUse(wait.use));
    };

  const release: Steps["release"] = (host) => {
    const { i32 } = host.memory;
    if (new LockWait(host.thread, RECORD).abandon(descriptorOf(VICTIM))) return [];
    const woken = releaseForDead(host.thread, RECORD, isLost);
    // 2: it died inside. Nobody is inside from now on.
    if (Atomics.load(i32, VICTIM_INSIDE) === 1) Atomics.store(i32, VICTIM_INSIDE, 2);
    return woken;
  };

  const steps: Steps = {
    restore: (host) => {
      repairQueue(host.memory.i32, RECORD + MUTEX_WAITERS);
      return restoreMutex(host.thread, RECORD);
    },
    release,
    holdsOthers: true,
  };

  function exploreDeath(
    others: readonly number[],
    changed: Partial<Steps> = {},
    preemptions = 1,
  ): ExploreResult {
    return explore<number[], unknown>({
      words: ALL_WORDS,
      setup,
      threads: [
        // Model threads are numbered from 0, and have goroutine numbers from 1.
        dies,
        ...others.map(locks),
      ],
      kill: { thread: 0, repair: repairing({ ...steps, ...changed }) },
      plainAccessesAreSteps: true,
      preemptions,
      check: ({ i32 }, results) => {
        const told = results.slice(1).reduce<number>((sum, each) => sum + (each ?? 0), 0);
        const marked = (i32[RECORD + MUTEX_STATE] as number) >>> 4;
        expect((i32[RECORD + MUTEX_STATE] as number) & 15).toBe(0);
        expect(i32[RECORD + MUTEX_WAITERS]).toBe(0);
        // Who was in the lock and not yet inside, or not any more, may count as one who died inside.
        expect(told + marked).toBeLessThanOrEqual(1);
        if (i32[VICTIM_INSIDE] === 2) expect(told + marked).toBe(1);
      },
    });
  }

  test("the holder dies, or one who waits: the next has the lock, and learns it", () => {
    expectNoFailure(exploreDeath([2], {}, 2));
  });

  test("with two who wait", () => {
    expectNoFailure(exploreDeath([2, 3]));
  });

  test("finds a repair that leaves a lock whose holder has not said who it is", () => {
    const careless: Steps["release"] = (host) => (host.memory.i32[RECORD + 8] === 0 ? [] : release(host));
    expectFailure(exploreDeath([2], { release: careless }), /deadlock|toBe/);
  });

  test("finds a repair that does not wait until nobody has anything in hand", () => {
    expectFailure(exploreDeath([2], { holdsOthers: false }, 2), /two are inside|deadlock|unlock|toBe|ready/);
  });
});

describe("semaphore", () => {
  const PERMITS = 2;
  const restore: Steps["restore"] = (host) => {
    repairQueue(host.memory.i32, RECORD + SEM_WAITERS);
    return restoreSemaphore(host.thread, RECORD);
  };
  const steps: Steps = { restore, release: () => [], holdsOthers: true };

  const gives: ThreadFunction<unknown, number> = (memory) => {
    const goroutine = new ModelGoroutine(memory as ModelMemory, VICTIM);
    give(goroutine.thread, RECORD, PERMITS);
    return 0;
  };

  /** Takes a permit and keeps it. */
  const takes =
    (number: number): ThreadFunction<unknown, number> =>
    (memory) => {
      const goroutine = new Resident(memory as ModelMemory, number);
      const { thread } = goroutine;
      const wait: ModelWait = {
        attempt: () => tryTake(thread.i32, RECORD, 1),
        enqueue: (waiter, base) => queueFor(thread, RECORD, 1, waiter, base),
        resume: () => true,
        abandon: (base) => abandon(thread, RECORD, base),
      };
      goroutine.arrive();
      goroutine.wait(wait);
      Atomics.store(memory.i32, TAKEN + number, 1);
      goroutine.leave();
      return 1;
    };

  /** Whether a goroutine has its permit, perhaps without knowing it yet. */
  const has = (i32: Int32Array, other: number): boolean =>
    Atomics.load(i32, TAKEN + other) === 1 || i32[descriptorOf(other) + G_WAITER + W_RESULT] === RECORD;

  /** The victim gives both permits back. It has done so, or it has not: then it is done for it, so that nobody waits for ever. */
  function exploreDeath(restores: Steps["restore"]): ExploreResult {
    const release: Steps["release"] = (host) => {
      const { i32 } = host.memory;
      const free = (i32[RECORD + SEM_FREE] as number) & 0x7fffffff;
      const permits = free + OTHERS.filter((other) => has(i32, other)).length;
      if (permits !== 0 && permits !== PERMITS) throw new Error(`there are ${permits} permits`);
      if (permits === 0) give(host.thread, RECORD, PERMITS);
      return [];
    };
    return explore<number[], unknown>({
      words: ALL_WORDS,
      setup: (memory: ModelMemory) => {
        setup(memory);
        memory.i32[RECORD + SEM_PERMITS] = PERMITS;
      },
      threads: [gives, takes(2), takes(3)],
      kill: { thread: 0, repair: repairing({ ...steps, restore: restores, release }) },
      plainAccessesAreSteps: true,
      preemptions: 1,
      check: ({ i32 }) => {
        // Two permits, two takers.
        expect({ free: i32[RECORD + SEM_FREE], first: i32[RECORD + SEM_WAITERS] }).toEqual({
          free: 0,
          first: 0,
        });
      },
    });
  }

  test("whoever serves the queue dies: no permit is lost, and none is made", () => {
    expectNoFailure(exploreDeath(restore));
  });

  test("finds a repair that does not finish serving", () => {
    expectFailure(
      exploreDeath((host) => {
        repairQueue(host.memory.i32, RECORD + SEM_WAITERS);
        return [];
      }),
    );
  });
});
