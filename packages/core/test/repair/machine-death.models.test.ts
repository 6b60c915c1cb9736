/** A machine dies at every step that it takes, from its first to its last: what had begun there is lost and reported, what had not is run, and all others go on to their ends. */

import { expectFailure, expectNoFailure } from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { Orphans } from "../../src/repair/orphans.ts";
import { Repair } from "../../src/repair/repair.ts";
import { FiringNote } from "../../src/scheduler/thread/firing-note.ts";
import { afterFunc } from "../../src/time/after-func.ts";
import { sleep } from "../../src/time/sleep.ts";
import { meet, note, type Role, role, spawn, start } from "../support/mortal-roles.ts";
import { exploreDeath, type Scene } from "../support/mortal-runtime.ts";
import { withPlanted } from "../support/planted.ts";

const nothing = (): Role => role(function* () {});

/** A goroutine that starts some others; whoever was started is run. */
function startScene(children: readonly Role[], andThen: () => void = () => {}): Scene {
  const parent = role(function* () {
    for (const [i, child] of children.entries()) {
      start(child);
      note(i + 1);
    }
    andThen();
  });
  return {
    roles: [parent, ...children],
    first: [parent],
    check: (notes, told) => {
      for (const [i, child] of children.entries())
        if (notes[i + 1] === 1)
          expect([child.name, told.ended(child) || told.lost(child)]).toEqual([child.name, true]);
    },
  };
}

/** A goroutine that starts another and waits for its end; with `apart`, on the other machine. */
function joinScene(apart: boolean): Scene {
  const child = role(function* () {
    if (apart) meet(0);
    note(1);
    return 7;
  });
  const parent = role(function* () {
    const handle = spawn(child);
    if (apart) meet(0);
    try {
      expect(yield* handle).toBe(7);
      note(2);
    } catch (error) {
      if ((error as Error).name !== "MachineLostError") throw error;
      note(3);
    }
  });
  return {
    roles: [parent, child],
    first: [parent],
    check: (notes, told) => {
      if (!told.ended(parent)) return;
      expect(notes[2]).toBe(1 - (notes[3] as number));
      if (notes[2] === 1) expect(notes[1]).toBe(1);
      else expect(told.onVictim(child) || !told.began(child)).toBe(true);
    },
  };
}

/** Sleepers on both machines. */
function sleepScene(): Scene {
  const sleepers = [1, 2].map((ms) =>
    role(function* () {
      meet(0);
      yield* sleep(ms);
    }),
  );
  return { roles: sleepers, first: sleepers, sleeps: true };
}

/** One that starts another by a timer, which the machine itself runs while the starter sleeps. */
function timedScene(): Scene {
  const timed = nothing();
  const starter = role(function* () {
    afterFunc(0, timed.body as never);
    note(1);
    yield* sleep(1);
  });
  return {
    roles: [starter, timed],
    first: [starter],
    sleeps: true,
    check: (notes, told) => {
      if (notes[1] === 1) expect(told.ended(timed) || told.lost(timed), "it has been started").toBe(true);
    },
  };
}

describe("start, steal and end", () => {
  test("a machine that takes goroutines from the global queue", () => {
    const both = [nothing(), nothing()];
    expectNoFailure(exploreDeath({ roles: both, first: both }));
  });

  test("a full ring spills half of itself", () => {
    expectNoFailure(exploreDeath(startScene([1, 2, 3, 4, 5, 6].map(nothing))));
  });

  test("half of a ring is stolen, and the slot last", () => {
    const children = [1, 2, 3].map(() =>
      role(function* () {
        meet(0, 1);
      }),
    );
    expectNoFailure(exploreDeath(startScene(children, () => meet(0, 4))));
  });
});

describe("join and exit", () => {
  test("on one machine", () => expectNoFailure(exploreDeath(joinScene(false))));

  test("across two", () => expectNoFailure(exploreDeath(joinScene(true))));
});

test("sleepers", () => expectNoFailure(exploreDeath(sleepScene())));

test("one that is started by a timer", () => expectNoFailure(exploreDeath(timedScene())));

describe("planted bugs are found", () => {
  test("a sweep that does not look for what the dead had in hand", () => {
    withPlanted(
      Orphans.prototype,
      "rehome",
      () => {},
      () => expectFailure(exploreDeath(startScene([1, 2, 3, 4, 5, 6].map(nothing))), /check/),
    );
  });

  test("a timer in hand that nobody can find", () => {
    withPlanted(
      FiringNote.prototype,
      "taken",
      () => {},
      () => expectFailure(exploreDeath(timedScene()), /it has been started/),
    );
  });

  test("a processor that stays with the dead", () => {
    withPlanted(
      Repair.prototype,
      "releaseProcessors",
      () => {},
      () => expectFailure(exploreDeath(joinScene(false)), /check/),
    );
  });
});
