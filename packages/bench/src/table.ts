/** The results as tables of text, one per section: with medians for the terminal, with spreads for Markdown. */
import Table from "cli-table3";
import type { Case, Goal, PeerName, Section, SideName, Unit } from "./case.ts";
import { figuresOf, ratiosTo, type Spread, spreadOf, type Verdict, verdictsOn } from "./figures.ts";
import type { CaseResult } from "./results.ts";

export const sideTitles: Readonly<Record<SideName, string>> = {
  heddle: "Heddle",
  go: "Go",
  promises: "promises",
  effect: "Effect",
  piscina: "Piscina",
  "piscina tuned": "Piscina, tuned",
  tinypool: "tinypool",
  workerpool: "workerpool",
  poolifier: "poolifier",
  bthreads: "bthreads",
  nanothreads: "nanothreads",
  comlink: "comlink",
  "jest-worker": "jest-worker",
};

const sections: readonly Section[] = [
  "inside the runtime",
  "lists of work",
  "from the host",
  "payloads",
  "processors",
];

export interface ResultTable {
  readonly section: Section;
  readonly head: readonly string[];
  /** A cell may have several lines. */
  readonly rows: readonly (readonly string[])[];
}

export interface Measured {
  readonly of: Case;
  readonly result: CaseResult;
}

/** Whether a cell holds the ends of a spread beside its median. */
type Detail = "medians" | "spreads";

/** A table per section, a row per case. A peer of which a section has no figures gets no column there. */
export function resultTables(measured: readonly Measured[], detail: Detail): ResultTable[] {
  return sections.flatMap((section) => {
    const within = measured.filter(({ of }) => of.section === section);
    return within.length === 0 ? [] : [resultTable(section, within, detail)];
  });
}

function resultTable(section: Section, measured: readonly Measured[], detail: Detail): ResultTable {
  const sides = (Object.keys(sideTitles) as SideName[]).filter((side) =>
    measured.some(({ result }) => side === "heddle" || hasResult(result, side)),
  );
  return {
    section,
    head: ["Case", "Unit", ...sides.map((side) => sideTitles[side]), "Goal", "Met"],
    rows: measured.map(({ of, result }) => {
      const verdicts = verdictsOn(of, result);
      return [
        of.name,
        of.unit,
        ...sides.map((side) => sideCell(of, result, side, detail)),
        verdicts.map(({ goal }) => goalText(goal, of.unit)).join("\n"),
        verdicts.map(metText).join("\n"),
      ];
    }),
  };
}

export function renderForTerminal({ head, rows }: ResultTable): string {
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

export function renderAsMarkdown({ head, rows }: Pick<ResultTable, "head" | "rows">): string {
  const lines = [
    head,
    head.map(() => "---"),
    ...rows.map((row) => row.map((cell) => cell.replaceAll("\n", "<br>"))),
  ];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Three digits are what a run on a shared machine can promise. */
export function formatFigure(value: number): string {
  if (value === 0) return "0";
  if (Math.abs(value) >= 1e6) return `${digits(value / 1e6)} M`;
  if (Math.abs(value) >= 1e4) return `${digits(value / 1e3)} k`;
  return digits(value);
}

function digits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function formatSpread({ median, min, max }: Spread, detail: Detail): string {
  const middle = formatFigure(median);
  return detail === "medians" || min === max
    ? middle
    : `${middle} (${formatFigure(min)}–${formatFigure(max)})`;
}

function hasResult(result: CaseResult, side: SideName): boolean {
  return figuresOf(result, side).length > 0 || result.failures[side] !== undefined;
}

/** A side's figure and, below it, what Heddle's is of it. */
function sideCell(of: Case, result: CaseResult, side: SideName, detail: Detail): string {
  if (result.failures[side] !== undefined) return "failed";
  const spread = spreadOf(figuresOf(result, side));
  if (spread === undefined) return side === "heddle" || side in of.peers ? "–" : "";
  const figure = formatSpread(spread, detail);
  const ratio = side === "heddle" ? undefined : spreadOf(ratiosTo(result, side));
  return ratio === undefined ? figure : `${figure}\n× ${formatSpread(ratio, detail)}`;
}

export function goalText({ beside, atMost, atLeast }: Goal, unit: Unit): string {
  const bound = atMost === undefined ? `≥ ${formatFigure(atLeast ?? 0)}` : `≤ ${formatFigure(atMost)}`;
  return beside === undefined ? `${bound} ${unit}` : `${bound} × ${peerText(beside)}`;
}

function peerText(peer: PeerName): string {
  return sideTitles[peer];
}

function metText({ met }: Verdict): string {
  return met === undefined ? "–" : met ? "yes" : "no";
}
