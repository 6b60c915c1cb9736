/**
 * Numbers that an array begins with, written and read in one go: a word each while they are ints, two from the first
 * that is none.
 */

import { DOUBLE_RUN, INT_RUN, KIND_BITS } from "../block.ts";
import type { BlockReader } from "../block-reader.ts";
import type { WordWriter } from "../word-writer.ts";

const BITS = KIND_BITS;

/** Elements of one run at most, so that room is made for what is there and not for a length. */
const LONGEST_RUN = 1 << 16;

// ── writing ──

/** Writes the numbers that an array begins with as runs; how many. */
export function writeNumberRuns(out: WordWriter, array: readonly unknown[], length: number): number {
  for (let i = 0; ; ) {
    const end = Math.min(length, i + LONGEST_RUN);
    i += writeRun(out, array, i, end - i);
    if (i < end || i === length) return i;
  }
}

/** Writes the numbers among `count` elements up to the first that is none, as one run; how many. */
function writeRun(out: WordWriter, array: readonly unknown[], first: number, count: number): number {
  if (typeof array[first] !== "number") return 0;
  out.reserve(2 * count + 3);
  const { i32, at } = out;
  let i = 0;
  let value: unknown;
  for (; i < count; i++) {
    value = array[first + i];
    if (typeof value !== "number" || (value | 0) !== value || (value === 0 && 1 / value < 0)) break;
    i32[at + 1 + i] = value;
  }
  if (i < count && typeof value === "number") return writeDoubles(out, array, first, count, i, value);
  i32[at] = INT_RUN | (i << BITS);
  out.at = at + 1 + i;
  return i;
}

/** The number after `ints` elements is not an int: widens those before it and goes on with doubles. */
function writeDoubles(
  out: WordWriter,
  array: readonly unknown[],
  first: number,
  count: number,
  ints: number,
  double: number,
): number {
  const { i32, f64, at } = out;
  const place = (at + 2) >> 1;
  for (let i = ints - 1; i >= 0; i--) f64[place + i] = i32[at + 1 + i];
  f64[place + ints] = double;
  let i = ints + 1;
  for (; i < count; i++) {
    const value = array[first + i];
    if (typeof value !== "number") break;
    f64[place + i] = value;
  }
  i32[at] = DOUBLE_RUN | (i << BITS);
  out.at = (place + i) * 2;
  return i;
}

// ── reading ──

/** Reads the elements of a run of a kind. */
export function readNumberRun(
  reader: BlockReader,
  kind: number,
  array: unknown[],
  first: number,
  count: number,
): void {
  if (kind === INT_RUN) readInts(reader, array, first, count);
  else readDoubles(reader, array, first, count);
}

function readInts(reader: BlockReader, array: unknown[], first: number, count: number): void {
  const { i32 } = reader;
  const at = reader.skip(count);
  for (let i = 0; i < count; i++) array[first + i] = i32[at + i];
}

function readDoubles(reader: BlockReader, array: unknown[], first: number, count: number): void {
  const { f64 } = reader;
  if ((reader.at & 1) === 1) reader.skip(1);
  const at = reader.skip(count * 2) / 2;
  for (let i = 0; i < count; i++) array[first + i] = f64[at + i];
}
