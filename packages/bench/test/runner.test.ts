import { describe, expect, test } from "vitest";
import type { Case } from "../dist/case.js";
import { cases } from "../dist/cases/index.js";
import { buildGoSide } from "../dist/go.js";
import { runCase, runSide, sidesOf } from "../dist/runner.js";

const context = { budgetMs: 20, stepsPerUs: 100 };
const found = (name: string) => cases.find((one) => one.name === name) as Case;

test("without go there is no side for it", () => {
  expect(sidesOf(found("fib/2p"), undefined)).toEqual(["heddle"]);
  expect(sidesOf(found("fib/2p"), { version: "1.19", program: "" })).toEqual(["heddle", "go"]);
});

describe("a case", () => {
  test("has a figure of every side, each from a process that ended by itself", async () => {
    const ended: string[] = [];
    const result = await runCase(found("resident/2p"), {
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
    const broken: Case = { ...found("resident/2p"), peers: { tinypool: async () => [] } };
    const result = await runCase(broken, { rounds: 1, keepDisturbed: true, context, go: undefined });
    expect(result.failures).toEqual({
      tinypool: expect.stringMatching(/RangeError: side: resident\/2p has no side tinypool/),
    });
    expect(result.rounds[0]?.figures).toEqual({ heddle: expect.any(Number) });
  });
});

const go = await buildGoSide();

/** One case of each of Go's programs, with the fewest goroutines. */
function casesWithGo(): Case[] {
  const programs = new Map<string, Case>();
  for (const one of cases.toReversed()) if (one.peers.go !== undefined) programs.set(one.peers.go.go, one);
  return [...programs.values()];
}

test.runIf(go !== undefined)("every program of Go's gives a figure", async () => {
  for (const one of casesWithGo()) {
    const { samples } = await runSide(one, "go", { context, go });
    expect(samples, one.name).toHaveLength(1);
    expect(samples[0]?.value, one.name).toBeGreaterThan(0);
  }
});
