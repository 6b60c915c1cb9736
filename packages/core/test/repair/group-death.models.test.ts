/** A machine dies at every step of ending members of a WaitGroup or an ErrGroup, and of waiting for them: each member is counted off once, so whoever waits goes on, and not before all have ended. */

import { expectFailure, expectNoFailure } from "@heddle/testkit";
import { expect, test } from "vitest";
import { ErrGroup } from "../../src/context/err-group.ts";
import { transitionToDead } from "../../src/goroutine/status.ts";
import { E_ACTIVE, E_PENDING, G_ON_END, O_VALUE } from "../../src/memory/layout.ts";
import { DeadLocks } from "../../src/repair/locks.ts";
import type { Op } from "../../src/scheduler/frames/types.ts";
import { Machine } from "../../src/scheduler/machine/machine.ts";
import type { HostThread } from "../../src/scheduler/thread/host.ts";
import type { SharedObject } from "../../src/scheduler/thread/shared-object.ts";
import { WaitGroup } from "../../src/sync/wait-group.ts";
import { hasEnded, isLost, meet, note, type Role, role } from "../support/mortal-roles.ts";
import { exploreDeath, type Scene, type Shared } from "../support/mortal-runtime.ts";
import { withPlanted } from "../support/planted.ts";

/** A class of the kernel's with arguments that its published type does not show. */
type Kernel = new (...args: unknown[]) => SharedObject & Pick<ErrGroup, "go" | "setLimit">;

/** A WaitGroup whose members the host has started. */
const waitGroupOf = (members: readonly Role[]): Shared => ({
  make: () => {
    const group = new (WaitGroup as unknown as Kernel)();
    for (const { body } of members) group.go(body as never);
    return group;
  },
  again: (table, index) => new (WaitGroup as unknown as Kernel)(table, index),
});

/** An ErrGroup of which `limit` members run at once. */
const errGroupOf = (members: readonly Role[], limit: number): Shared => ({
  make: () => {
    const group = new (ErrGroup as unknown as Kernel)();
    group.setLimit(limit);
    for (const { body } of members) group.go(body as never);
    return group;
  },
  again: (table, index) => new (ErrGroup as unknown as Kernel)(undefined, table, index),
});

/** Some members, and one who waits for them. The first `apart` members run at once, on different machines. */
function groupScene(
  count: number,
  apart: number,
  groupOf: (members: readonly Role[]) => Shared,
  empty: readonly number[],
): Scene {
  const members = Array.from({ length: count }, (_, i) =>
    role(function* () {
      if (i < apart) meet(0, apart);
    }),
  );
  const waiter = role(function* (group: { wait(): Op<void> }) {
    try {
      yield* group.wait();
    } catch (error) {
      if ((error as Error).name !== "MachineLostError") throw error;
      // An ErrGroup takes the loss of a member for its error, tells nobody else, and cancels the others.
      return;
    }
    for (const member of members) if (!hasEnded(member) && !isLost(member)) note(1);
  });
  return {
    objects: [groupOf(members)],
    roles: [...members, waiter],
    first: [waiter],
    // Of an ErrGroup: its own, its context's, and the error of a member that is lost, in both.
    blocks: 4,
    check: (notes, told) => {
      expect(notes[1], "members for which nobody waited").toBe(0);
      for (const word of empty) expect(told.wordOf(0, word), "members that are to be counted off").toBe(0);
    },
  };
}

const waitScene = (): Scene => groupScene(2, 2, waitGroupOf, [O_VALUE]);
const limitedScene = (): Scene =>
  groupScene(3, 0, (members) => errGroupOf(members, 1), [E_ACTIVE, E_PENDING]);

test("a WaitGroup", () => expectNoFailure(exploreDeath(waitScene())));

test("an ErrGroup without a limit", () =>
  expectNoFailure(exploreDeath(groupScene(2, 2, (members) => errGroupOf(members, -1), [E_ACTIVE]))));

test("an ErrGroup of which one runs at a time", () => expectNoFailure(exploreDeath(limitedScene())));

/** A repair that puts everything right but the group itself, whose lock it only releases. */
function leavesGroup(this: Taker, word: number, repair: () => void): void {
  const { objects, goroutines } = this.host.memory.layout;
  whole.call(this, word, word >= objects && word < goroutines ? () => {} : repair);
}

interface Taker {
  readonly host: HostThread;
  take(word: number, repair: () => void): void;
}

const whole = (DeadLocks.prototype as unknown as Taker).take;

test("a group whose lock is only released has members that are counted twice, or never", () => {
  for (const scene of [waitScene(), limitedScene()])
    withPlanted(DeadLocks.prototype, "take", leavesGroup, () => expectFailure(exploreDeath(scene)));
});

/** The end of a detached goroutine, with the group told last. */
function tellsLast(this: Mortal, goroutine: number, base: number): void {
  const object = this.i32[base + G_ON_END] as number;
  transitionToDead(this.i32, base);
  this.freeDescriptor(goroutine, base);
  if (object !== 0) this.tellObject(object, base);
}

interface Mortal {
  readonly i32: Int32Array;
  freeDescriptor(goroutine: number, base: number): void;
  tellObject(object: number, base: number): void;
}

test("a member whose descriptor is free before it is counted off is found", () => {
  let owner: object = Machine.prototype;
  while (!Object.hasOwn(owner, "leaveDetached")) owner = Object.getPrototypeOf(owner);
  withPlanted(owner, "leaveDetached", tellsLast, () => expectFailure(exploreDeath(waitScene())));
});
