import { describe, expect, test } from "vitest";
import type { Case } from "../dist/case.js";
import { renderPage } from "../dist/report.js";
import type { CaseResult } from "../dist/results.js";
import {
  formatFigure,
  type Measured,
  renderAsMarkdown,
  renderForTerminal,
  resultRows,
} from "../dist/table.js";

const beside: Case = {
  name: "spawn/10",
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
    result: { name: beside.name, rounds: [{ figures, foreignShare: 0 }], notes: {}, failures },
  };
}

describe("rows", () => {
  test("hold every side's figure, the ratio and whether the goal is met", () => {
    const { head, rows } = resultRows([measured({ heddle: 100, go: 200, piscina: 5e4 })]);
    expect(head).toEqual(["Case", "Unit", "Heddle", "Go", "Piscina", "Ratio", "Goal", "Met"]);
    expect(rows[0]).toEqual([
      "spawn/10",
      "ns",
      "100 (100–100)",
      "200 (200–200)",
      "50 k (50 k–50 k)",
      "0.5 (0.5–0.5)",
      "≤ 1 × Go",
      "yes",
    ]);
  });

  test("have no column for a peer that is not there, such as Go where it is not installed", () => {
    const { head, rows } = resultRows([measured({ heddle: 100, piscina: 5e4 })]);
    expect(head).not.toContain("Go");
    expect(rows[0]?.slice(-3)).toEqual(["–", "≤ 1 × Go", "–"]);
  });

  test("say which side failed", () => {
    const { rows } = resultRows([measured({ heddle: 100 }, { piscina: "Error: gone" })]);
    expect(rows[0]).toContain("failed");
  });
});

test("both renderings hold every cell", () => {
  const table = resultRows([measured({ heddle: 100, go: 200 })]);
  for (const text of [renderForTerminal(table), renderAsMarkdown(table)]) {
    for (const cell of [...table.head, ...(table.rows[0] ?? [])]) expect(text).toContain(cell);
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

test("the page holds the table, the machine, failures and disturbed rounds", () => {
  const page = renderPage({
    machine: {
      cpu: "Fast One",
      cores: 2,
      memoryGiB: 4,
      system: "Linux x64",
      versions: { node: "20.1.0" },
      commit: "abc",
    },
    date: "2030-01-02",
    rounds: 5,
    budgetMs: 1000,
    measured: [
      {
        of: beside,
        result: {
          name: beside.name,
          rounds: [{ figures: { heddle: 1 }, foreignShare: 0.2 }],
          notes: { piscina: "1 thread" },
          failures: { go: "panic: at once" },
        },
      },
    ],
  });
  for (const text of ["Fast One, 2 cores", "node 20.1.0", "commit abc", "2030-01-02", "median of 5 rounds"]) {
    expect(page).toContain(text);
  }
  expect(page).toMatch(/spawn\/10, piscina: 1 thread/);
  expect(page).toMatch(/spawn\/10, go failed: panic: at once/);
  expect(page).toMatch(/other processes took up to 20 %/);
});
