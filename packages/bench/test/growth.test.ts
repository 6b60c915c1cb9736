import { describe, expect, it } from "vitest";
import { growthIn, lowestOf } from "../dist/stress/growth.js";
import type { Sample } from "../src/stress/growth.ts";

/** A moment of rest with so many threads and so much memory. */
const sample = (machines: number, residentMiB: number, blocks = 0): Sample => ({
  machines,
  residentMiB,
  blocks,
  heapMiB: 10,
  handles: 1,
  descriptors: 0,
  waiters: 0,
  objects: 0,
  timers: 0,
  blockKiB: 0,
});
const five = (...args: Parameters<typeof sample>): Sample[] =>
  Array.from({ length: 5 }, () => sample(...args));

describe("growth of resident memory", () => {
  it("is not taken for a number of threads that was lower once", () => {
    const second = [sample(3, 159), ...five(4, 175), sample(6, 200)];
    const last = [sample(6, 202), ...five(4, 176), sample(5, 190)];
    expect(growthIn([...five(4, 150), ...five(4, 160), ...second, ...last].slice(-21))).toEqual([]);
  });

  it("is found with any number of threads", () => {
    const grown = growthIn([...five(4, 150), ...five(5, 175), ...five(5, 195)]);
    expect(grown).toEqual(["residentMiB went from 175.0 to 195.0"]);
  });

  it("is looked for all the same if no number of threads came twice", () => {
    expect(lowestOf([...five(4, 150), ...five(5, 175), ...five(6, 195)], "residentMiB")).toEqual([175, 195]);
  });
});

it("records that are lost now and then are told from those that always are", () => {
  const samples = [...five(4, 150), ...five(4, 150, 100), ...five(4, 150, 200)];
  expect(growthIn(samples, 100)).toEqual([]);
  expect(growthIn(samples, 0)).toEqual(["blocks went from 100.0 to 200.0"]);
});
