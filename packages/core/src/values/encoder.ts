/**
 * Writes a value as a block (see block.ts for the format). Here is the walk; how each kind of object is
 * written stands beside how it is read, in items/.
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

import { CloneError } from "../base/errors.ts";
import type { SharedMemory } from "../memory/shared-memory.ts";
import type { Slab } from "../memory/slab.ts";
import {
  ARRAY,
  BACK,
  BLOCK_FLAGS,
  BLOCK_HAS_BACK,
  BLOCK_ITEMS,
  BLOCK_MAGIC,
  BLOCK_REFERENCES,
  BLOCK_WORDS,
  CARRIED,
  ERROR,
  FALSE,
  KIND_BITS,
  LATER,
  largePartsAt,
  MAP,
  MAX_DEPTH,
  NULL,
  OBJECT,
  REFERENCE,
  SET,
  TRUE,
  UNDEFINED,
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
import { writeArray } from "./items/arrays.ts";
import { writeBuffer, writeView } from "./items/buffers.ts";
import { writeCarried } from "./items/carried.ts";
import { announceError, writeError } from "./items/errors.ts";
import { writeBoxed, writeDate, writeRegExp } from "./items/leaf-objects.ts";
import { writeMap, writeSet } from "./items/maps-and-sets.ts";
import { writePlain } from "./items/objects.ts";
import { CountedReferences } from "./listed-references.ts";
import type { PathStart } from "./path.ts";
import type { ReferenceKind, ReferenceTable } from "./references.ts";
import { takeRoom } from "./room.ts";
import { SeenObjects } from "./seen-objects.ts";
import type { TextPort, TextView } from "./text.ts";
import { describe, ValueWriter } from "./value-writer.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const BITS = KIND_BITS;
const DEPTH_LIMIT = MAX_DEPTH;

/** Largest block: its words can be counted in one. */
const MAX_BYTES = 2 ** 32;

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

export class Encoder extends ValueWriter {
  /** Set by the user of the encoder while it encodes. */
  busy = false;
  /** Words of the block that `encode` returned. */
  words = 0;
  private readonly memory: SharedMemory;
  private readonly slab: Slab;
  private readonly text: TextView;
  private readonly errors: ErrorClasses;
  private readonly classifier: Classifier;
  private readonly seen = new SeenObjects();
  private readonly references: CountedReferences;
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
    this.references = new CountedReferences(parts.references);
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
    this.references.releaseFrom(0);
    this.reset();
  }

  /** Forgets the value. */
  private reset(): void {
    this.out.reset();
    this.large.reset();
    this.seen.reset();
    if (this.references.count > 0) this.references.reset();
    // Behind the calls: on a full stack one may fail, and `giveUp` then finds what is still to be given back.
    this.block = 0;
    this.hasBack = false;
    this.depth = 0;
    this.start = undefined;
    if (this.postponed.length > 0) this.postponed = [];
    if (this.keys.length > DEPTH_LIMIT) this.keys.length = DEPTH_LIMIT;
    this.dirty = false;
  }

  /** Adds the references and fills in the header. */
  private finish(): void {
    const { out, references } = this;
    const items = out.at;
    if (references.count > 0) references.writeTo(out);
    if (out.at < largePartsAt(items, references.count)) out.word(0);
    this.words = out.at + this.large.bytes / 4;
    const { i32 } = out;
    i32[BLOCK_ITEMS] = items;
    i32[BLOCK_REFERENCES] = references.count;
    i32[BLOCK_WORDS] = this.words;
    i32[BLOCK_FLAGS] = BLOCK_MAGIC | (this.hasBack ? BLOCK_HAS_BACK : 0);
  }

  // ── values ──

  write(value: unknown): void {
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

  writeObject(value: object): void {
    const number = this.seen.look(value);
    if (number >= 0) {
      this.hasBack = true;
      this.out.word(BACK | (number << BITS));
      return;
    }
    const verdict = this.classifier.verdictOn(value);
    if (verdict === IS_PLAIN && this.depth < DEPTH_LIMIT) writePlain(this, value);
    else this.writeByVerdict(value, verdict);
  }

  tryWrite(value: unknown): boolean {
    const { depth, hasBack } = this;
    const { count: references } = this.references;
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
      this.references.releaseFrom(references);
      this.out.at = at;
      this.large.truncate(large);
      this.seen.truncate(seen);
      this.postponed.length = postponed;
      return false;
    }
  }

  private writeByVerdict(value: object, verdict: Verdict): void {
    if (typeof verdict === "object") return this.writeReference(value, verdict);
    switch (verdict) {
      case IS_DATE:
        return writeDate(this, value);
      case IS_REGEXP:
        return writeRegExp(this, value);
      case IS_BOXED:
        return writeBoxed(this, value);
      case IS_BUFFER:
        return writeBuffer(this, value as ArrayBuffer);
      case IS_VIEW:
        return writeView(this, value as ArrayBufferView);
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
    if (typeof verdict === "object") return writeCarried(this, verdict, content as object);
    switch (verdict) {
      case IS_ARRAY:
        return writeArray(this, value as unknown[]);
      case IS_MAP:
        return writeMap(this, value as Map<unknown, unknown>);
      case IS_SET:
        return writeSet(this, value as Set<unknown>);
      case IS_ERROR:
        return writeError(this, value as Error, this.errors);
      default:
        return writePlain(this, value);
    }
  }

  /** Announces a container that lies too deep to be written here. */
  private postpone(value: object, verdict: Verdict, content: object | undefined): void {
    const start = { before: this.start, keys: this.keys.slice(1, this.depth + 1) };
    this.postponed.push({ value, verdict, content, start });
    this.out.word(LATER | (containerKind(verdict) << BITS));
    if (typeof verdict === "object") this.out.word(verdict.kind);
    else if (verdict === IS_ERROR) announceError(this, value as Error, this.errors);
  }

  private writePostponed({ value, verdict, content, start }: Postponed): void {
    this.start = start;
    this.depth = 0;
    this.writeContainer(value, verdict, content);
  }

  // ── references ──

  private writeReference(value: object, kind: ReferenceKind): void {
    const content = kind.carried?.contentOf(value);
    if (content === undefined) this.out.word(REFERENCE | (this.references.add(value, kind) << BITS));
    else if (this.depth >= DEPTH_LIMIT) this.postpone(value, kind, content);
    else writeCarried(this, kind, content);
  }
}

/** The kind of item that a container is. */
function containerKind(verdict: Verdict): number {
  if (typeof verdict === "object") return CARRIED;
  if (verdict === IS_ARRAY) return ARRAY;
  if (verdict === IS_MAP) return MAP;
  if (verdict === IS_SET) return SET;
  return verdict === IS_ERROR ? ERROR : OBJECT;
}
