/** Maps and Sets. */

import { KIND_BITS, MAP, SET } from "../block.ts";
import { forEachEntry, forEachMember } from "../intrinsics.ts";
import { keyOfEntry, valueOfEntry } from "../path.ts";
import type { ValueReader } from "../value-reader.ts";
import type { ValueWriter } from "../value-writer.ts";

const BITS = KIND_BITS;

// ── writing ──

export function writeMap(writer: ValueWriter, map: Map<unknown, unknown>): void {
  // A copy first: code that runs in between may add entries without end.
  const entries: unknown[] = [];
  forEachEntry.call(map, (value, key) => {
    entries.push(key, value);
  });
  const depth = ++writer.depth;
  writer.out.word(MAP | (writer.checkedCount(entries.length / 2) << BITS));
  for (let i = 0; i < entries.length; i += 2) {
    writer.keys[depth] = keyOfEntry(i / 2);
    writer.write(entries[i]);
    writer.keys[depth] = valueOfEntry(i / 2);
    writer.write(entries[i + 1]);
  }
  writer.depth = depth - 1;
}

export function writeSet(writer: ValueWriter, set: Set<unknown>): void {
  const members: unknown[] = [];
  forEachMember.call(set, (member) => {
    members.push(member);
  });
  const depth = ++writer.depth;
  writer.out.word(SET | (writer.checkedCount(members.length) << BITS));
  for (let i = 0; i < members.length; i++) {
    writer.keys[depth] = valueOfEntry(i);
    writer.write(members[i]);
  }
  writer.depth = depth - 1;
}

// ── reading ──

export function readMap(reader: ValueReader, count: number): Map<unknown, unknown> {
  const map = reader.register(new Map());
  reader.enter();
  fillMap(reader, map, count);
  reader.leave();
  return map;
}

export function fillMap(reader: ValueReader, map: Map<unknown, unknown>, count: number): void {
  for (let i = 0; i < count; i++) {
    const key = reader.read();
    map.set(key, reader.read());
  }
}

export function readSet(reader: ValueReader, count: number): Set<unknown> {
  const set = reader.register(new Set());
  reader.enter();
  fillSet(reader, set, count);
  reader.leave();
  return set;
}

export function fillSet(reader: ValueReader, set: Set<unknown>, count: number): void {
  for (let i = 0; i < count; i++) set.add(reader.read());
}
