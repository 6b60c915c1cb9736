/**
 * Arrays: numbers they begin with as runs (number-runs.ts), the other elements as items, holes counted, and
 * then the properties that some have beside their elements.
 */

import {
  ARRAY,
  ARRAY_WITH_PROPERTIES,
  HOLE,
  HOLE_RUN,
  INT_RUN,
  KIND_BITS,
  KIND_MASK,
  LONG,
  UNDEFINED,
} from "../block.ts";
import { hasOwn as hasOwnProperty } from "../intrinsics.ts";
import type { ValueReader } from "../value-reader.ts";
import type { ValueWriter } from "../value-writer.ts";
import { readNumberRun, writeNumberRuns } from "./number-runs.ts";
import { defineProperties } from "./objects.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const BITS = KIND_BITS;
const MASK = KIND_MASK;
const ENTRY_LIMIT = LONG;
const hasOwn = hasOwnProperty;
/** Kinds of items that only occur inside arrays. */
const FIRST_RUN = INT_RUN;
const LAST_RUN = HOLE_RUN;

/** Arrays with fewer elements are not tried as a run of numbers: the items take as many words. */
const SHORTEST_RUN = 4;
/** After so many holes in a row, an array is taken for sparse and its keys are listed. */
const HOLES_IN_A_ROW = 64;
/**
 * Longest array that is allocated at once. Longer ones grow, so that a corrupt length reserves next to
 * nothing.
 */
const ALLOCATED_ELEMENTS = 1024;

// ── writing ──

export function writeArray(writer: ValueWriter, array: readonly unknown[]): void {
  const { out } = writer;
  const length = checkedLength(writer, array.length);
  const header = out.word(0);
  if (length >= ENTRY_LIMIT) out.word(length);
  const depth = ++writer.depth;
  const holes = writeElements(writer, array, length);
  const kind = hasProperties(array, length - holes) ? ARRAY_WITH_PROPERTIES : ARRAY;
  if (kind === ARRAY_WITH_PROPERTIES) writeArrayProperties(writer, array);
  writer.depth = depth - 1;
  out.i32[header] = kind | (Math.min(length, ENTRY_LIMIT) << BITS);
}

/** A Proxy's trap may call anything a length. */
function checkedLength(writer: ValueWriter, length: unknown): number {
  if (typeof length === "number" && length === length >>> 0) return length;
  throw writer.refusal("an array whose length is not a length");
}

/** Writes all elements; the number of holes among them. */
function writeElements(writer: ValueWriter, array: readonly unknown[], length: number): number {
  const { keys, depth } = writer;
  let holes = 0;
  let inARow = 0;
  for (let i = length < SHORTEST_RUN ? 0 : writeNumberRuns(writer.out, array, length); i < length; i++) {
    const value = array[i];
    if (value === undefined && !hasOwn.call(array, i)) {
      holes++;
      if (++inARow === HOLES_IN_A_ROW) return holes + writeSparse(writer, array, i + 1, length);
      writer.out.word(HOLE);
      continue;
    }
    inARow = 0;
    keys[depth] = i;
    writer.write(value);
  }
  return holes;
}

/**
 * Writes the elements from `first` on, by their keys; the number of holes among them. The hole before
 * `first` is not yet written.
 */
function writeSparse(writer: ValueWriter, array: readonly unknown[], first: number, length: number): number {
  let next = first - 1;
  let written = 0;
  for (const key of Object.keys(array)) {
    const index = Number(key);
    if (!(index >= next && index < length) || String(index) !== key) continue;
    const value = array[index];
    if (value === undefined && !hasOwn.call(array, index)) continue;
    writeHoles(writer, index - next);
    writer.keys[writer.depth] = index;
    writer.write(value);
    next = index + 1;
    written++;
  }
  writeHoles(writer, length - next);
  return length - first - written;
}

function writeHoles(writer: ValueWriter, count: number): void {
  if (count === 0) return;
  writer.out.word(HOLE_RUN);
  writer.out.word(count);
}

/**
 * Whether an array has enumerable properties beside its elements. The language has no way to list only
 * those; the number of all values tells, and costs 1 ns an element where listing the keys costs 5.
 */
function hasProperties(array: readonly unknown[], elements: number): boolean {
  return Object.values(array).length !== elements;
}

function writeArrayProperties(writer: ValueWriter, array: readonly unknown[]): void {
  const header = writer.out.word(0);
  let count = 0;
  for (const key of Object.keys(array)) {
    if (isIndex(key) || !hasOwn.call(array, key)) continue;
    writer.keys[writer.depth] = key;
    writer.writeString(key);
    writer.write((array as unknown as Record<string, unknown>)[key]);
    count++;
  }
  writer.out.i32[header] = count;
}

/** Whether a key is an array index: "0" to "4294967294". */
function isIndex(key: string): boolean {
  const index = Number(key) >>> 0;
  return String(index) === key && index !== 0xffffffff;
}

// ── reading ──

export function readArray(reader: ValueReader, n: number, withProperties: boolean): unknown[] {
  const length = readLength(reader, n);
  const isShort = length <= ALLOCATED_ELEMENTS && length <= reader.end - reader.at;
  // oxlint-disable-next-line unicorn/no-new-array -- all elements at once take half the time
  const array = reader.register(isShort ? new Array<unknown>(length) : []);
  reader.enter();
  fillArray(reader, array, length, withProperties);
  reader.leave();
  return array;
}

export function readLength(reader: ValueReader, n: number): number {
  return n === LONG ? reader.next() >>> 0 : n;
}

export function fillArray(
  reader: ValueReader,
  array: unknown[],
  length: number,
  withProperties: boolean,
): void {
  for (let i = 0; i < length; ) {
    const kind = reader.at < reader.end ? reader.i32[reader.at] & MASK : UNDEFINED;
    if (kind >= FIRST_RUN && kind <= LAST_RUN) i = readRun(reader, array, i, length);
    else array[i++] = reader.read();
  }
  if (array.length !== length) setLength(array, length);
  if (withProperties) defineProperties(reader, array);
}

/** Reads several elements, or holes; the index behind them. */
function readRun(reader: ValueReader, array: unknown[], first: number, length: number): number {
  const word = reader.next();
  const kind = word & MASK;
  const count = runCount(reader, kind, word >>> BITS);
  if (count > length - first)
    throw reader.corrupt(`a run of ${count} elements, where ${length - first} of ${length} are left`);
  if (kind < HOLE) readNumberRun(reader, kind, array, first, count);
  return first + count;
}

function runCount(reader: ValueReader, kind: number, n: number): number {
  if (kind === HOLE) return 1;
  return kind === HOLE_RUN ? reader.next() >>> 0 : n;
}

/**
 * Gives an array its length, with holes at the end. V8 would allocate all of them up to 32 million, so an
 * array with many is first made a sparse one by giving it a length beyond that.
 */
function setLength(array: unknown[], length: number): void {
  if (length - array.length > ALLOCATED_ELEMENTS) array.length = 0xffffffff;
  array.length = length;
}
