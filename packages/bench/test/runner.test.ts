import { describe, expect, test } from "vitest";
import type { Case } from "../dist/case.js";
import { cases } from "../dist/cases/index.js";
import { buildGoSide } from "../dist/go.js";
import type { Round } from "../dist/results.js";
import { leastDisturbed, runCase, runSide, sidesOf } from "../dist/runner.js";

const context = { budgetMs: 20, stepsPerUs: 100 };
const found = (name: string) => cases.find((one) => one.name === name) as Case;

test("without go there is no side for it", () => {
  expect(sidesOf(found("fib/1p"), undefined)).toEqual(["heddle"]);
  expect(sidesOf(found("fib/1p"), { version: "1.19", program: "" })).toEqual(["heddle", "go"]);
});

test("the least disturbed rounds are kept, in the order in which they ran", () => {
  const round = (foreignShare: number): Round => ({ figures: {}, foreignShare });
  expect(leastDisturbed([0.3, 0, 0.2, 0.1].map(round), 2)).toEqual([round(0), round(0.1)]);
});

describe("a case", () => {
  test("has a figure of every side, each from a process that ended by itself", async () => {
    const ended: string[] = [];
    const result = await runCase(found("start"), {
      rounds: 1,
      keepDisturbed: true,
      context,
      go: undefined,
      onSide: (_, side) => ended.push(side),
    });
    expect(result.failures).toEqual({});
    expect(result.rounds).toHaveLength(1);
    expect(result.rounds[0]?.figures).toEqual({ heddle: expect.any(Number), piscina: expect.any(Number) });
    expect(ended.slice(0, 2)).toEqual(["heddle", "piscina"]);
  });

  test("goes on without a side that fails and says why", async () => {
    const { name, scenario, unit, run } = found("start");
    const broken: Case = {
      name,
      scenario,
      unit,
      run,
      goals: [],
      short: false,
      peers: { tinypool: async () => [] },
    };
    const result = await runCase(broken, { rounds: 1, keepDisturbed: true, context, go: undefined });
    expect(result.failures).toEqual({
      tinypool: expect.stringMatching(/RangeError: side: start has no side tinypool/),
    });
    expect(result.rounds[0]?.figures).toEqual({ heddle: expect.any(Number) });
  });
});

const go = await buildGoSide();

test.runIf(go !== undefined)("every case that has a Go side gets a figure from it", async () => {
  for (const one of cases.filter(({ peers }) => peers.go !== undefined)) {
    const { samples } = await runSide(one, "go", { context, go });
    expect(samples, one.name).toHaveLength(1);
    expect(samples[0]?.value, one.name).toBeGreaterThan(0);
  }
});
