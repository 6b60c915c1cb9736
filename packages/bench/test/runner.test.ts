import { describe, expect, test } from "vitest";
import type { Case, GoProgram } from "../dist/case.js";
import { cases } from "../dist/cases/index.js";
import { buildGoSide } from "../dist/go.js";
import { runCase, runSide, sidesOf } from "../dist/runner.js";
import { runGoSide } from "../dist/side-process.js";

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

const MOST = 20;

/** Each of Go's programs with the settings of a case that uses it, and fewer goroutines. */
function goPrograms(): GoProgram[] {
  const programs = cases.flatMap(({ peers }) => peers.go ?? []);
  const smaller = programs.map(({ go: name, flags }) => ({
    go: name,
    flags: { ...flags, ...("size" in flags && { size: Math.min(Number(flags["size"]), MOST) }) },
  }));
  return [...new Map(smaller.map((program) => [program.go, program])).values()];
}

describe.runIf(go !== undefined)("Go's program", () => {
  test.each(goPrograms())("$go gives a figure", async (program) => {
    const { samples } = await runGoSide(go?.program ?? "", program, context);
    expect(samples).toEqual([{ value: expect.any(Number) }]);
  });
});

test.runIf(go !== undefined)("a case that has a Go side runs it", async () => {
  const { samples } = await runSide(found("gosched/2"), "go", { context, go });
  expect(samples[0]?.value).toBeGreaterThan(0);
});
