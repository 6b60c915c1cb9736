import Table from "cli-table3";
import { occurrences, type Tally } from "./tally.ts";
import type { Selection } from "./walk.ts";

/** What a side took in each round, and what it found. */
export interface Outcome {
  readonly side: string;
  readonly roundsMs: readonly number[];
  /** Of each round; all must be equal. */
  readonly checksums: readonly string[];
  /** Of the last round. */
  readonly tally: Tally;
}

/** Files that do not parse are named up to this many; a tree of test fixtures may hold hundreds of them. */
const LISTED_PROBLEMS = 20;

export function describeSelection(root: string, { paths, bytes, skipped, left }: Selection): string {
  const beyond = left === 0 ? "" : `, ${left} JavaScript files beyond the limits`;
  return `${paths.length} JavaScript files, ${megabytes(bytes)} MB, under ${root} (${skipped} TypeScript files skipped${beyond})`;
}

export function renderTable(selection: Selection, outcomes: readonly Outcome[]): string {
  const table = new Table({
    head: [
      "",
      outcomes.some(({ roundsMs }) => roundsMs.length > 1) ? "median time" : "time",
      "speed-up",
      "files",
      "MB",
      "MB/s",
      "identifiers",
      "distinct",
      "checksum",
    ],
    colAligns: ["left", "right", "right", "right", "right", "right", "right", "right", "left"],
    style: { head: [], border: [] },
  });
  for (const { side, roundsMs, checksums, tally } of outcomes) {
    const ms = median(roundsMs);
    table.push([
      side,
      `${(ms / 1000).toFixed(2)} s`,
      speedUp(outcomes, ms),
      selection.paths.length - tally.problems.length,
      megabytes(selection.bytes),
      (selection.bytes / 1000 / ms).toFixed(1),
      occurrences(tally),
      tally.identifiers.size,
      [...new Set(checksums)].join("\n"),
    ]);
  }
  return table.toString();
}

/** Against the serial side, if it ran. */
function speedUp(outcomes: readonly Outcome[], ms: number): string {
  const serial = outcomes.find(({ side }) => side === "serial");
  return serial === undefined ? "" : `${(median(serial.roundsMs) / ms).toFixed(2)} ×`;
}

/** The middle one; of an even number the later of the two. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

export function renderProblems({ problems }: Tally): string[] {
  if (problems.length === 0) return [];
  const listed = problems
    .map(({ path, message }) => `  ${path}: ${message}`)
    .sort()
    .slice(0, LISTED_PROBLEMS);
  const rest = problems.length - listed.length;
  return [
    `${problems.length} ${problems.length === 1 ? "file does" : "files do"} not parse:`,
    ...listed,
    ...(rest > 0 ? [`  … and ${rest} more`] : []),
  ];
}

/** True when every side found the same in every round. */
export function agree(outcomes: readonly Outcome[]): boolean {
  return new Set(outcomes.flatMap(({ checksums }) => checksums)).size <= 1;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
