import { expect, test } from "vitest";
import { burn } from "../dist/burn.js";
import { cases, selectCases } from "../dist/cases/index.js";

const names = (selected: readonly { name: string }[]) => selected.map((one) => one.name);

test("names are unique", () => {
  expect(new Set(names(cases)).size).toBe(cases.length);
});

test("a goal is beside a peer that its case has", () => {
  for (const { goals, peers, name } of cases) {
    for (const { beside } of goals)
      if (beside !== undefined) expect(Object.keys(peers), name).toContain(beside);
  }
});

test("a family's name selects all of its cases, a full name one", () => {
  expect(names(selectCases(["fib"], false))).toEqual(["fib/1p", "fib/2p", "fib/4p", "fib/8p"]);
  expect(names(selectCases(["gosched/100"], false))).toEqual(["gosched/100"]);
});

test("without names the short selection, with --all everything", () => {
  expect(selectCases([], true)).toBe(cases);
  expect(selectCases([], false).length).toBeLessThan(cases.length);
});

test("an unknown name is refused with the names there are", () => {
  expect(() => selectCases(["fibb"], false)).toThrow(/unknown fibb; there are .*fib\/1p/);
});

test("work is done by steps and not dropped", () => {
  expect(burn(0)).not.toBe(burn(1));
  expect(burn(1000)).not.toBe(burn(1001));
});
