/**
 * A thread dies after any of its steps of ending a context with children, one of which has a deadline, while another thread makes, ends or drops one of them: then all below one that is done are done, their channels are closed and their deadlines
 * off, every live one is in its parent's list, and no reference is given back twice.
 *
 * The repair has two parts, as in the runtime: the locks are taken from the dead at once; what is left of an end is done when the others are held, here when they have ended.
 */

import { type ExploreResult, expectFailure, expectNoFailure } from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { cancelContext, finishEnds } from "../../src/context/cancel.ts";
import { registerKinds } from "../../src/context/kinds.ts";
import { CANCELED, CONTEXT_KIND, ContextTree, contextsOf, LIVE } from "../../src/context/tree.ts";
import {
  C_CLOSED,
  CONTEXT_LOCK,
  O_REFS,
  X_CHILD,
  X_DONE,
  X_NEXT,
  X_PARENT,
  X_PREVIOUS,
  X_TIMER,
} from "../../src/memory/layout.ts";
import { DeadLocks } from "../../src/repair/locks.ts";
import { forEachObject } from "../../src/repair/queues.ts";
import type { HostThread } from "../../src/scheduler/thread/host.ts";
import { objectsOf } from "../../src/scheduler/thread/shared-object.ts";
import { exploreUse, onlyReleases, SHAPE, type Use } from "../support/mortal-threads.ts";
import { withPlanted } from "../support/planted.ts";

/** Numbers of records: one below the other, and one beside the second. */
const [TOP, MIDDLE, LOW, BESIDE] = [1, 2, 3, 4];
const FAR_MS = 1000;
/** Each of three threads takes a batch of them. */
const MAX_OBJECTS = 96;

const ends =
  (context: number): Use =>
  (thread) => {
    registerKinds(thread);
    cancelContext(thread, context, CANCELED, undefined);
    return [];
  };

/** Makes another; its number. */
const makes =
  (parent: number): Use =>
  (thread) => {
    registerKinds(thread);
    return [contextsOf(thread).create(parent)];
  };

/** Lets go of one that nobody else has. */
const drops =
  (context: number): Use =>
  (thread) => {
    registerKinds(thread);
    contextsOf(thread).table.release(context);
    return [context];
  };

const asks =
  (context: number): Use =>
  (thread) => {
    registerKinds(thread);
    contextsOf(thread).done(context);
    return [];
  };

function setUp(host: HostThread): void {
  const tree = contextsOf(host);
  expect([0, TOP, MIDDLE, TOP].map((parent) => tree.create(parent))).toEqual([TOP, MIDDLE, LOW, BESIDE]);
  for (const context of [TOP, LOW]) tree.done(context);
  tree.armDeadline(MIDDLE, FAR_MS);
}

function contextsIn(host: HostThread): number[] {
  const found: number[] = [];
  forEachObject(host, (_base, kind, index) => {
    if (kind === CONTEXT_KIND) found.push(index);
  });
  return found;
}

/** The children in a context's list. */
function listed({ i32 }: HostThread, baseOf: (context: number) => number, parent: number): number[] {
  const found: number[] = [];
  let previous = 0;
  for (let at = i32[baseOf(parent) + X_CHILD] as number; at !== 0; at = i32[baseOf(at) + X_NEXT] as number) {
    expect(found, "in the list twice").not.toContain(at);
    expect(i32[baseOf(at) + X_PREVIOUS]).toBe(previous);
    found.push(at);
    previous = at;
  }
  return found.sort((a, b) => a - b);
}

function checkTree(host: HostThread): void {
  const { i32, timers } = host;
  const tree = contextsOf(host);
  const baseOf = (context: number): number => objectsOf(host).baseOf(context);
  const contexts = contextsIn(host);
  expect(i32[CONTEXT_LOCK]).toBe(0);
  for (const context of contexts) {
    const base = baseOf(context);
    const parent = i32[base + X_PARENT] as number;
    const children = contexts.filter((each) => i32[baseOf(each) + X_PARENT] === context);
    if (parent !== 0 && tree.state(parent) !== LIVE)
      expect(tree.state(context), "below one that is done").not.toBe(LIVE);
    if (tree.state(context) === LIVE) {
      expect(listed(host, baseOf, context)).toEqual(children.filter((each) => tree.state(each) === LIVE));
    } else {
      const channel = i32[base + X_DONE] as number;
      if (channel !== 0) expect(i32[baseOf(channel) + C_CLOSED], "its channel").toBe(1);
      expect(i32[base + X_TIMER], "its deadline's timer").toBe(0);
    }
    const timer = i32[base + X_TIMER] as number;
    const armed = timer !== 0 && timers.isStarted(timer);
    const extra = (i32[base + O_REFS] as number) - 1 - children.length - Number(armed);
    expect(extra, `references of context ${context} too many`).toBeGreaterThanOrEqual(0);
    expect(extra, `references of context ${context} too many`).toBeLessThanOrEqual(1);
  }
}

function exploreEnd(ended: number, other: Use): ExploreResult {
  return exploreUse({
    shape: { ...SHAPE, maxObjects: MAX_OBJECTS },
    setup: setUp,
    threads: [ends(ended), other],
    preemptions: 1,
    check: (host) => {
      finishEnds(host, contextsIn(host));
      checkTree(host);
    },
  });
}

describe("a context with children", () => {
  test("beside one who ends a child", () => expectNoFailure(exploreEnd(TOP, ends(MIDDLE))));

  test("beside one who ends the parent", () => expectNoFailure(exploreEnd(MIDDLE, ends(TOP))));

  test("beside one who makes another child", () => expectNoFailure(exploreEnd(TOP, makes(MIDDLE))));

  test("beside one who drops a child", () => {
    expectNoFailure(exploreEnd(TOP, drops(BESIDE)));
    expectNoFailure(exploreEnd(TOP, drops(LOW)));
  });

  test("beside one who asks for a child's channel", () => expectNoFailure(exploreEnd(TOP, asks(MIDDLE))));

  test("finds a repair that only releases the lock", () => {
    withPlanted(DeadLocks.prototype, "take", onlyReleases, () =>
      expectFailure(
        exploreEnd(TOP, makes(MIDDLE)),
        /below one that is done|to deeply equal|in the list twice/,
      ),
    );
  });

  test("finds a repair that does not go on with an end", () => {
    withPlanted(
      ContextTree.prototype,
      "finishEnds",
      () => {},
      () => expectFailure(exploreEnd(TOP, makes(MIDDLE)), /its channel|its deadline|references/),
    );
  });
});
