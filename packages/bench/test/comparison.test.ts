import { describe, expect, test } from "vitest";
import type { Case, Unit } from "../dist/case.js";
import { cases } from "../dist/cases/index.js";
import { type Compared, movementOf, renderMovements } from "../dist/comparison.js";
import { openRevision } from "../dist/other-revision.js";
import { mannWhitney, ranksOf } from "../dist/significance.js";

describe("the Mann–Whitney test", () => {
  test("ranks share the mean of theirs where values are equal", () => {
    expect(ranksOf([10, 30, 20, 20])).toEqual([1, 4, 2.5, 2.5]);
  });

  // Of the 252 ways to split ten values, two separate them wholly.
  test("two wholly separate samples of five have p = 2/252", () => {
    expect(mannWhitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])).toBeCloseTo(2 / 252, 2);
  });

  test("samples that interleave are not told apart", () => {
    expect(mannWhitney([1, 3, 5, 7, 9], [2, 4, 6, 8, 10])).toBeGreaterThan(0.5);
  });

  test("equal samples have p = 1", () => {
    expect(mannWhitney([5, 5, 5], [5, 5, 5])).toBe(1);
  });

  test("an outlier counts no more than its rank", () => {
    const a = [1, 2, 3, 4, 5, 6];
    expect(mannWhitney(a, [7, 8, 9, 10, 11, 1e9])).toBe(mannWhitney(a, [7, 8, 9, 10, 11, 12]));
  });

  test("the same figures give the same answer", () => {
    const samples = [
      [3, 1, 4, 1, 5],
      [9, 2, 6, 5, 3],
    ] as const;
    expect(mannWhitney(...samples)).toBe(mannWhitney(...samples));
  });
});

function compared(unit: Unit, thisTree: readonly number[], other: readonly number[]): Compared {
  const of: Case = { ...(cases[0] as Case), name: "made up", unit };
  const rounds = thisTree.map((figure, i) => ({
    figures: { "this tree": figure, other: other[i] as number },
    foreignShare: 0,
  }));
  return { of, turns: { rounds, discarded: 0, notes: {}, failures: {} } };
}

const about = (middle: number, spread: number): number[] =>
  [-3, -2, -1, 0, 1, 2, 3, 4].map((step) => middle + step * spread);

describe("a movement", () => {
  test.each<[Unit, number, number, string]>([
    ["ns", 50, 100, "faster"],
    ["ns", 100, 50, "slower"],
    ["tasks/s", 50, 100, "slower"],
    ["× serial", 100, 50, "faster"],
    ["MiB", 50, 100, "better"],
    ["bytes", 100, 50, "worse"],
  ])("in %s from %d beside %d is %s", (unit, thisTree, other, verdict) => {
    expect(movementOf(compared(unit, about(thisTree, 1), about(other, 1))).verdict).toBe(verdict);
  });

  test("is noise where the samples overlap", () => {
    expect(movementOf(compared("ns", about(100, 10), about(104, 10))).verdict).toBe("within noise");
  });

  test("is noise where the difference is sure but tiny", () => {
    expect(movementOf(compared("ns", about(1000, 1), about(1010, 1))).verdict).toBe("within noise");
  });

  test("is not claimed without figures of both", () => {
    const one = compared("ns", [], []);
    expect(movementOf(one)).toMatchObject({ verdict: "no figures", ratio: undefined, p: undefined });
  });
});

test("the text names what moved, or that nothing did", () => {
  const moved = movementOf(compared("ns", about(50, 1), about(100, 1)));
  expect(renderMovements([moved], "main")).toMatch(/made up is faster: × 0\.5/);
  const noise = movementOf(compared("ns", about(50, 1), about(50, 1)));
  expect(renderMovements([noise], "main")).toMatch(/Nothing moved beyond noise/);
});

test("a revision that does not exist is refused by name", async () => {
  await expect(openRevision("no-such-revision")).rejects.toThrow(/no-such-revision is no revision/);
});
