/** What moved between two revisions: the figures of both, taken in turn, and whether they differ beyond noise. */
import Table from "cli-table3";
import type { Case, Unit } from "./case.ts";
import { type Spread, spreadOf } from "./figures.ts";
import type { Turns } from "./results.ts";
import { mannWhitney } from "./significance.ts";
import { formatFigure } from "./table.ts";

export type Revision = "this tree" | "other";

export interface Compared {
  readonly of: Case;
  readonly turns: Turns<Revision>;
}

/** Above it a difference counts as noise. One case in a hundred is said to have moved though it has not. */
const P_LIMIT = 0.01;
/** A smaller difference is not worth a word, however sure it is: code that moves in memory makes as much. */
const LEAST_CHANGE = 0.02;

export interface Movement {
  readonly name: string;
  readonly unit: Unit;
  readonly thisTree: Spread | undefined;
  readonly other: Spread | undefined;
  /** This tree's median over the other's; `undefined` when a side has no figures. */
  readonly ratio: number | undefined;
  /** How likely such a difference is if there is none. */
  readonly p: number | undefined;
  readonly verdict: "faster" | "slower" | "better" | "worse" | "within noise" | "no figures";
}

export function movementOf({ of, turns }: Compared): Movement {
  const thisTree = figuresOf(turns, "this tree");
  const other = figuresOf(turns, "other");
  const spreads = { thisTree: spreadOf(thisTree), other: spreadOf(other) };
  if (spreads.thisTree === undefined || spreads.other === undefined) {
    return {
      name: of.name,
      unit: of.unit,
      ...spreads,
      ratio: undefined,
      p: undefined,
      verdict: "no figures",
    };
  }
  const ratio = spreads.thisTree.median / spreads.other.median;
  const p = mannWhitney(thisTree, other);
  const moved = p <= P_LIMIT && Math.abs(ratio - 1) >= LEAST_CHANGE;
  return {
    name: of.name,
    unit: of.unit,
    ...spreads,
    ratio,
    p,
    verdict: moved ? direction(of.unit, ratio) : "within noise",
  };
}

function figuresOf(turns: Turns<Revision>, revision: Revision): number[] {
  return turns.rounds.flatMap((round) => round.figures[revision] ?? []);
}

function direction(unit: Unit, ratio: number): Movement["verdict"] {
  if (unit === "tasks/s" || unit === "× serial") return ratio > 1 ? "faster" : "slower";
  if (unit === "bytes" || unit === "MiB" || unit === "% of a core") return ratio < 1 ? "better" : "worse";
  return ratio < 1 ? "faster" : "slower";
}

export function renderMovements(movements: readonly Movement[], otherName: string): string {
  const table = new Table({
    head: ["Case", "Unit", "This tree", otherName, "Ratio", "p", ""],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, unit, thisTree, other, ratio, p, verdict } of movements) {
    table.push([name, unit, spreadText(thisTree), spreadText(other), text(ratio), text(p), verdict]);
  }
  return `${table.toString()}\n${summaryOf(movements)}`;
}

function summaryOf(movements: readonly Movement[]): string {
  const moved = movements.filter(({ verdict }) => verdict !== "within noise" && verdict !== "no figures");
  const lines = moved.map(({ name, ratio, verdict }) => `${name} is ${verdict}: × ${text(ratio)}`);
  const rule = `Moved means: p ≤ ${P_LIMIT} in the Mann–Whitney test and medians at least ${LEAST_CHANGE * 100} % apart.`;
  return [...(lines.length === 0 ? ["Nothing moved beyond noise."] : lines), rule].join("\n");
}

function spreadText(spread: Spread | undefined): string {
  if (spread === undefined) return "–";
  const { median, min, max } = spread;
  return `${formatFigure(median)} (${formatFigure(min)}–${formatFigure(max)})`;
}

function text(value: number | undefined): string {
  return value === undefined ? "–" : String(Number(value.toPrecision(3)));
}
