/** A thread dies while it starts, stops or runs timers: afterwards the heap holds those that say they are in it, in their order, and the others go on. */

import { type ExploreResult, expectFailure, expectNoFailure } from "@heddle/testkit";
import { expect, test } from "vitest";
import {
  P_TIMER_COUNT,
  P_TIMER_LOCK,
  P_TIMER_NEXT,
  P_TIMER_ROOT,
  T_HEAP,
  T_LEFT,
  T_PARENT,
  T_RANK,
  T_RIGHT,
  T_WHEN,
} from "../../src/memory/layout.ts";
import { DeadLocks } from "../../src/repair/locks.ts";
import type { Machine } from "../../src/scheduler/machine/machine.ts";
import type { HostThread } from "../../src/scheduler/thread/host.ts";
import { registerTimerKind } from "../../src/scheduler/thread/timers.ts";
import { exploreUse, onlyReleases, type Use } from "../support/mortal-threads.ts";
import { withPlanted } from "../support/planted.ts";

/** A kind of timer whose firing nobody notices. */
const SILENT = 60;
registerTimerKind(SILENT, { fire: () => {} });

/** In the heap from the start: due at 10, 20, … ms. */
const FIRST = 5;
const TIMERS = 7;
const LATE_MS = 1000;

const starts =
  (...timers: number[]): Use =>
  ({ timers: all }) => {
    for (const timer of timers) all.start(timer, timer * 3);
    return [];
  };

const stops =
  (...timers: number[]): Use =>
  ({ timers: all }) =>
    timers.filter((timer) => all.stop(timer));

const runs =
  (now: number): Use =>
  (machine: Machine) => {
    machine.timers.runDue(0, now);
    return [];
  };

/** Timers in the heap, each with its place checked. */
function membersOf({ i32, f64, timers, memory }: HostThread): number[] {
  const heap = memory.layout.processors;
  expect(i32[heap + P_TIMER_LOCK]).toBe(0);
  const found: number[] = [];
  const visit = (timer: number, parent: number): number => {
    if (timer === 0) return 0;
    const base = timers.baseOf(timer);
    expect(found, "a timer that is in the heap twice").not.toContain(timer);
    found.push(timer);
    expect(i32[base + T_PARENT]).toBe(parent);
    if (parent !== 0)
      expect(f64[(base + T_WHEN) >> 1]).toBeGreaterThanOrEqual(
        f64[(timers.baseOf(parent) + T_WHEN) >> 1] as number,
      );
    const left = visit(i32[base + T_LEFT] as number, timer);
    const right = visit(i32[base + T_RIGHT] as number, timer);
    expect(left).toBeGreaterThanOrEqual(right);
    expect(i32[base + T_RANK]).toBe(right + 1);
    return right + 1;
  };
  const root = i32[heap + P_TIMER_ROOT] as number;
  visit(root, 0);
  expect(f64[(heap + P_TIMER_NEXT) >> 1]).toBe(
    root === 0 ? Number.POSITIVE_INFINITY : f64[(timers.baseOf(root) + T_WHEN) >> 1],
  );
  return found.sort((a, b) => a - b);
}

function exploreTimers(dying: Use, other: Use, preemptions = 1): ExploreResult {
  return exploreUse({
    threads: [dying, other],
    preemptions,
    setup: ({ timers }) => {
      for (let timer = 1; timer <= TIMERS; timer++) {
        expect(timers.take(SILENT, timer)).toBe(timer);
        if (timer <= FIRST) timers.start(timer, 10 * timer);
      }
    },
    check: (host) => {
      const { i32, timers, memory } = host;
      const saying: number[] = [];
      for (let timer = 1; timer <= TIMERS; timer++)
        if (i32[timers.baseOf(timer) + T_HEAP] !== 0) saying.push(timer);
      expect(membersOf(host)).toEqual(saying);
      // The rest is the sweep's.
      timers.forgetSleepers(() => false);
      expect(i32[memory.layout.processors + P_TIMER_COUNT]).toBe(saying.length);
    },
  });
}

test("while it starts some", () => {
  expectNoFailure(exploreTimers(starts(6, 7), stops(1, 3)));
  expectNoFailure(exploreTimers(starts(7, 6), runs(25)));
});

test("while it stops some", () => {
  expectNoFailure(exploreTimers(stops(1, 4, 2), starts(6)));
  expectNoFailure(exploreTimers(stops(3, 5), runs(LATE_MS)));
});

test("while it runs some", () => {
  expectNoFailure(exploreTimers(runs(35), starts(6, 7)));
  expectNoFailure(exploreTimers(runs(LATE_MS), stops(2, 5)));
});

test("a lock that is only released leaves a heap that is torn", () => {
  withPlanted(DeadLocks.prototype, "take", onlyReleases, () =>
    expectFailure(exploreTimers(starts(6, 7), stops(1))),
  );
});
