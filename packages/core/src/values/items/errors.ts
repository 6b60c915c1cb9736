/** Errors, with their own class if it is known on every thread (error-classes.ts), and what hangs on them. */

import {
  ERROR,
  ERROR_CAUSE,
  ERROR_CODE,
  ERROR_ERRORS,
  ERROR_MESSAGE,
  ERROR_STACK,
  KIND_BITS,
} from "../block.ts";
import type { ErrorClasses } from "../error-classes.ts";
import { hasOwn, isEnumerable } from "../intrinsics.ts";
import type { ValueReader } from "../value-reader.ts";
import type { ValueWriter } from "../value-writer.ts";
import { define, defineProperties } from "./objects.ts";

const BITS = KIND_BITS;

/** Own properties of errors that are written as parts. */
const ERROR_PARTS = new Set(["name", "message", "stack"]);

// ── writing ──

/**
 * Writes an error. What structured clone leaves behind, an error's own properties, is taken along as far as
 * it can be copied: a socket that hangs on an error must not replace the error that its receiver waits for
 * by another.
 */
export function writeError(writer: ValueWriter, error: Error, classes: ErrorClasses): void {
  const name = nameOf(error);
  const header = writer.out.word(ERROR);
  const depth = ++writer.depth;
  writer.writeString(classes.nameFor(error, name));
  writer.writeString(name);
  const parts =
    writeTextPart(writer, error, "message", ERROR_MESSAGE) |
    writeTextPart(writer, error, "stack", ERROR_STACK) |
    writePart(writer, error, "cause", ERROR_CAUSE) |
    writePart(writer, error, "errors", ERROR_ERRORS) |
    writeCode(writer, error);
  writeErrorProperties(writer, error);
  writer.depth = depth - 1;
  writer.out.i32[header] = ERROR | (parts << BITS);
}

function writeTextPart(writer: ValueWriter, error: Error, part: "message" | "stack", flag: number): number {
  const text = error[part];
  if (typeof text !== "string") return 0;
  writer.writeString(text);
  return flag;
}

function writePart(writer: ValueWriter, error: Error, part: "cause" | "errors", flag: number): number {
  if (!hasOwn.call(error, part) || isEnumerable.call(error, part)) return 0;
  writer.keys[writer.depth] = part;
  return writer.tryWrite((error as unknown as Record<string, unknown>)[part]) ? flag : 0;
}

/** A code that would not be found among the properties: DOMException's, for one. */
function writeCode(writer: ValueWriter, error: Error & { code?: unknown }): number {
  if (isEnumerable.call(error, "code")) return 0;
  const { code } = error;
  if (typeof code !== "string" && typeof code !== "number") return 0;
  writer.write(code);
  return ERROR_CODE;
}

function writeErrorProperties(writer: ValueWriter, error: Error): void {
  const { out } = writer;
  const header = out.word(0);
  let count = 0;
  for (const key of Object.keys(error)) {
    if (ERROR_PARTS.has(key) || !hasOwn.call(error, key)) continue;
    writer.keys[writer.depth] = key;
    const before = out.at;
    writer.writeString(key);
    if (writer.tryWrite((error as unknown as Record<string, unknown>)[key])) count++;
    else out.at = before;
  }
  out.i32[header] = count;
}

/** Announces an error that is written later: its class. */
export function announceError(writer: ValueWriter, error: Error, classes: ErrorClasses): void {
  writer.writeString(classes.nameFor(error, nameOf(error)));
}

function nameOf(error: Error): string {
  const name: unknown = error.name;
  return typeof name === "string" ? name : "Error";
}

// ── reading ──

export function readError(reader: ValueReader, parts: number, classes: ErrorClasses): Error {
  const error = reader.register(createError(reader, classes));
  reader.enter();
  fillError(reader, error, parts);
  reader.leave();
  return error;
}

/** Reads the class's name and creates an error without content. */
export function createError(reader: ValueReader, classes: ErrorClasses): Error {
  const name = reader.readKey();
  const error = classes.create(name);
  if (error === undefined)
    throw reader.corrupt(`no error class is called ${JSON.stringify(name.slice(0, 40))}`);
  return error;
}

/** The item of an announced error says again of which class it is. */
export function refillError(reader: ValueReader, error: Error, parts: number): void {
  reader.readKey();
  fillError(reader, error, parts);
}

function fillError(reader: ValueReader, error: Error, parts: number): void {
  const name = reader.readString();
  if (error.name !== name) define(error, "name", name, false);
  const message = (parts & ERROR_MESSAGE) === 0 ? "" : reader.readString();
  if (error.message !== message) define(error, "message", message, false);
  // Assigned, not defined: V8 would first put together the stack of this very place.
  if ((parts & ERROR_STACK) !== 0) error.stack = reader.readString();
  else delete (error as { stack?: string }).stack;
  if ((parts & ERROR_CAUSE) !== 0) define(error, "cause", reader.read(), false);
  if ((parts & ERROR_ERRORS) !== 0) define(error, "errors", reader.read(), false);
  if ((parts & ERROR_CODE) !== 0) define(error, "code", reader.read(), false);
  defineProperties(reader, error);
}
