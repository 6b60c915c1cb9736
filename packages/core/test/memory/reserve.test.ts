/** Memory that is reserved for each thread: what malloc had of it would stay with malloc, and be cleared by hand the next time. */

import { expect, test } from "vitest";
import { SharedMemory } from "../../src/memory/shared-memory.ts";
import { holdingsIn, holdingsOfSurvivor, reserveHoldings } from "../../src/scheduler/thread/holdings.ts";

const memory = SharedMemory.create({
  procs: 1,
  maxMachines: 1,
  maxGoroutines: 100,
  maxObjects: 100,
  slabBytes: 2 ** 20,
  timeSliceMs: 10,
});

/** A buffer that may grow is never malloc's. It does not grow all the same. */
function expectOwnPages(buffer: ArrayBufferLike): void {
  expect(buffer).toMatchObject({ growable: true, maxByteLength: buffer.byteLength });
}

test("what a thread holds is written down on pages that go back to the system with it", () => {
  expectOwnPages(reserveHoldings(memory));
});

test("so are the readings of a thread that cannot die: sysmon's thread can, and has them, too", () => {
  expectOwnPages(holdingsOfSurvivor(memory).readings.buffer);
});

test("all lists have their room, apart from each other", () => {
  const buffer = reserveHoldings(memory);
  const { selects, handles, objects, timers, readings } = holdingsIn(memory, buffer);
  const lists = [selects, handles, objects, timers, readings];
  lists.forEach((list, i) => list.fill(i + 1));
  for (const [i, list] of lists.entries()) expect([...list].every((entry) => entry === i + 1)).toBe(true);
  expect(lists.reduce((sum, { byteLength }) => sum + byteLength, 0)).toBe(buffer.byteLength);
});
