import { createHash } from "node:crypto";
import type { FileCount } from "./count.ts";

/** The counts of all files together. */
export interface Tally {
  readonly identifiers: Map<string, number>;
  readonly problems: Problem[];
}

export interface Problem {
  readonly path: string;
  readonly message: string;
}

export function emptyTally(): Tally {
  return { identifiers: new Map(), problems: [] };
}

export function addFile(tally: Tally, path: string, { identifiers, problem }: FileCount): void {
  for (const [name, count] of identifiers) {
    tally.identifiers.set(name, (tally.identifiers.get(name) ?? 0) + count);
  }
  if (problem !== undefined) tally.problems.push({ path, message: problem });
}

export function occurrences(tally: Tally): number {
  let sum = 0;
  for (const count of tally.identifiers.values()) sum += count;
  return sum;
}

/** Equal for equal counts and equal problems, in whatever order the files came. */
export function checksum(tally: Tally): string {
  const lines = [
    ...Array.from(tally.identifiers, ([name, count]) => `${name} ${count}`),
    ...tally.problems.map(({ path, message }) => `${path}: ${message}`),
  ];
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex").slice(0, 16);
}
