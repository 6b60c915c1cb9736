/** Objects with nothing inside but primitives: dates, regular expressions, boxed primitives. */

import { BOXED, DATE, REGEXP } from "../block.ts";
import { flagsOfRegExp, sourceOfRegExp, timeOfDate, unbox } from "../intrinsics.ts";
import type { ValueReader } from "../value-reader.ts";
import type { ValueWriter } from "../value-writer.ts";

// ── writing ──

export function writeDate(writer: ValueWriter, value: object): void {
  writer.out.word(DATE);
  writer.out.double(timeOfDate.call(value));
}

export function writeRegExp(writer: ValueWriter, value: object): void {
  writer.out.word(REGEXP);
  writer.writeString(sourceOfRegExp.call(value));
  writer.writeString(flagsOfRegExp.call(value));
}

export function writeBoxed(writer: ValueWriter, value: object): void {
  writer.out.word(BOXED);
  writer.write(unbox.call(value));
}

// ── reading ──

export function readDate(reader: ValueReader): Date {
  return reader.register(new Date(reader.readDouble()));
}

export function readRegExp(reader: ValueReader): RegExp {
  const source = reader.readString();
  const flags = reader.readString();
  return reader.register(reader.attempt("a regular expression", () => new RegExp(source, flags)));
}

export function readBoxed(reader: ValueReader): object {
  // The primitive inside is no object and has no number.
  reader.enter();
  const value = reader.read();
  reader.leave();
  if (typeof value === "object" || value === undefined) throw reader.corrupt("a boxed primitive holds none");
  return reader.register(Object(value) as object);
}
