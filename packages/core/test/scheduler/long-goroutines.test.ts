/** Lists of long goroutines: how they are shared out between processors. The clock stands still but for what the goroutines themselves take. */

import { describe, expect, test } from "vitest";
import { DETACHED } from "../../src/goroutine/descriptor.ts";
import type { Body } from "../../src/goroutine/functions.ts";
import { P_WORDS } from "../../src/memory/layout.ts";
import { RunQueueOwner, RunQueueStealer } from "../../src/queue/run-queue.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import type { Goroutine, Handle } from "../../src/scheduler/frames/types.ts";
import { body, type SingleMachine, singleMachine } from "../support/single-machine.ts";

let now = 0;
let started: number[] = [];
let inOtherRing: number[] = [];
let otherRing: RunQueueStealer | undefined;

const takes = body((ms: number, number: number): void => {
  started.push(number);
  if (otherRing !== undefined) inOtherRing.push(otherRing.length());
  now += ms;
});

/** So many that the machine knows how long they take. */
const getToKnow = function* (ms: number): Goroutine<void> {
  const handles: Handle<void>[] = [];
  for (let i = 0; i < 100; i++) handles.push(spawn(takes, ms, i));
  for (const handle of handles) yield* handle;
};

const list = body(function* list(ms: number, count: number): Goroutine<void> {
  yield* getToKnow(ms);
  started = [];
  const handles: Handle<void>[] = [];
  for (let i = 0; i < count; i++) handles.push(spawn(takes, ms, i));
  for (const handle of handles) yield* handle;
});

function machineWith(procs: number): SingleMachine {
  now = 0;
  otherRing = undefined;
  return singleMachine({ procs, clock: () => now });
}

async function orderOf(procs: number, ms: number, count: number): Promise<number[]> {
  await machineWith(procs).run(list, ms, count);
  return started;
}

describe("the goroutine created last", () => {
  test("waits its turn behind a list of long ones, if others could help with it", async () => {
    expect(await orderOf(2, 0.2, 40)).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  test.each([
    ["short ones", 2, 0.001, 40],
    ["few", 2, 0.2, 10],
    ["one processor", 1, 0.2, 40],
  ])("goes first, as in Go: %s", async (_why, procs, ms, count) => {
    expect((await orderOf(procs, ms, count))[0]).toBe(count - 1);
  });
});

describe("a thief", () => {
  let fillRing = (): void => {};
  const fillAndEnd = body(function* fillAndEnd(ms: number): Goroutine<void> {
    yield* getToKnow(ms);
    fillRing();
  });

  /** What is left in the other processor's ring of `count` when the first of those stolen runs. */
  async function leftOf(count: number, ms: number): Promise<number | undefined> {
    const single = machineWith(2);
    const { machine, memory } = single;
    inOtherRing = [];
    fillRing = (): void => {
      const mine = (machine as unknown as { processor: number }).processor;
      const record = memory.layout.processors + (1 - mine) * P_WORDS;
      const ring = new RunQueueOwner(memory.i32, machine.globalQueue);
      ring.attach(record);
      const id = machine.functionId(takes as Body);
      for (let i = 0; i < count; i++) ring.push(machine.launch(id, [ms, i], DETACHED));
      otherRing = new RunQueueStealer(memory.i32, record);
    };
    await single.run(fillAndEnd, ms);
    await single.settle();
    return inOtherRing[0];
  }

  test("takes half of what is short", async () => {
    expect(await leftOf(100, 0.0001)).toBe(50);
  });

  test("takes one at a time of what is long", async () => {
    expect(await leftOf(100, 1)).toBe(99);
  });

  test("takes as many as keep it busy for a quarter of a millisecond", async () => {
    // Twice as many, at most, as the one that joins them is a goroutine, too, and takes no time.
    const taken = 100 - ((await leftOf(100, 0.05)) ?? 0);
    expect(taken).toBeGreaterThanOrEqual(5);
    expect(taken).toBeLessThanOrEqual(20);
  });
});
