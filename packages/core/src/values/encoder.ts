/**
 * Writes a value as a block (see block.ts for the format).
 *
 * One walk through the value does everything: it finds what cannot be copied and says where, collects
 * references, and leaves the items in scratch memory. Only then is the block taken, so that no failure before
 * has anything to give back but counted references.
 *
 * The walk runs code of the program: getters, and traps of Proxies. That code may change the value, throw, or
 * send values itself. So nothing is read twice where the second answer could contradict the first, lists of
 * keys and entries are not trusted to stay as they were, and the codec uses another encoder while this one is
 * busy. What such code throws leaves `encode` as it is, after the references are given back.
 */

import { CloneError, MemoryLimitError } from "../base/errors.ts";
import type { SharedMemory } from "../memory/shared-memory.ts";
import type { Slab } from "../memory/slab.ts";
import {
  ARRAY,
  ARRAY_WITH_PROPERTIES,
  BACK,
  BLOCK_FLAGS,
  BLOCK_HAS_BACK,
  BLOCK_ITEMS,
  BLOCK_MAGIC,
  BLOCK_REFERENCES,
  BLOCK_WORDS,
  BOXED,
  CARRIED,
  DATE,
  ERROR,
  ERROR_CAUSE,
  ERROR_CODE,
  ERROR_ERRORS,
  ERROR_MESSAGE,
  ERROR_STACK,
  FALSE,
  HOLE,
  HOLE_RUN,
  KIND_BITS,
  LATER,
  LONG,
  largePartsAt,
  MAP,
  MAX_DEPTH,
  NULL,
  OBJECT,
  REFERENCE,
  REFERENCE_WORDS,
  REGEXP,
  RESIZABLE_BUFFER,
  SET,
  TRUE,
  UNDEFINED,
  VIEW,
} from "./block.ts";
import {
  Classifier,
  IS_ARRAY,
  IS_BOXED,
  IS_BUFFER,
  IS_DATE,
  IS_ERROR,
  IS_MAP,
  IS_PLAIN,
  IS_REGEXP,
  IS_SET,
  IS_VIEW,
  type Verdict,
} from "./classify.ts";
import type { ErrorClasses } from "./error-classes.ts";
import {
  flagsOfRegExp,
  forEachEntry,
  forEachMember,
  hasOwn as hasOwnProperty,
  isEnumerable,
  sourceOfRegExp,
  tagOf,
  timeOfDate,
  unbox,
} from "./intrinsics.ts";
import { describe, ItemWriter } from "./item-writer.ts";
import { writeNumberRuns } from "./number-runs.ts";
import { keyOfEntry, type PathStart, valueOfEntry } from "./path.ts";
import type { ReferenceKind, ReferenceTable } from "./references.ts";
import { takeRoom } from "./room.ts";
import { SeenObjects } from "./seen-objects.ts";
import type { TextPort, TextView } from "./text.ts";
import { viewKindOf } from "./views.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const BITS = KIND_BITS;
const OBJECT_ITEM = OBJECT;
const DEPTH_LIMIT = MAX_DEPTH;
const ENTRY_LIMIT = LONG;

/** Arrays with fewer elements are not tried as a run of numbers: the items take as many words. */
const SHORTEST_RUN = 4;
/** After so many holes in a row, an array is taken for sparse and its keys are listed. */
const HOLES_IN_A_ROW = 64;
const ARGUMENTS_TAG = "[object Arguments]";
/** Largest block: its words can be counted in one. */
const MAX_BYTES = 2 ** 32;

const hasOwn = hasOwnProperty;

/** What the encoder needs of its thread. */
export interface EncoderParts {
  readonly memory: SharedMemory;
  readonly slab: Slab;
  readonly references: ReferenceTable;
  readonly errors: ErrorClasses;
  readonly port: TextPort;
  /** Over the bytes of `memory`. */
  readonly text: TextView;
}

/** A container announced by a LATER item, and what has to be known to write it. */
interface Postponed {
  readonly value: object;
  readonly verdict: Verdict;
  readonly content: object | undefined;
  readonly start: PathStart;
}

export class Encoder extends ItemWriter {
  /** Set by the user of the encoder while it encodes. */
  busy = false;
  /** Words of the block that `encode` returned. */
  words = 0;
  private readonly memory: SharedMemory;
  private readonly slab: Slab;
  private readonly text: TextView;
  private readonly references: ReferenceTable;
  private readonly errors: ErrorClasses;
  private readonly classifier: Classifier;
  private readonly seen = new SeenObjects();
  /** Counted references, three words each. */
  private counted = new Int32Array(16 * REFERENCE_WORDS);
  private countedReferences = 0;
  private hasBack = false;
  private postponed: Postponed[] = [];
  /** Byte at which the block begins; 0 while there is none. */
  private block = 0;
  /**
   * True from the beginning of `encode` until everything is tidied up: after a stack overflow even that may
   * not succeed.
   */
  private dirty = false;

  constructor(parts: EncoderParts) {
    super(parts.port, Math.min(parts.slab.maxBytes, MAX_BYTES));
    this.memory = parts.memory;
    this.slab = parts.slab;
    this.text = parts.text;
    this.references = parts.references;
    this.errors = parts.errors;
    this.classifier = new Classifier(parts.references);
  }

  /** What an object is. */
  verdictOn(value: object): Verdict {
    return this.classifier.verdictOn(value);
  }

  /**
   * Writes a value to a block; the byte at which the block begins. `where` begins the path in errors. If it
   * throws, nothing is kept.
   */
  encode(value: unknown, where: string): number {
    if (this.dirty) this.giveUp();
    this.dirty = true;
    this.where = where;
    try {
      this.write(value);
      for (let i = 0; i < this.postponed.length; i++) this.writePostponed(this.postponed[i] as Postponed);
      this.finish();
      this.store();
    } catch (error) {
      this.giveUp();
      throw error;
    }
    const { block } = this;
    this.reset();
    return block;
  }

  /** Takes a block and writes what was put together. */
  private store(): void {
    const { out, large, memory } = this;
    this.block = takeRoom(this.slab, this.words * 4);
    out.copyTo(memory.i32, this.block / 4);
    if (large.count > 0) large.copyTo(memory.u8, this.text, this.block + out.at * 4);
  }

  /** Gives back everything that the value has taken so far. */
  private giveUp(): void {
    if (this.block !== 0) this.slab.give(this.block);
    this.block = 0;
    this.releaseFrom(0);
    this.reset();
  }

  /** Forgets the value. */
  private reset(): void {
    this.out.reset();
    this.large.reset();
    this.seen.reset();
    this.block = 0;
    this.countedReferences = 0;
    this.hasBack = false;
    this.depth = 0;
    this.start = undefined;
    if (this.postponed.length > 0) this.postponed = [];
    if (this.keys.length > DEPTH_LIMIT) this.keys.length = DEPTH_LIMIT;
    this.dirty = false;
  }

  /** Adds the references and fills in the header. */
  private finish(): void {
    const { out, countedReferences } = this;
    const items = out.at;
    out.words(this.counted, countedReferences * REFERENCE_WORDS);
    if (out.at < largePartsAt(items, countedReferences)) out.word(0);
    this.words = out.at + this.large.bytes / 4;
    const { i32 } = out;
    i32[BLOCK_ITEMS] = items;
    i32[BLOCK_REFERENCES] = countedReferences;
    i32[BLOCK_WORDS] = this.words;
    i32[BLOCK_FLAGS] = BLOCK_MAGIC | (this.hasBack ? BLOCK_HAS_BACK : 0);
  }

  // ── values ──

  private write(value: unknown): void {
    switch (typeof value) {
      case "number":
        this.writeNumber(value);
        return;
      case "string":
        this.writeString(value);
        return;
      case "object":
        if (value === null) this.out.word(NULL);
        else this.writeObject(value);
        return;
      case "boolean":
        this.out.word(value ? TRUE : FALSE);
        return;
      case "undefined":
        this.out.word(UNDEFINED);
        return;
      case "bigint":
        this.writeBigInt(value);
        return;
      default:
        throw this.refusal(describe(value));
    }
  }

  private writeObject(value: object): void {
    const number = this.seen.look(value);
    if (number >= 0) {
      this.hasBack = true;
      this.out.word(BACK | (number << BITS));
      return;
    }
    const verdict = this.classifier.verdictOn(value);
    if (verdict === IS_PLAIN && this.depth < DEPTH_LIMIT) this.writePlain(value);
    else this.writeByVerdict(value, verdict);
  }

  private writeByVerdict(value: object, verdict: Verdict): void {
    if (typeof verdict === "object") return this.writeReference(value, verdict);
    switch (verdict) {
      case IS_DATE:
        this.out.word(DATE);
        return this.out.double(timeOfDate.call(value));
      case IS_REGEXP:
        return this.writeRegExp(value as RegExp);
      case IS_BOXED:
        this.out.word(BOXED);
        return this.write(unbox.call(value));
      case IS_BUFFER:
        return this.writeBuffer(value as ArrayBuffer);
      case IS_VIEW:
        return this.writeView(value as ArrayBufferView);
      case IS_PLAIN:
      case IS_ARRAY:
      case IS_MAP:
      case IS_SET:
      case IS_ERROR:
        if (this.depth >= DEPTH_LIMIT) return this.postpone(value, verdict, undefined);
        return this.writeContainer(value, verdict, undefined);
      default:
        throw this.refusal(describe(value));
    }
  }

  // ── containers ──

  private writeContainer(value: object, verdict: Verdict, content: object | undefined): void {
    if (typeof verdict === "object") return this.writeCarried(verdict, content as object);
    switch (verdict) {
      case IS_ARRAY:
        return this.writeArray(value as unknown[]);
      case IS_MAP:
        return this.writeMap(value as Map<unknown, unknown>);
      case IS_SET:
        return this.writeSet(value as Set<unknown>);
      case IS_ERROR:
        return this.writeError(value as Error);
      default:
        return this.writePlain(value);
    }
  }

  /** Announces a container that lies too deep to be written here. */
  private postpone(value: object, verdict: Verdict, content: object | undefined): void {
    const start = { before: this.start, keys: this.keys.slice(1, this.depth + 1) };
    this.postponed.push({ value, verdict, content, start });
    this.out.word(LATER | (containerKind(verdict) << BITS));
    if (typeof verdict === "object") this.out.word(verdict.kind);
    else if (verdict === IS_ERROR) this.writeString(this.errors.nameFor(value, nameOf(value as Error)));
  }

  private writePostponed({ value, verdict, content, start }: Postponed): void {
    this.start = start;
    this.depth = 0;
    this.writeContainer(value, verdict, content);
  }

  private writePlain(value: object): void {
    const { out, keys } = this;
    const header = out.word(OBJECT_ITEM);
    const depth = ++this.depth;
    let count = 0;
    let mayBeArguments = true;
    for (const key in value) {
      if (!hasOwn.call(value, key)) continue;
      keys[depth] = key;
      this.writeString(key);
      this.write((value as Record<string, unknown>)[key]);
      // Index keys come first: an `arguments` object begins with "0", or is empty.
      if (++count === 1) mayBeArguments = key === "0";
    }
    this.depth = depth - 1;
    if (mayBeArguments && tagOf.call(value) === ARGUMENTS_TAG) throw this.refusal("an arguments object");
    out.i32[header] = OBJECT_ITEM | (this.checkedCount(count) << BITS);
  }

  private writeMap(map: Map<unknown, unknown>): void {
    // A copy first: code that runs in between may add entries without end.
    const entries: unknown[] = [];
    forEachEntry.call(map, (value, key) => {
      entries.push(key, value);
    });
    const depth = ++this.depth;
    this.out.word(MAP | (this.checkedCount(entries.length / 2) << BITS));
    for (let i = 0; i < entries.length; i += 2) {
      this.keys[depth] = keyOfEntry(i / 2);
      this.write(entries[i]);
      this.keys[depth] = valueOfEntry(i / 2);
      this.write(entries[i + 1]);
    }
    this.depth = depth - 1;
  }

  private writeSet(set: Set<unknown>): void {
    const members: unknown[] = [];
    forEachMember.call(set, (member) => {
      members.push(member);
    });
    const depth = ++this.depth;
    this.out.word(SET | (this.checkedCount(members.length) << BITS));
    for (let i = 0; i < members.length; i++) {
      this.keys[depth] = valueOfEntry(i);
      this.write(members[i]);
    }
    this.depth = depth - 1;
  }

  private checkedCount(count: number): number {
    if (count >= ENTRY_LIMIT)
      throw new MemoryLimitError(`${this.path()}: ${count} entries are more than a value can hold`);
    return count;
  }

  // ── arrays ──

  private writeArray(array: readonly unknown[]): void {
    const { out } = this;
    const length = this.checkedLength(array.length);
    const header = out.word(0);
    if (length >= ENTRY_LIMIT) out.word(length);
    const depth = ++this.depth;
    const holes = this.writeElements(array, length);
    const kind = this.hasProperties(array, length - holes) ? ARRAY_WITH_PROPERTIES : ARRAY;
    if (kind === ARRAY_WITH_PROPERTIES) this.writeArrayProperties(array);
    this.depth = depth - 1;
    out.i32[header] = kind | (Math.min(length, ENTRY_LIMIT) << BITS);
  }

  /** A Proxy's trap may call anything a length. */
  private checkedLength(length: unknown): number {
    if (typeof length === "number" && length === length >>> 0) return length;
    throw this.refusal("an array whose length is not a length");
  }

  /** Writes all elements; the number of holes among them. */
  private writeElements(array: readonly unknown[], length: number): number {
    const { keys, depth } = this;
    let holes = 0;
    let inARow = 0;
    for (let i = length < SHORTEST_RUN ? 0 : writeNumberRuns(this.out, array, length); i < length; i++) {
      const value = array[i];
      if (value === undefined && !hasOwn.call(array, i)) {
        holes++;
        if (++inARow === HOLES_IN_A_ROW) return holes + this.writeSparse(array, i + 1, length);
        this.out.word(HOLE);
        continue;
      }
      inARow = 0;
      keys[depth] = i;
      this.write(value);
    }
    return holes;
  }

  /**
   * Writes the elements from `first` on, by their keys; the number of holes among them. The hole before
   * `first` is not yet written.
   */
  private writeSparse(array: readonly unknown[], first: number, length: number): number {
    let next = first - 1;
    let written = 0;
    for (const key of Object.keys(array)) {
      const index = Number(key);
      if (!(index >= next && index < length) || String(index) !== key) continue;
      const value = array[index];
      if (value === undefined && !hasOwn.call(array, index)) continue;
      this.writeHoles(index - next);
      this.keys[this.depth] = index;
      this.write(value);
      next = index + 1;
      written++;
    }
    this.writeHoles(length - next);
    return length - first - written;
  }

  private writeHoles(count: number): void {
    if (count === 0) return;
    this.out.word(HOLE_RUN);
    this.out.word(count);
  }

  /**
   * Whether an array has enumerable properties beside its elements. The language has no way to list only
   * those; the number of all values tells, and costs 1 ns an element where listing the keys costs 5.
   */
  private hasProperties(array: readonly unknown[], elements: number): boolean {
    return Object.values(array).length !== elements;
  }

  private writeArrayProperties(array: readonly unknown[]): void {
    const header = this.out.word(0);
    let count = 0;
    for (const key of Object.keys(array)) {
      if (isIndex(key) || !hasOwn.call(array, key)) continue;
      this.keys[this.depth] = key;
      this.writeString(key);
      this.write((array as unknown as Record<string, unknown>)[key]);
      count++;
    }
    this.out.i32[header] = count;
  }

  // ── errors ──

  /**
   * Writes an error. What structured clone leaves behind, an error's own properties, is taken along as far as
   * it can be copied: a socket that hangs on an error must not replace the error that its receiver waits for
   * by another.
   */
  private writeError(error: Error): void {
    const name = nameOf(error);
    const header = this.out.word(ERROR);
    const depth = ++this.depth;
    this.writeString(this.errors.nameFor(error, name));
    this.writeString(name);
    const parts =
      this.writeTextPart(error, "message", ERROR_MESSAGE) |
      this.writeTextPart(error, "stack", ERROR_STACK) |
      this.writePart(error, "cause", ERROR_CAUSE) |
      this.writePart(error, "errors", ERROR_ERRORS) |
      this.writeCode(error);
    this.writeErrorProperties(error);
    this.depth = depth - 1;
    this.out.i32[header] = ERROR | (parts << BITS);
  }

  private writeTextPart(error: Error, part: "message" | "stack", flag: number): number {
    const text = error[part];
    if (typeof text !== "string") return 0;
    this.writeString(text);
    return flag;
  }

  private writePart(error: Error, part: "cause" | "errors", flag: number): number {
    if (!hasOwn.call(error, part) || isEnumerable.call(error, part)) return 0;
    this.keys[this.depth] = part;
    return this.tryWrite((error as unknown as Record<string, unknown>)[part]) ? flag : 0;
  }

  /** A code that would not be found among the properties: DOMException's, for one. */
  private writeCode(error: Error & { code?: unknown }): number {
    if (isEnumerable.call(error, "code")) return 0;
    const { code } = error;
    if (typeof code !== "string" && typeof code !== "number") return 0;
    this.write(code);
    return ERROR_CODE;
  }

  private writeErrorProperties(error: Error): void {
    const { out } = this;
    const header = out.word(0);
    let count = 0;
    for (const key of Object.keys(error)) {
      if (ERROR_PARTS.has(key) || !hasOwn.call(error, key)) continue;
      this.keys[this.depth] = key;
      const before = out.at;
      this.writeString(key);
      if (this.tryWrite((error as unknown as Record<string, unknown>)[key])) count++;
      else out.at = before;
    }
    out.i32[header] = count;
  }

  /** Writes a value, or, if something in it cannot be copied, nothing, and returns false. */
  private tryWrite(value: unknown): boolean {
    const { depth, hasBack, countedReferences } = this;
    const { at } = this.out;
    const { count: large } = this.large;
    const { count: seen } = this.seen;
    const { length: postponed } = this.postponed;
    try {
      this.write(value);
      return true;
    } catch (error) {
      if (!(error instanceof CloneError)) throw error;
      this.depth = depth;
      this.hasBack = hasBack;
      this.releaseFrom(countedReferences);
      this.out.at = at;
      this.large.truncate(large);
      this.seen.truncate(seen);
      this.postponed.length = postponed;
      return false;
    }
  }

  // ── other objects ──

  private writeRegExp(value: RegExp): void {
    this.out.word(REGEXP);
    this.writeString(sourceOfRegExp.call(value));
    this.writeString(flagsOfRegExp.call(value));
  }

  private writeBuffer(buffer: ArrayBuffer): void {
    const { maxByteLength } = buffer as { maxByteLength?: number };
    if (buffer.byteLength === 0) this.refuseDetached(buffer);
    if (maxByteLength !== undefined && (buffer as { resizable?: boolean }).resizable === true) {
      this.out.word(RESIZABLE_BUFFER);
      this.out.double(maxByteLength);
    }
    this.writeBytes(new Uint8Array(buffer));
  }

  /** A detached buffer cannot be looked at. */
  private refuseDetached(buffer: ArrayBuffer): void {
    try {
      new Uint8Array(buffer);
    } catch {
      throw this.refusal("a detached ArrayBuffer");
    }
  }

  private writeView(view: ArrayBufferView): void {
    const kind = viewKindOf(view);
    const shape = this.shapeOf(view);
    this.out.word(VIEW | (kind << BITS));
    this.out.double(shape.offset);
    this.out.double(shape.length);
    this.keys[++this.depth] = "buffer";
    this.writeObject(view.buffer);
    this.depth--;
  }

  /** Offset in bytes, and length in elements. A DataView beyond the end of its shrunk buffer has none. */
  private shapeOf(view: ArrayBufferView): { offset: number; length: number } {
    try {
      const { byteOffset, byteLength } = view;
      const { BYTES_PER_ELEMENT = 1 } = view as { BYTES_PER_ELEMENT?: number };
      return { offset: byteOffset, length: byteLength / BYTES_PER_ELEMENT };
    } catch {
      throw this.refusal("a view that lies outside its ArrayBuffer");
    }
  }

  // ── references ──

  private writeReference(value: object, kind: ReferenceKind): void {
    const content = kind.carried?.contentOf(value);
    if (content === undefined) this.out.word(REFERENCE | (this.count(value, kind) << BITS));
    else if (this.depth >= DEPTH_LIMIT) this.postpone(value, kind, content);
    else this.writeCarried(kind, content);
  }

  private writeCarried(kind: ReferenceKind, content: object): void {
    this.out.word(CARRIED | (kind.kind << BITS));
    this.depth++;
    this.keys[this.depth] = "<content>";
    this.writeObject(content);
    this.depth--;
  }

  /** Counts a reference; its place in the list. */
  private count(value: object, kind: ReferenceKind): number {
    const at = this.countedReferences * REFERENCE_WORDS;
    if (at + REFERENCE_WORDS > this.counted.length) this.growCounted();
    this.counted[at] = kind.kind;
    kind.retain(value, this.counted, at + 1);
    return this.countedReferences++;
  }

  private growCounted(): void {
    const before = this.counted;
    this.counted = new Int32Array(before.length * 2);
    this.counted.set(before);
  }

  private releaseFrom(first: number): void {
    const { counted } = this;
    while (this.countedReferences > first) {
      const at = (this.countedReferences - 1) * REFERENCE_WORDS;
      this.references.ofNumber(counted[at])?.release(counted[at + 1], counted[at + 2]);
      // Only now: on a full stack the call above may fail, and is then made again.
      this.countedReferences--;
    }
  }
}

/** Own properties of errors that are written as parts. */
const ERROR_PARTS = new Set(["name", "message", "stack"]);

/** The kind of item that a container is. */
function containerKind(verdict: Verdict): number {
  if (typeof verdict === "object") return CARRIED;
  if (verdict === IS_ARRAY) return ARRAY;
  if (verdict === IS_MAP) return MAP;
  if (verdict === IS_SET) return SET;
  return verdict === IS_ERROR ? ERROR : OBJECT;
}

function nameOf(error: Error): string {
  const name: unknown = error.name;
  return typeof name === "string" ? name : "Error";
}

/** Whether a key is an array index: "0" to "4294967294". */
function isIndex(key: string): boolean {
  const index = Number(key) >>> 0;
  return String(index) === key && index !== 0xffffffff;
}
