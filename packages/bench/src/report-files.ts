/** The files of the report: `results/latest.json`, and from it `docs/benchmarks.md` with its charts. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import type { SideName } from "./case.ts";
import { selectCases } from "./cases/index.ts";
import { drawCharts } from "./charts.ts";
import { figuresOf, spreadOf, verdictsOn } from "./figures.ts";
import { type Report, renderPage } from "./report.ts";
import type { CaseResult } from "./results.ts";

const latest = new URL("../results/latest.json", import.meta.url);
const page = new URL("../../../docs/benchmarks.md", import.meta.url);
const charts = new URL("../../../docs/benchmarks/", import.meta.url);

export async function writeReport(report: Report): Promise<void> {
  await mkdir(new URL(".", latest), { recursive: true });
  await writeFile(latest, `${JSON.stringify(reportAsJson(report), undefined, 2)}\n`);
  await writePage(report);
}

/** The page and the charts anew from the figures of the last report. */
export async function renderAgain(): Promise<void> {
  await writePage(reportFromJson(await readFile(latest, "utf8")));
}

async function writePage(report: Report): Promise<void> {
  const drawn = drawCharts(report.measured);
  await rm(charts, { recursive: true, force: true });
  await mkdir(charts, { recursive: true });
  for (const { name, svg } of drawn) await writeFile(new URL(`${name}.svg`, charts), `${svg}\n`);
  await writeFile(page, renderPage(report, drawn));
}

export function reportAsJson({ measured, ...run }: Report): object {
  return {
    ...run,
    cases: measured.map(({ of, result }) => ({
      ...result,
      unit: of.unit,
      spreads: Object.fromEntries(
        (["heddle", ...Object.keys(of.peers)] as SideName[]).map((side) => [
          side,
          spreadOf(figuresOf(result, side)),
        ]),
      ),
      verdicts: verdictsOn(of, result),
    })),
  };
}

/** The figures come from the file, what they are figures of from the cases there are now. */
export function reportFromJson(text: string): Report {
  const { cases, ...run } = JSON.parse(text) as Omit<Report, "measured"> & { cases: readonly CaseResult[] };
  return {
    ...run,
    measured: cases.flatMap((result) => selectCases([result.name], false).map((of) => ({ of, result }))),
  };
}
