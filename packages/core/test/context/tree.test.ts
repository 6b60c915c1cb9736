/** The records of contexts: who is below whom, what ends with what, and that every record comes back. */

import { describe, expect, test } from "vitest";
import { CanceledError, CloneError, DeadlineExceededError, MemoryLimitError } from "../../src/base/errors.ts";
import { cancelContext } from "../../src/context/cancel.ts";
import { CANCELED, type ContextTree, contextsOf, EXCEEDED, LIVE } from "../../src/context/tree.ts";
import { auditMemory } from "../../src/inspect/audit.ts";
import {
  C_HIDDEN,
  O_REFS,
  POOL_BUMP,
  POOL_OBJECT,
  POOL_WORDS,
  X_CHILD,
  X_DONE,
} from "../../src/memory/layout.ts";
import type { SharedMemory } from "../../src/memory/shared-memory.ts";
import { hasPendingTimers } from "../../src/time/timers.ts";
import { singleMachine } from "../support/single-machine.ts";
import { timedMachine } from "../support/timed-machine.ts";

/** Records that were ever taken from the pool: whole batches. */
function recordsEverUsed({ i32, layout }: SharedMemory): number {
  return i32[layout.pools + POOL_OBJECT * POOL_WORDS + POOL_BUMP];
}

/** More than a pool hands out at once, so that records which do not come back show. */
const MANY = 5000;

function states(tree: ContextTree, contexts: number[]): number[] {
  return contexts.map((context) => tree.state(context));
}

describe("the end of a context", () => {
  test("reaches all below, nobody above or beside", () => {
    const tree = contextsOf(singleMachine().machine);
    const top = tree.create(0);
    const middle = tree.create(top);
    const beside = tree.create(top);
    const low = tree.create(middle, { key: "key", value: 1 });
    const lowest = tree.create(low);
    expect(tree.end(middle, CANCELED, "why")).toBe(true);
    expect(states(tree, [top, middle, beside, low, lowest])).toEqual([
      LIVE,
      CANCELED,
      LIVE,
      CANCELED,
      CANCELED,
    ]);
    expect([middle, low, lowest].map((context) => tree.cause(context))).toEqual(["why", "why", "why"]);
    expect(tree.cause(top)).toBeUndefined();
  });

  test("of one in a record that was another's leaves that one's neighbours alone", () => {
    const tree = contextsOf(singleMachine().machine);
    const top = tree.create(0);
    const first = tree.create(top);
    const released = tree.create(top);
    tree.table.release(released);
    const root = tree.create(0);
    expect(root).toBe(released);
    const low = tree.create(top);
    tree.end(root, CANCELED, "its own");
    tree.end(first, CANCELED, "its own");
    tree.end(top, CANCELED, "all");
    expect(tree.state(low)).toBe(CANCELED);
  });

  test("does not bring back one whose last reference has just gone", () => {
    const { machine, memory } = singleMachine();
    const tree = contextsOf(machine);
    const top = tree.create(0);
    const dying = tree.create(top);
    // As if its thread had stopped between counting the reference off and taking it out of the list.
    const references = tree.table.baseOf(dying) + O_REFS;
    memory.i32[references] = 0;
    tree.end(top, CANCELED, undefined);
    expect(memory.i32[references]).toBe(0);
    memory.i32[references] = 1;
    tree.table.release(dying);
    tree.table.release(top);
    expect(auditMemory(machine)).toMatchObject({ objects: 0, problems: [] });
  });

  test("comes once: the first state and cause stay", () => {
    const tree = contextsOf(singleMachine().machine);
    const context = tree.create(0);
    expect(tree.end(context, EXCEEDED, undefined)).toBe(true);
    expect(tree.end(context, CANCELED, "late")).toBe(false);
    expect(tree.error(context)).toBeInstanceOf(DeadlineExceededError);
    expect(tree.cause(context)).toBeInstanceOf(DeadlineExceededError);
  });

  test("of one below keeps its own cause when the one above ends", () => {
    const tree = contextsOf(singleMachine().machine);
    const top = tree.create(0);
    const low = tree.create(top);
    tree.end(low, CANCELED, "own");
    tree.end(top, CANCELED, "other");
    expect([tree.cause(low), tree.cause(top)]).toEqual(["own", "other"]);
  });

  test("is there at once for whoever is made below", () => {
    const tree = contextsOf(singleMachine().machine);
    const top = tree.create(0);
    tree.end(top, CANCELED, "why");
    const low = tree.create(top);
    expect([tree.state(low), tree.cause(low)]).toEqual([CANCELED, "why"]);
    expect(tree.end(low, CANCELED, "again")).toBe(false);
  });

  test("closes its channel, made before or after", () => {
    const { machine } = singleMachine();
    const tree = contextsOf(machine);
    const early = tree.create(0);
    const late = tree.create(0);
    const channel = tree.done(early);
    expect(channel.tryRecv()).toBeUndefined();
    tree.end(early, CANCELED, undefined);
    tree.end(late, CANCELED, undefined);
    expect(channel.tryRecv()).toEqual([undefined, false]);
    expect(tree.done(late).tryRecv()).toEqual([undefined, false]);
    expect(tree.done(early).index).toBe(channel.index);
  });

  test.each([
    ["a function", () => {}, /cannot be copied|cause/],
    ["an error that holds a function", Object.assign(new Error("readable"), { call() {} }), /^readable$/],
  ])("with %s as cause: a cause that can be copied stands in", (_what, cause, message) => {
    const tree = contextsOf(singleMachine().machine);
    const context = tree.create(0);
    expect(tree.end(context, CANCELED, cause)).toBe(true);
    expect(tree.error(context)).toBeInstanceOf(CanceledError);
    expect((tree.cause(context) as Error).message).toMatch(message);
  });
});

describe("deadlines", () => {
  test("the earlier counts, on the way down", () => {
    const tree = contextsOf(singleMachine().machine);
    const top = tree.create(0, { deadline: 500 });
    const later = tree.create(top, { deadline: 900 });
    const earlier = tree.create(later, { deadline: 100 });
    expect([0, top, later, earlier].map((context) => tree.deadline(context))).toEqual([
      Number.POSITIVE_INFINITY,
      500,
      500,
      100,
    ]);
  });

  test("end the context when their time has come, not before", async () => {
    const { machine, advance, memory } = timedMachine();
    const tree = contextsOf(machine);
    const context = tree.create(0);
    const low = tree.create(context);
    tree.armDeadline(context, 10);
    await advance(9.9);
    expect(states(tree, [context, low])).toEqual([LIVE, LIVE]);
    await advance(0.1);
    expect(states(tree, [context, low])).toEqual([EXCEEDED, EXCEEDED]);
    expect(hasPendingTimers(memory)).toBe(false);
  });

  test("of a context that was cancelled are no timers any more, and hold nothing", async () => {
    const { machine, memory, advance } = timedMachine();
    const tree = contextsOf(machine);
    const before = recordsEverUsed(memory);
    for (let i = 0; i < MANY; i++) {
      const context = tree.create(0);
      tree.armDeadline(context, 1000);
      cancelContext(machine, context, CANCELED, undefined);
      tree.table.release(context);
    }
    expect(hasPendingTimers(memory)).toBe(false);
    expect(recordsEverUsed(memory) - before).toBeLessThan(MANY / 4);
    await advance(2000);
  });

  test("armed for a context that has ended do nothing", async () => {
    const { machine, memory } = timedMachine();
    const tree = contextsOf(machine);
    const context = tree.create(0);
    tree.end(context, CANCELED, undefined);
    tree.armDeadline(context, 5);
    expect(hasPendingTimers(memory)).toBe(false);
    expect(tree.state(context)).toBe(CANCELED);
  });
});

describe("values", () => {
  test("the nearest counts; undefined is a value", () => {
    const tree = contextsOf(singleMachine().machine);
    const top = tree.create(0, { key: "a", value: { deep: [1] } });
    const low = tree.create(tree.create(top, { key: "b", value: 2 }), { key: "a", value: undefined });
    expect([tree.value(top, "a"), tree.value(top, "b")]).toEqual([{ deep: [1] }, undefined]);
    expect([tree.value(low, "a"), tree.value(low, "b")]).toEqual([undefined, 2]);
  });

  test("that cannot be copied leave nothing behind", () => {
    const { machine, memory } = singleMachine();
    const tree = contextsOf(machine);
    const before = recordsEverUsed(memory);
    for (let i = 0; i < MANY; i++) {
      expect(() => tree.create(0, { key: "k".repeat(100), value: () => {} })).toThrow(CloneError);
    }
    expect(recordsEverUsed(memory)).toBe(before);
  });
});

describe("records come back", () => {
  test("of contexts beside each other, live or ended", () => {
    const { machine, memory } = singleMachine();
    const tree = contextsOf(machine);
    const top = tree.create(0);
    const before = recordsEverUsed(memory);
    for (let i = 0; i < MANY; i++) {
      const context = tree.create(top, { key: "key", value: "a value that needs a block of its own" });
      if (i % 2 === 0) tree.end(context, CANCELED, "a cause that needs a block of its own");
      tree.table.release(context);
    }
    expect(recordsEverUsed(memory) - before).toBeLessThan(MANY / 4);
    expect(memory.i32[tree.table.baseOf(top) + X_CHILD], "the parent's list").toBe(0);
  });

  test("of a long chain, when the last is dropped", () => {
    const { machine, memory } = singleMachine();
    const tree = contextsOf(machine);
    for (let round = 0; round < 3; round++) {
      let low = tree.create(0);
      for (let i = 0; i < MANY; i++) {
        const next = tree.create(low);
        tree.table.release(low);
        low = next;
      }
      tree.table.release(low);
    }
    expect(recordsEverUsed(memory)).toBeLessThan(MANY * 1.5);
  });

  test("of those below one that ends, dropped before or after", () => {
    const { machine, memory } = singleMachine();
    const tree = contextsOf(machine);
    for (let round = 0; round < 3; round++) {
      const top = tree.create(0);
      const low = Array.from({ length: MANY }, () => tree.create(top));
      for (const context of low.splice(0, MANY / 2)) tree.table.release(context);
      tree.end(top, CANCELED, undefined);
      for (const context of low) tree.table.release(context);
      tree.table.release(top);
    }
    expect(recordsEverUsed(memory)).toBeLessThan(MANY * 1.5);
  });

  test("a channel that outlives its context says nothing of the record's next user", () => {
    const { machine, memory } = singleMachine();
    const tree = contextsOf(machine);
    const context = tree.create(0);
    const channel = tree.done(context);
    const base = tree.table.baseOf(memory.i32[tree.table.baseOf(context) + X_DONE]);
    tree.end(context, CANCELED, undefined);
    expect(memory.i32[base + C_HIDDEN]).toBe(-context);
    tree.table.release(context);
    expect(memory.i32[base + C_HIDDEN]).toBe(0);
    expect(channel.tryRecv()).toEqual([undefined, false]);
  });
});

test("a context for which there is no record leaves nothing behind", () => {
  const { machine } = singleMachine({ maxObjects: 64 });
  const tree = contextsOf(machine);
  const takeAll = (): void => {
    for (;;) tree.create(0, { key: "key", value: "a value that takes a block of its own" });
  };
  expect(takeAll).toThrow(MemoryLimitError);
  const before = machine.slab.census();
  expect(takeAll).toThrow(MemoryLimitError);
  expect(machine.slab.census()).toEqual(before);
});

test("a cause whose getters use contexts is kept: no lock is held while the program runs", () => {
  const tree = contextsOf(singleMachine().machine);
  const context = tree.create(0);
  const cause = {
    get live(): boolean {
      return tree.state(tree.create(context)) === LIVE;
    },
  };
  expect(tree.end(context, CANCELED, cause)).toBe(true);
  expect(tree.cause(context)).toEqual({ live: true });
});

test("of two causes given at once the first to end the context is kept, and nothing of the other", () => {
  const { machine } = singleMachine();
  const tree = contextsOf(machine);
  const context = tree.create(0);
  const before = machine.slab.census();
  const late = {
    get first(): boolean {
      return tree.end(context, CANCELED, "first");
    },
  };
  expect(tree.end(context, CANCELED, late)).toBe(false);
  expect(tree.cause(context)).toBe("first");
  expect(machine.slab.census()).toEqual(before);
});
