/** Plain objects, and the properties that other objects have, too. */

import { KIND_BITS, OBJECT } from "../block.ts";
import { hasOwn as hasOwnProperty, tagOf } from "../intrinsics.ts";
import type { ValueReader } from "../value-reader.ts";
import type { ValueWriter } from "../value-writer.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const BITS = KIND_BITS;
const OBJECT_ITEM = OBJECT;
const hasOwn = hasOwnProperty;

const ARGUMENTS_TAG = "[object Arguments]";

const { defineProperty } = Object;

// ── writing ──

export function writePlain(writer: ValueWriter, value: object): void {
  const { out, keys } = writer;
  const header = out.word(OBJECT_ITEM);
  const depth = ++writer.depth;
  let count = 0;
  let mayBeArguments = true;
  for (const key in value) {
    if (!hasOwn.call(value, key)) continue;
    keys[depth] = key;
    writer.writeString(key);
    writer.write((value as Record<string, unknown>)[key]);
    // Index keys come first: an `arguments` object begins with "0", or is empty.
    if (++count === 1) mayBeArguments = key === "0";
  }
  writer.depth = depth - 1;
  if (mayBeArguments && tagOf.call(value) === ARGUMENTS_TAG) throw writer.refusal("an arguments object");
  out.i32[header] = OBJECT_ITEM | (writer.checkedCount(count) << BITS);
}

// ── reading ──

export function readObject(reader: ValueReader, count: number): object {
  const object = reader.register({});
  reader.enter();
  fillObject(reader, object, count);
  reader.leave();
  return object;
}

export function fillObject(reader: ValueReader, object: object, count: number): void {
  for (let i = 0; i < count; i++) {
    const key = reader.readKey();
    // Assigning a name that Object.prototype has might call a setter (`__proto__`), or fail if it is frozen.
    if (reader.keyIsInherited) define(object, key, reader.read(), true);
    else (object as Record<string, unknown>)[key] = reader.read();
  }
}

/** Defines a property, whatever the prototype has of that name. */
export function define(object: object, key: string, value: unknown, enumerable: boolean): void {
  defineProperty(object, key, { value, enumerable, writable: true, configurable: true });
}

/** Reads a count and as many properties, of an object that has others. */
export function defineProperties(reader: ValueReader, object: object): void {
  const count = reader.next();
  for (let i = 0; i < count; i++) {
    const key = reader.readKey();
    const value = reader.read();
    // An array's `length` cannot be defined like this; nor would an encoder write it.
    reader.attempt("a property", () => define(object, key, value, true));
  }
}
