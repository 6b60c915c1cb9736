import { expect, test } from "vitest";
import { manyAwaits } from "./fixtures/many-awaits.mjs";

test.each([
  [1, 10_000],
  [4, 1000],
])(
  "a host awaits on %d runtimes, in five ways, %d times each, and its event loop turns",
  async (runtimes, each) => {
    expect(await manyAwaits(runtimes, each)).toEqual(Array.from({ length: runtimes }, () => true));
  },
);
