import { describe, expect, test } from "vitest";
import type { Case } from "../dist/case.js";
import type { CaseResult } from "../dist/results.js";
import {
  formatFigure,
  type Measured,
  type ResultTable,
  renderAsMarkdown,
  renderForTerminal,
  resultTables,
} from "../dist/table.js";

const beside: Case = {
  name: "spawn/10",
  section: "inside the runtime",
  scenario: "Ten of them.",
  unit: "ns",
  goals: [{ beside: "go", atMost: 1 }],
  short: true,
  run: async () => [],
  peers: { go: { go: "spawn", flags: {} }, piscina: async () => [] },
};

function measured(
  figures: CaseResult["rounds"][number]["figures"],
  failures: CaseResult["failures"] = {},
): Measured {
  return {
    of: beside,
    result: { name: beside.name, rounds: [{ figures, foreignShare: 0 }], discarded: 0, notes: {}, failures },
  };
}

function onlyTable(...cases: Measured[]): ResultTable {
  const [table, ...others] = resultTables(cases, "spreads");
  expect(others).toEqual([]);
  return table as ResultTable;
}

describe("a table", () => {
  test("holds every side's figure, Heddle's over it, and whether the goal is met", () => {
    const { head, rows } = onlyTable(measured({ heddle: 100, go: 200, piscina: 5e4 }));
    expect(head).toEqual(["Case", "Unit", "Heddle", "Go", "Piscina", "Goal", "Met"]);
    expect(rows[0]).toEqual(["spawn/10", "ns", "100", "200\n× 0.5", "50 k\n× 0.002", "≤ 1 × Go", "yes"]);
  });

  test("has no column for a peer that is not there, such as Go where it is not installed", () => {
    const { head, rows } = onlyTable(measured({ heddle: 100, piscina: 5e4 }));
    expect(head).not.toContain("Go");
    expect(rows[0]?.slice(-2)).toEqual(["≤ 1 × Go", "–"]);
  });

  test("says which side failed", () => {
    expect(onlyTable(measured({ heddle: 100 }, { piscina: "Error: gone" })).rows[0]).toContain("failed");
  });

  test("shows the ends of a spread only where they are asked for", () => {
    const rounds = [1, 2, 9].map((heddle) => ({ figures: { heddle }, foreignShare: 0 }));
    const { of, result } = measured({});
    const three = [{ of, result: { ...result, rounds } }];
    expect(resultTables(three, "spreads")[0]?.rows[0]).toContain("2 (1–9)");
    expect(resultTables(three, "medians")[0]?.rows[0]).toContain("2");
  });

  test("is made for each section that has cases, in the order of the report", () => {
    const host = measured({ heddle: 1 });
    const cases = [
      { ...host, of: { ...host.of, section: "from the host" as const } },
      measured({ heddle: 1 }),
    ];
    expect(resultTables(cases, "medians").map(({ section }) => section)).toEqual([
      "inside the runtime",
      "from the host",
    ]);
  });
});

test("both renderings hold every cell", () => {
  const table = onlyTable(measured({ heddle: 100, go: 200 }));
  for (const text of [renderForTerminal(table), renderAsMarkdown(table)]) {
    for (const cell of [...table.head, ...(table.rows[0] ?? [])])
      for (const line of cell.split("\n")) expect(text).toContain(line);
  }
});

test.each([
  [0, "0"],
  [0.01234, "0.0123"],
  [1.5, "1.5"],
  [12.345, "12.3"],
  [1234.5, "1235"],
  [48_322, "48.3 k"],
  [2_345_678, "2.35 M"],
])("%d reads %s", (value, text) => {
  expect(formatFigure(value)).toBe(text);
});
