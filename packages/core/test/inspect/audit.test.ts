import { expect, it } from "vitest";
import { auditMemory } from "../../src/inspect/audit.ts";
import { formatScheduler } from "../../src/inspect/scheduler-state.ts";
import { CACHE_POOLS, CACHE_WORDS, G_STATUS, POOL_G } from "../../src/memory/layout.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { body, type SingleMachine, singleMachine } from "../support/single-machine.ts";

const nothing = body(function* nothing(): Goroutine<void> {});

const some = body(function* some(): Goroutine<void> {
  for (let i = 0; i < 100; i++) yield* spawn(nothing);
});

async function used(): Promise<SingleMachine> {
  const single = singleMachine();
  await single.run(some);
  await single.settle();
  return single;
}

/** First word of the machine's list of free descriptors. */
function listOf({ memory }: SingleMachine): number {
  const { layout, i32, shape } = memory;
  const first = layout.caches + CACHE_POOLS + POOL_G * 2;
  for (let cache = 0; cache < shape.procs + shape.maxMachines + 2; cache++)
    if (i32[first + cache * CACHE_WORDS] !== 0) return first + cache * CACHE_WORDS;
  throw new Error("no cache holds descriptors");
}

it("when all have ended, nothing is in use and all lists are in order", async () => {
  const { goroutines, waiters, timers, problems } = auditMemory((await used()).host);
  expect({ goroutines, waiters, timers, problems }).toEqual({
    goroutines: 0,
    waiters: 0,
    timers: 0,
    problems: [],
  });
});

it("a descriptor that is given back twice is seen", async () => {
  const single = await used();
  const { i32 } = single.memory;
  single.machine.goroutines.give(i32[listOf(single)]);
  expect(auditMemory(single.host).problems.join()).toMatch(/goroutines, cache \d+: \d+ is free twice/);
});

it("a descriptor that is free and in use is seen", async () => {
  const single = await used();
  const { i32 } = single.memory;
  i32[single.host.descriptorOf(i32[listOf(single)]) + G_STATUS] = 4;
  expect(auditMemory(single.host).problems.join()).toMatch(/is free with status 4/);
});

it("a list that is shorter than it says is seen", async () => {
  const single = await used();
  single.memory.i32[listOf(single) + 1]++;
  expect(auditMemory(single.host).problems.join()).toMatch(/\d+ records in a list that counts \d+/);
});

it("the dump tells of every processor, machine and lock", async () => {
  const text = formatScheduler((await used()).host);
  expect(text).toMatch(/^scheduler: open, \d processors idle/);
  for (const part of ["locks: idle lists free", "processor 0: ", "host: ", "machine 1: alive"])
    expect(text).toContain(part);
});
