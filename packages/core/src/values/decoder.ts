/**
 * Makes a value from a block (see block.ts for the format). How each kind of object is read stands beside how
 * it is written, in items/.
 *
 * The words may have been written over by anything: a bug, a thread that died half-way. So every length is
 * held against what is left of the block before it is used, memory is reserved only for what the block can
 * really hold, and whatever does not fit is a `CorruptValueError`. Nothing that is decoded can run code: no
 * setter, no prototype, no constructor but built-in ones and those of registered classes.
 */

import {
  ARRAY,
  ARRAY_WITH_PROPERTIES,
  BACK,
  BIGINT,
  BIGINT64,
  BOXED,
  CARRIED,
  DATE,
  DOUBLE,
  ERROR,
  FALSE,
  INT,
  KIND_BITS,
  KIND_MASK,
  LARGE_LATIN1,
  LARGE_UTF16,
  LATER,
  LATIN1,
  MAP,
  NULL,
  OBJECT,
  REGEXP,
  SET,
  TRUE,
  UNDEFINED,
  UTF16,
  VIEW,
} from "./block.ts";
import type { BlockMemory } from "./block-reader.ts";
import type { BytesPort } from "./bytes.ts";
import type { ErrorClasses } from "./error-classes.ts";
import { fillArray, readArray, readLength } from "./items/arrays.ts";
import { readBuffer, readView } from "./items/buffers.ts";
import { fillCarried, readCarried } from "./items/carried.ts";
import { createError, readError, refillError } from "./items/errors.ts";
import { readBoxed, readDate, readRegExp } from "./items/leaf-objects.ts";
import { fillMap, fillSet, readMap, readSet } from "./items/maps-and-sets.ts";
import { fillObject, readObject } from "./items/objects.ts";
import { ListedReferences } from "./listed-references.ts";
import type { CarriedKind, ReferenceTable } from "./references.ts";
import { ValueReader } from "./value-reader.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const BITS = KIND_BITS;
const MASK = KIND_MASK;
const INT_ITEM = INT;
const LATIN1_ITEM = LATIN1;
const OBJECT_ITEM = OBJECT;
const ARRAY_ITEM = ARRAY;
const DOUBLE_ITEM = DOUBLE;
const UNDEFINED_ITEM = UNDEFINED;
const NULL_ITEM = NULL;
const TRUE_ITEM = TRUE;
const FALSE_ITEM = FALSE;

/** What the decoder needs of its thread. */
export interface DecoderParts extends BlockMemory {
  readonly references: ReferenceTable;
  readonly errors: ErrorClasses;
  readonly copyBytes: BytesPort;
}

/** A container that was announced, empty so far. */
interface Shell {
  readonly object: object;
  /** Kind of its item. */
  readonly kind: number;
  readonly carried: CarriedKind<object> | undefined;
}

export class Decoder extends ValueReader {
  /** Set by the user of the decoder while it is at work. */
  busy = false;
  readonly copyBytes: BytesPort;
  private readonly references: ReferenceTable;
  private readonly errors: ErrorClasses;
  private readonly listed: ListedReferences;
  private shells: Shell[] = [];
  /** True until everything is tidied up: after a stack overflow even that may not succeed. */
  private dirty = false;

  constructor(parts: DecoderParts) {
    super(parts);
    this.references = parts.references;
    this.errors = parts.errors;
    this.copyBytes = parts.copyBytes;
    this.listed = new ListedReferences(parts.i32, parts.references);
  }

  /**
   * The value of the block at word `base`, which has room for `capacity` words and should hold `words`. With
   * `copiesReferences` the block keeps its references and the value gets its own; otherwise they pass to the
   * value, and those that it does not hold in the end, as after an error, are released.
   */
  decode(base: number, words: number, capacity: number, copiesReferences: boolean): unknown {
    this.begin();
    try {
      this.open(base, words, capacity);
      if (this.referenceCount > 0) this.listed.open(this.end, this.referenceCount, copiesReferences);
      const value = this.read();
      for (let i = 0; i < this.shells.length; i++) this.fill(this.shells[i] as Shell);
      if (this.at !== this.end) throw this.corrupt(`${this.end - this.at} words are left over`);
      return value;
    } finally {
      if (!copiesReferences && this.listed.count > 0) this.listed.releaseOthers();
      this.reset();
    }
  }

  /** Releases the references of a block without decoding it. */
  release(base: number, words: number, capacity: number): void {
    this.begin();
    try {
      this.open(base, words, capacity);
      this.listed.open(this.end, this.referenceCount, false);
      this.listed.releaseOthers();
    } finally {
      this.reset();
    }
  }

  private begin(): void {
    if (this.dirty) this.reset();
    this.dirty = true;
  }

  private reset(): void {
    this.forgetObjects();
    if (this.listed.count > 0) this.listed.reset();
    if (this.shells.length > 0) this.shells = [];
    this.dirty = false;
  }

  // ── items ──

  read(): unknown {
    const word = this.next();
    const n = word >>> BITS;
    switch (word & MASK) {
      case INT_ITEM:
        return word >> BITS;
      case LATIN1_ITEM:
        return this.readLatin1(n);
      case OBJECT_ITEM:
        return readObject(this, n);
      case ARRAY_ITEM:
        return readArray(this, n, false);
      case DOUBLE_ITEM:
        return this.readDouble();
      case UNDEFINED_ITEM:
        return undefined;
      case NULL_ITEM:
        return null;
      case TRUE_ITEM:
        return true;
      case FALSE_ITEM:
        return false;
      default:
        return this.readRare(word & MASK, n);
    }
  }

  private readRare(kind: number, n: number): unknown {
    switch (kind) {
      case UTF16:
        return this.readUtf16(n);
      case LARGE_LATIN1:
      case LARGE_UTF16:
        return this.readLargeText(kind);
      case BIGINT64:
        return this.readBigInt64();
      case BIGINT:
        return this.readBigInt(n);
      case BACK:
        return this.readBack(n);
      case ARRAY_WITH_PROPERTIES:
        return readArray(this, n, true);
      case MAP:
        return readMap(this, n);
      case SET:
        return readSet(this, n);
      case DATE:
        return readDate(this);
      case REGEXP:
        return readRegExp(this);
      case BOXED:
        return readBoxed(this);
      case ERROR:
        return readError(this, n, this.errors);
      case VIEW:
        return readView(this, n);
      case CARRIED:
        return readCarried(this, this.carriedKind(n));
      case LATER:
        return this.readLater(n);
      default:
        return readBuffer(this, kind, n);
    }
  }

  // ── what was announced ──

  /** Creates a container whose item follows after the whole tree. */
  private readLater(kind: number): object {
    const carried = kind === CARRIED ? this.carriedKind(this.next()) : undefined;
    const object = this.register(this.createShell(kind, carried));
    this.shells.push({ object, kind, carried });
    return object;
  }

  private createShell(kind: number, carried: CarriedKind<object> | undefined): object {
    if (carried !== undefined) return carried.create();
    switch (kind) {
      case OBJECT:
        return {};
      case ARRAY:
        return [];
      case MAP:
        return new Map();
      case SET:
        return new Set();
      case ERROR:
        return createError(this, this.errors);
      default:
        throw this.corrupt(`an item of kind ${kind} cannot be announced`);
    }
  }

  private fill({ object, kind, carried }: Shell): void {
    const word = this.next();
    const found = word & MASK;
    const n = word >>> BITS;
    if (found !== kind && !(kind === ARRAY && found === ARRAY_WITH_PROPERTIES)) {
      throw this.corrupt(`an item of kind ${found} follows where ${kind} was announced`);
    }
    this.depth = 1;
    if (carried !== undefined) fillCarried(this, carried, object);
    else if (kind === OBJECT) fillObject(this, object, n);
    else if (kind === ARRAY) fillArray(this, object as unknown[], readLength(this, n), found !== ARRAY);
    else if (kind === MAP) fillMap(this, object as Map<unknown, unknown>, n);
    else if (kind === SET) fillSet(this, object as Set<unknown>, n);
    else refillError(this, object as Error, n);
  }

  // ── references ──

  revive(place: number): object {
    const { listed } = this;
    if (place >= listed.count) throw this.corrupt(`reference ${place} of ${listed.count}`);
    const object = listed.revive(place);
    if (object === undefined) throw this.corrupt(`there is no kind ${listed.kindAt(place)} of reference`);
    return this.register(object);
  }

  private carriedKind(number: number): CarriedKind<object> {
    const carried = this.references.ofNumber(number)?.carried;
    if (carried === undefined) throw this.corrupt(`kind ${number} of reference has no content`);
    return carried;
  }
}
