/** A machine dies at every step of goroutines that use an `RWMutex`, a `Once` or a `Cond`: whoever lives goes on, nobody is let in beside another, and what the lost held is free at the end. */

import { expectFailure, expectNoFailure } from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { COND_MUTEX, ONCE_WAITERS, RW_READERS, RW_WRITERS } from "../../src/memory/layout.ts";
import { DeadLocks } from "../../src/repair/locks.ts";
import { Repair } from "../../src/repair/repair.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { SharedObject } from "../../src/scheduler/thread/shared-object.ts";
import { Cond } from "../../src/sync/cond.ts";
import { Mutex } from "../../src/sync/mutex.ts";
import { Once } from "../../src/sync/once.ts";
import { RWMutex } from "../../src/sync/rw-mutex.ts";
import { busyUntil, isLost, meet, note, noted, type Role, role } from "../support/mortal-roles.ts";
import { exploreDeath, type Scene, type Shared, wordOf } from "../support/mortal-runtime.ts";
import { onlyReleases } from "../support/mortal-threads.ts";
import { withPlanted } from "../support/planted.ts";

/** A class of sync objects as the kernel uses it, which its published types do not show. */
type Kernel = new (...args: unknown[]) => SharedObject;

const shared = (kind: unknown): Shared => ({
  make: () => new (kind as Kernel)(),
  again: (table, index) => new (kind as Kernel)(table, index),
});

const aCond: Shared = {
  make: () => new (Cond as unknown as Kernel)(new Mutex()),
  again(table, index) {
    const mutex = new (Mutex as unknown as Kernel)(table, table.i32[table.baseOf(index) + COND_MUTEX]);
    return new (Cond as unknown as Kernel)(mutex, index);
  },
};

// ───────────────────────────── RWMutex ─────────────────────────────

const ENTRIES = 1;
const FREE = 2;
/** From here on, for each role: whether it is inside. */
const INSIDE = 10;

/** One of those who lock is inside; `alone` if it may not be there with any other. The first stays until somebody waits. */
function visit(all: readonly Role[], me: number, writers: number, mutex: object): void {
  note(INSIDE + me);
  note(ENTRIES);
  if (noted(ENTRIES) === 1)
    busyUntil(() => wordOf(mutex, RW_READERS) !== 0 || wordOf(mutex, RW_WRITERS) !== 0);
  for (const [other, each] of all.entries()) {
    const isShared = me >= writers && other >= writers;
    if (other !== me && !isShared && noted(INSIDE + other) === 1 && !isLost(each))
      throw new Error("two are inside");
  }
  note(INSIDE + me, -1);
}

/** So many writers, and so many readers. The first two meet: they are on different machines. */
function rwScene(writers: number, readers: number): Scene {
  const all: Role[] = Array.from({ length: writers + readers }, (_, me) =>
    role(function* (mutex: RWMutex) {
      if (me < 2) meet(0);
      if (me < writers) {
        yield* mutex.lock();
        visit(all, me, writers, mutex);
        mutex.unlock();
      } else {
        yield* mutex.rlock();
        visit(all, me, writers, mutex);
        mutex.runlock();
      }
    }),
  );
  return {
    objects: [shared(RWMutex)],
    roles: all,
    first: all,
    afterwards: (mutex: RWMutex) => {
      if (!mutex.tryLock()) return;
      note(FREE);
      mutex.unlock();
    },
    check: (notes) => expect(notes[FREE], "it is free at the end").toBe(1),
  };
}

test("an RWMutex, a writer against readers", () => expectNoFailure(exploreDeath(rwScene(1, 2))));

test("an RWMutex, two writers against a reader", () => expectNoFailure(exploreDeath(rwScene(2, 1))));

// ───────────────────────────── Once ─────────────────────────────

const BEGUN = 1;
const MADE = 2;
const EARLY = 3;

/** Three who ask for one call, which lasts until another waits for it. */
function onceScene(): Scene {
  const all: Role[] = [0, 1, 2].map((me) =>
    role(function* (once: Once) {
      if (me < 2) meet(0);
      yield* once.do(function* () {
        note(BEGUN);
        if (noted(BEGUN) === 1) busyUntil(() => wordOf(once, ONCE_WAITERS) !== 0);
        yield* gosched();
        note(MADE);
      });
      if (noted(MADE) === 0) note(EARLY);
    }),
  );
  return {
    objects: [shared(Once)],
    roles: all,
    first: all,
    check: (notes, told) => {
      const lost = all.filter((each) => told.lost(each)).length;
      expect(notes[EARLY], "went on before the call was made").toBe(0);
      // A lost call does not count, so another is made.
      expect(notes[BEGUN], "calls").toBeLessThanOrEqual(1 + lost);
      if (lost < all.length) expect(notes[MADE], "calls that were made").toBeGreaterThanOrEqual(1);
    },
  };
}

test("a Once", () => expectNoFailure(exploreDeath(onceScene())));

// ───────────────────────────── Cond ─────────────────────────────

const FLAG = 1;

/** Two who wait for a flag, and one who sets it and wakes them: one by one, or both. */
function condScene(wake: (cond: Cond) => void): Scene {
  const waiters: Role[] = [0, 1].map((me) =>
    role(function* (cond: Cond) {
      if (me === 0) meet(0);
      yield* cond.mutex.lock();
      while (noted(FLAG) === 0) yield* cond.wait();
      cond.mutex.unlock();
    }),
  );
  const setter = role(function* (cond: Cond) {
    meet(0);
    yield* cond.mutex.lock();
    note(FLAG);
    cond.mutex.unlock();
    wake(cond);
  });
  return {
    objects: [aCond],
    roles: [...waiters, setter],
    first: [...waiters, setter],
    // Whoever still waits does so because the flag was never set.
    afterwards: (cond: Cond) => {
      if (noted(FLAG) > 0) return;
      note(FLAG);
      cond.broadcast();
    },
  };
}

const signals = (cond: Cond): void => {
  cond.signal();
  cond.signal();
};

test("a Cond that is signalled", () => expectNoFailure(exploreDeath(condScene(signals))));

test("a Cond whose waiters are all woken", () =>
  expectNoFailure(exploreDeath(condScene((cond) => cond.broadcast()))));

describe("planted bugs are found", () => {
  const scenes = {
    "an RWMutex": () => rwScene(1, 2),
    "a Once": onceScene,
    "a Cond": () => condScene(signals),
  };

  test.each(Object.entries(scenes))("%s: what the lost held stays with them", (_name, scene) => {
    withPlanted(
      Repair.prototype,
      "releaseAbandoned",
      () => {},
      () => expectFailure(exploreDeath(scene())),
    );
  });

  test.each(Object.entries(scenes))("%s: a lock of the kernel is only released", (_name, scene) => {
    withPlanted(DeadLocks.prototype, "take", onlyReleases, () => expectFailure(exploreDeath(scene())));
  });
});
