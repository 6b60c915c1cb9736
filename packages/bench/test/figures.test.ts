import { describe, expect, test } from "vitest";
import type { Case, Goal } from "../dist/case.js";
import { ratiosTo, spreadOf, verdictsOn } from "../dist/figures.js";
import type { CaseResult } from "../dist/results.js";

function caseWith(...goals: Goal[]): Case {
  return {
    name: "made up",
    section: "from the host",
    scenario: "",
    unit: "ns",
    goals,
    short: false,
    run: async () => [],
    peers: { piscina: async () => [] },
  };
}

function resultOf(...rounds: CaseResult["rounds"][number]["figures"][]): CaseResult {
  return {
    name: "made up",
    discarded: 0,
    notes: {},
    failures: {},
    rounds: rounds.map((figures) => ({ figures, foreignShare: 0 })),
  };
}

test("a spread is the median and the ends", () => {
  expect(spreadOf([5, 1, 9])).toEqual({ median: 5, min: 1, max: 9 });
  expect(spreadOf([4, 2])).toEqual({ median: 3, min: 2, max: 4 });
  expect(spreadOf([])).toBeUndefined();
});

test("a ratio pairs the figures of one round and skips rounds that lack one", () => {
  const result = resultOf(
    { heddle: 10, piscina: 20 },
    { heddle: 30 },
    { heddle: 40, piscina: 20 },
    { piscina: 1 },
  );
  expect(ratiosTo(result, "piscina")).toEqual([0.5, 2]);
});

describe("a verdict", () => {
  const result = resultOf(
    { heddle: 10, piscina: 20 },
    { heddle: 12, piscina: 20 },
    { heddle: 30, piscina: 20 },
  );

  test.each<[Goal, boolean]>([
    [{ beside: "piscina", atMost: 0.6 }, true],
    [{ beside: "piscina", atMost: 0.5 }, false],
    [{ beside: "piscina", atLeast: 0.6 }, true],
    [{ beside: "piscina", atLeast: 0.7 }, false],
    [{ atMost: 12 }, true],
    [{ atMost: 11 }, false],
  ])("on %j is %s", (goal, met) => {
    expect(verdictsOn(caseWith(goal), result)).toMatchObject([{ met }]);
  });

  test("is open when a side is missing", () => {
    expect(verdictsOn(caseWith({ beside: "go", atMost: 1 }), result)).toMatchObject([
      { figure: undefined, met: undefined },
    ]);
  });
});
