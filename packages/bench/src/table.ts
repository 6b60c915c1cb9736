/** The results as rows of text: once for the terminal, once for Markdown. */
import Table from "cli-table3";
import type { Case, Goal, PeerName, SideName, Unit } from "./case.ts";
import { figuresOf, type Spread, spreadOf, type Verdict, verdictsOn } from "./figures.ts";
import type { CaseResult } from "./results.ts";

const columnTitles: Record<SideName, string> = {
  heddle: "Heddle",
  go: "Go",
  piscina: "Piscina",
  "piscina tuned": "Piscina, tuned",
  tinypool: "tinypool",
};

export interface ResultRows {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Measured {
  readonly of: Case;
  readonly result: CaseResult;
}

/** One row per case. A peer that no case has figures of gets no column. */
export function resultRows(measured: readonly Measured[]): ResultRows {
  const sides = (Object.keys(columnTitles) as SideName[]).filter((side) =>
    measured.some(({ result }) => side === "heddle" || hasResult(result, side)),
  );
  return {
    head: ["Case", "Unit", ...sides.map((side) => columnTitles[side]), "Ratio", "Goal", "Met"],
    rows: measured.map(({ of, result }) => {
      const verdicts = verdictsOn(of, result);
      return [
        of.name,
        of.unit,
        ...sides.map((side) => sideCell(of, result, side)),
        verdicts.filter(isRatio).map(ratioCell).join("\n"),
        verdicts.map(({ goal }) => goalText(goal, of.unit)).join("\n"),
        verdicts.map(metText).join("\n"),
      ];
    }),
  };
}

export function renderForTerminal({ head, rows }: ResultRows): string {
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

export function renderAsMarkdown({ head, rows }: ResultRows): string {
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

export function formatSpread({ median, min, max }: Spread): string {
  return `${formatFigure(median)} (${formatFigure(min)}–${formatFigure(max)})`;
}

function hasResult(result: CaseResult, side: SideName): boolean {
  return figuresOf(result, side).length > 0 || result.failures[side] !== undefined;
}

function sideCell(of: Case, result: CaseResult, side: SideName): string {
  if (result.failures[side] !== undefined) return "failed";
  const spread = spreadOf(figuresOf(result, side));
  if (spread !== undefined) return formatSpread(spread);
  return side === "heddle" || side in of.peers ? "–" : "";
}

function isRatio({ goal }: Verdict): boolean {
  return goal.beside !== undefined;
}

function ratioCell({ figure }: Verdict): string {
  return figure === undefined ? "–" : formatSpread(figure);
}

export function goalText({ beside, atMost, atLeast }: Goal, unit: Unit): string {
  const bound = atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`;
  return beside === undefined ? `${bound} ${unit}` : `${bound} × ${peerText(beside)}`;
}

function peerText(peer: PeerName): string {
  return columnTitles[peer];
}

function metText({ met }: Verdict): string {
  return met === undefined ? "–" : met ? "yes" : "no";
}
