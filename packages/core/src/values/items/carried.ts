/** Objects of a kind that can travel by reference, and now and then do by a content that stands for them (CarriedKind). */

import { CARRIED, KIND_BITS } from "../block.ts";
import type { CarriedKind, ReferenceKind } from "../references.ts";
import type { ValueReader } from "../value-reader.ts";
import type { ValueWriter } from "../value-writer.ts";

const BITS = KIND_BITS;

// ── writing ──

export function writeCarried(writer: ValueWriter, kind: ReferenceKind, content: object): void {
  writer.out.word(CARRIED | (kind.kind << BITS));
  writer.depth++;
  writer.keys[writer.depth] = "<content>";
  writer.writeObject(content);
  writer.depth--;
}

// ── reading ──

export function readCarried(reader: ValueReader, carried: CarriedKind<object>): object {
  const object = reader.register(carried.create());
  reader.enter();
  fillCarried(reader, carried, object);
  reader.leave();
  return object;
}

export function fillCarried(reader: ValueReader, carried: CarriedKind<object>, object: object): void {
  const content = reader.read();
  if (typeof content !== "object" || content === null)
    throw reader.corrupt("the content of a reference is no object");
  carried.fill(object, content);
}
