import { expect, test } from "vitest";
import type { Case } from "../dist/case.js";
import { cases } from "../dist/cases/index.js";
import { drawCharts } from "../dist/charts.js";
import { type Report, renderPage } from "../dist/report.js";
import { reportAsJson, reportFromJson } from "../dist/report-files.js";
import type { CaseResult } from "../dist/results.js";

const found = (name: string): Case => cases.find((one) => one.name === name) as Case;

function resultOf(name: string, figures: CaseResult["rounds"][number]["figures"]): CaseResult {
  return { name, rounds: [{ figures, foreignShare: 0 }], discarded: 0, notes: {}, failures: {} };
}

function reportOf(...results: CaseResult[]): Report {
  return {
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
    measured: results.map((result) => ({ of: found(result.name), result })),
  };
}

test("the page holds the machine, the versions, the commit, the date and the method", () => {
  const page = renderPage(reportOf(resultOf("ping-pong", { heddle: 1 })), []);
  for (const text of [
    "Fast One, 2 cores",
    "node 20.1.0",
    "commit abc",
    "2030-01-02",
    "median of 1 rounds",
    "up to 5 rounds",
    "1000 ms",
  ])
    expect(page).toContain(text);
});

test("the page says what was tuned, what failed, what was disturbed and how many rounds were thrown away", () => {
  const disturbed: CaseResult = {
    ...resultOf("host-throughput", {}),
    rounds: [{ figures: { heddle: 1 }, foreignShare: 0.2 }],
    discarded: 3,
    notes: { "piscina tuned": "1 thread" },
    failures: { comlink: "Error: at once" },
  };
  const page = renderPage(reportOf(disturbed), []);
  expect(page).toMatch(/host-throughput, piscina tuned: 1 thread/);
  expect(page).toMatch(/host-throughput, comlink failed: Error: at once/);
  expect(page).toMatch(/host-throughput \(up to 20 %\)/);
  expect(page).toMatch(/3 rounds were thrown away/);
});

test("the page counts the goals and names the cases that miss theirs", () => {
  const page = renderPage(
    reportOf(resultOf("select/ready", { heddle: 1, go: 1 }), resultOf("idle", { heddle: 9 })),
    [],
  );
  expect(page).toMatch(/1 of 2 goals are met; not met: idle\./);
});

test("what is written as JSON is read back, so that the page can be made again", () => {
  const report = reportOf(resultOf("ping-pong", { heddle: 100, go: 200 }));
  const again = reportFromJson(JSON.stringify(reportAsJson(report)));
  expect(renderPage(again, [])).toBe(renderPage(report, []));
});

test("figures of a case that is gone are refused", () => {
  const json = JSON.stringify({ cases: [resultOf("no-such-case", {})] });
  expect(() => reportFromJson(json)).toThrow(/unknown no-such-case/);
});

test("charts are drawn of what there are figures of, and the page shows them", () => {
  const report = reportOf(
    resultOf("ping-pong", { heddle: 100, go: 200 }),
    ...["8B", "1KiB"].map((length, i) => resultOf(`payload-in/${length}`, { heddle: 10 + i })),
  );
  const charts = drawCharts(report.measured);
  expect(charts.map(({ name }) => name)).toEqual(["channels", "payloads"]);
  for (const { svg } of charts) expect(svg).toMatch(/^<svg [^]*<\/svg>$/);
  expect(charts[0]?.svg).toContain("ping-pong");
  expect(charts[1]?.svg).toContain("1KiB");
  expect(renderPage(report, charts)).toMatch(/!\[Channels[^\]]*\]\(benchmarks\/channels\.svg\)/);
});

test("a missing figure leaves a gap and no chart fails", () => {
  expect(
    drawCharts(reportOf(resultOf("fib/1p", {}), resultOf("fib/2p", { heddle: 5 })).measured),
  ).not.toEqual([]);
});
