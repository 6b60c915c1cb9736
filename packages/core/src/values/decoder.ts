/**
 * Makes a value from a block (see block.ts for the format).
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
  BUFFER,
  CARRIED,
  DATE,
  DOUBLE,
  DOUBLE_RUN,
  ERROR,
  ERROR_CAUSE,
  ERROR_CODE,
  ERROR_ERRORS,
  ERROR_MESSAGE,
  ERROR_STACK,
  FALSE,
  HOLE,
  HOLE_RUN,
  INT,
  INT_RUN,
  KIND_BITS,
  KIND_MASK,
  LARGE_BUFFER,
  LARGE_LATIN1,
  LARGE_UTF16,
  LATER,
  LATIN1,
  LONG,
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
  UTF16,
  VIEW,
} from "./block.ts";
import { type BlockMemory, BlockReader } from "./block-reader.ts";
import type { BytesPort } from "./bytes.ts";
import type { ErrorClasses } from "./error-classes.ts";
import type { CarriedKind, ReferenceTable } from "./references.ts";
import { createView } from "./views.ts";

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

/**
 * Longest array that is allocated at once. Longer ones grow, so that a corrupt length reserves next to
 * nothing.
 */
const ALLOCATED_ELEMENTS = 1024;
/** Kinds of items that only occur inside arrays. */
const FIRST_RUN = INT_RUN;
const LAST_RUN = HOLE_RUN;

const { defineProperty } = Object;

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

export class Decoder extends BlockReader {
  /** Set by the user of the decoder while it is at work. */
  busy = false;
  private readonly references: ReferenceTable;
  private readonly errors: ErrorClasses;
  private readonly copyBytes: BytesPort;
  private copiesReferences = false;
  private depth = 0;
  private objects: (object | undefined)[] = [];
  private revived: (object | undefined)[] = [];
  private shells: Shell[] = [];
  /** True until everything is tidied up: after a stack overflow even that may not succeed. */
  private dirty = false;

  constructor(parts: DecoderParts) {
    super(parts);
    this.references = parts.references;
    this.errors = parts.errors;
    this.copyBytes = parts.copyBytes;
  }

  /**
   * The value of the block at word `base`, which has room for `capacity` words and should hold `words`. With
   * `copiesReferences` the block keeps its references and the value gets its own; otherwise they pass to the
   * value, and those that it does not hold in the end, as after an error, are released.
   */
  decode(base: number, words: number, capacity: number, copiesReferences: boolean): unknown {
    this.copiesReferences = copiesReferences;
    this.begin();
    try {
      this.open(base, words, capacity);
      const value = this.read();
      for (let i = 0; i < this.shells.length; i++) this.fill(this.shells[i] as Shell);
      if (this.at !== this.end) throw this.corrupt(`${this.end - this.at} words are left over`);
      return value;
    } finally {
      if (!copiesReferences) this.releaseOthers();
      this.reset();
    }
  }

  /** Releases the references of a block without decoding it. */
  release(base: number, words: number, capacity: number): void {
    this.begin();
    try {
      this.open(base, words, capacity);
      this.releaseOthers();
    } finally {
      this.reset();
    }
  }

  private begin(): void {
    if (this.dirty) this.reset();
    this.dirty = true;
  }

  private reset(): void {
    if (this.objects.length > 0) this.objects = [];
    if (this.revived.length > 0) this.revived = [];
    if (this.shells.length > 0) this.shells = [];
    this.depth = 0;
    this.referenceCount = 0;
    this.dirty = false;
  }

  // ── items ──

  private read(): unknown {
    const word = this.next();
    const n = word >>> BITS;
    switch (word & MASK) {
      case INT_ITEM:
        return word >> BITS;
      case LATIN1_ITEM:
        return this.readLatin1(n);
      case OBJECT_ITEM:
        return this.readObject(n);
      case ARRAY_ITEM:
        return this.readArray(n, false);
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
        return this.readArray(n, true);
      case MAP:
        return this.readMap(n);
      case SET:
        return this.readSet(n);
      case DATE:
        return this.register(new Date(this.readDouble()));
      case REGEXP:
        return this.readRegExp();
      case BOXED:
        return this.readBoxed();
      case ERROR:
        return this.readError(n);
      case VIEW:
        return this.readView(n);
      case CARRIED:
        return this.readCarried(n);
      case LATER:
        return this.readLater(n);
      default:
        return this.readBuffer(kind, n);
    }
  }

  /** Gives an object its number. */
  private register<T extends object>(object: T): T {
    if (this.hasBack) this.objects.push(object);
    return object;
  }

  private readBack(number: number): object {
    const object = this.objects[number];
    if (object === undefined) throw this.corrupt(`it refers to object ${number} of ${this.objects.length}`);
    return object;
  }

  // ── containers ──

  private enter(): void {
    if (++this.depth > MAX_DEPTH + 2) throw this.corrupt(`containers nest deeper than ${MAX_DEPTH}`);
  }

  private readObject(count: number): object {
    const object = this.register({});
    this.enter();
    this.fillObject(object, count);
    this.depth--;
    return object;
  }

  private fillObject(object: object, count: number): void {
    for (let i = 0; i < count; i++) {
      const key = this.readKey();
      // Assigning a name that Object.prototype has might call a setter (`__proto__`), or fail if it is frozen.
      if (this.keyIsInherited) this.define(object, key, this.read(), true);
      else (object as Record<string, unknown>)[key] = this.read();
    }
  }

  private define(object: object, key: string, value: unknown, enumerable: boolean): void {
    defineProperty(object, key, { value, enumerable, writable: true, configurable: true });
  }

  /** Reads a count and as many properties. */
  private defineProperties(object: object): void {
    const count = this.next();
    for (let i = 0; i < count; i++) {
      const key = this.readKey();
      const value = this.read();
      // An array's `length` cannot be defined like this; nor would an encoder write it.
      this.attempt("a property", () => this.define(object, key, value, true));
    }
  }

  private readArray(n: number, withProperties: boolean): unknown[] {
    const length = this.readLength(n);
    const isShort = length <= ALLOCATED_ELEMENTS && length <= this.end - this.at;
    // oxlint-disable-next-line unicorn/no-new-array -- all elements at once take half the time
    const array = this.register(isShort ? new Array<unknown>(length) : []);
    this.enter();
    this.fillArray(array, length, withProperties);
    this.depth--;
    return array;
  }

  private readLength(n: number): number {
    return n === LONG ? this.next() >>> 0 : n;
  }

  private fillArray(array: unknown[], length: number, withProperties: boolean): void {
    for (let i = 0; i < length; ) {
      const kind = this.at < this.end ? this.i32[this.at] & MASK : UNDEFINED;
      if (kind >= FIRST_RUN && kind <= LAST_RUN) i = this.readRun(array, i, length);
      else array[i++] = this.read();
    }
    if (array.length !== length) setLength(array, length);
    if (withProperties) this.defineProperties(array);
  }

  /** Reads several elements, or holes; the index behind them. */
  private readRun(array: unknown[], first: number, length: number): number {
    const word = this.next();
    const kind = word & MASK;
    const count = this.runCount(kind, word >>> BITS);
    if (count > length - first)
      throw this.corrupt(`a run of ${count} elements, where ${length - first} of ${length} are left`);
    if (kind === INT_RUN) this.readInts(array, first, count);
    else if (kind === DOUBLE_RUN) this.readDoubles(array, first, count);
    return first + count;
  }

  private runCount(kind: number, n: number): number {
    if (kind === HOLE) return 1;
    return kind === HOLE_RUN ? this.next() >>> 0 : n;
  }

  private readInts(array: unknown[], first: number, count: number): void {
    const { i32 } = this;
    const at = this.skip(count);
    for (let i = 0; i < count; i++) array[first + i] = i32[at + i];
  }

  private readDoubles(array: unknown[], first: number, count: number): void {
    const { f64 } = this;
    if ((this.at & 1) === 1) this.skip(1);
    const at = this.skip(count * 2) / 2;
    for (let i = 0; i < count; i++) array[first + i] = f64[at + i];
  }

  private readMap(count: number): Map<unknown, unknown> {
    const map = this.register(new Map());
    this.enter();
    this.fillMap(map, count);
    this.depth--;
    return map;
  }

  private fillMap(map: Map<unknown, unknown>, count: number): void {
    for (let i = 0; i < count; i++) {
      const key = this.read();
      map.set(key, this.read());
    }
  }

  private readSet(count: number): Set<unknown> {
    const set = this.register(new Set());
    this.enter();
    this.fillSet(set, count);
    this.depth--;
    return set;
  }

  private fillSet(set: Set<unknown>, count: number): void {
    for (let i = 0; i < count; i++) set.add(this.read());
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
        return this.createError();
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
    if (carried !== undefined) this.fillCarried(carried, object);
    else if (kind === OBJECT) this.fillObject(object, n);
    else if (kind === ARRAY) this.fillArray(object as unknown[], this.readLength(n), found !== ARRAY);
    else if (kind === MAP) this.fillMap(object as Map<unknown, unknown>, n);
    else if (kind === SET) this.fillSet(object as Set<unknown>, n);
    else this.refillError(object as Error, n);
  }

  // ── errors ──

  private readError(parts: number): Error {
    const error = this.register(this.createError());
    this.enter();
    this.fillError(error, parts);
    this.depth--;
    return error;
  }

  private createError(): Error {
    const name = this.readKey();
    const error = this.errors.create(name);
    if (error === undefined)
      throw this.corrupt(`no error class is called ${JSON.stringify(name.slice(0, 40))}`);
    return error;
  }

  /** The item of an announced error says again of which class it is. */
  private refillError(error: Error, parts: number): void {
    this.readKey();
    this.fillError(error, parts);
  }

  private fillError(error: Error, parts: number): void {
    const name = this.readString();
    if (error.name !== name) this.define(error, "name", name, false);
    const message = (parts & ERROR_MESSAGE) === 0 ? "" : this.readString();
    if (error.message !== message) this.define(error, "message", message, false);
    // Assigned, not defined: V8 would first put together the stack of this very place.
    if ((parts & ERROR_STACK) !== 0) error.stack = this.readString();
    else delete (error as { stack?: string }).stack;
    if ((parts & ERROR_CAUSE) !== 0) this.define(error, "cause", this.read(), false);
    if ((parts & ERROR_ERRORS) !== 0) this.define(error, "errors", this.read(), false);
    if ((parts & ERROR_CODE) !== 0) this.define(error, "code", this.read(), false);
    this.defineProperties(error);
  }

  // ── other objects ──

  private readRegExp(): RegExp {
    const source = this.readString();
    const flags = this.readString();
    return this.register(this.attempt("a regular expression", () => new RegExp(source, flags)));
  }

  private readBoxed(): object {
    // The primitive inside is no object and has no number.
    this.enter();
    const value = this.read();
    this.depth--;
    if (typeof value === "object" || value === undefined) throw this.corrupt("a boxed primitive holds none");
    return this.register(Object(value) as object);
  }

  private readBuffer(kind: number, n: number): ArrayBufferLike {
    switch (kind) {
      case BUFFER:
      case LARGE_BUFFER:
        return this.register(this.copyBytes(this.readBytes(kind)));
      case RESIZABLE_BUFFER:
        return this.register(this.readResizable());
      case REFERENCE:
        return this.revive(n) as ArrayBufferLike;
      default:
        throw this.corrupt(`there is no item of kind ${kind}`);
    }
  }

  private readResizable(): ArrayBuffer {
    const maxByteLength = this.readDouble();
    const bytes = this.readBytes(this.next() & MASK);
    const buffer = this.attempt("a resizable buffer", () => newResizable(bytes.length, maxByteLength));
    new Uint8Array(buffer).set(bytes);
    return buffer;
  }

  private readView(kind: number): ArrayBufferView {
    const offset = this.readDouble();
    const length = this.readDouble();
    // The view's number comes before its buffer's.
    const number = this.hasBack ? this.objects.push(undefined) - 1 : -1;
    const buffer = this.readViewed();
    const view = this.attempt("a view", () => createView(kind, buffer, offset, length));
    if (view === undefined) throw this.corrupt(`there is no kind ${kind} of view`);
    if (number >= 0) this.objects[number] = view;
    return view;
  }

  private readViewed(): ArrayBufferLike {
    const word = this.next();
    const kind = word & MASK;
    const buffer = kind === BACK ? this.readBack(word >>> BITS) : this.readBuffer(kind, word >>> BITS);
    if (buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer) return buffer;
    throw this.corrupt("a view of something else than a buffer");
  }

  // ── references ──

  private revive(number: number): object {
    if (number >= this.referenceCount) throw this.corrupt(`reference ${number} of ${this.referenceCount}`);
    const object = this.revived[number] ?? this.reviveFirst(number);
    return this.register(object);
  }

  private reviveFirst(number: number): object {
    const at = this.end + number * REFERENCE_WORDS;
    const kind = this.references.ofNumber(this.i32[at]);
    const index = this.i32[at + 1];
    const generation = this.i32[at + 2];
    if (kind === undefined) throw this.corrupt(`there is no kind ${this.i32[at]} of reference`);
    if (this.copiesReferences) kind.retainAgain(index, generation);
    const object = kind.revive(index, generation);
    this.revived[number] = object;
    return object;
  }

  /** Releases the references that the value did not take over. */
  private releaseOthers(): void {
    for (let number = 0; number < this.referenceCount; number++) {
      if (this.revived[number] !== undefined) continue;
      const at = this.end + number * REFERENCE_WORDS;
      this.references.ofNumber(this.i32[at])?.release(this.i32[at + 1], this.i32[at + 2]);
    }
  }

  private readCarried(number: number): object {
    const carried = this.carriedKind(number);
    const object = this.register(carried.create());
    this.enter();
    this.fillCarried(carried, object);
    this.depth--;
    return object;
  }

  private carriedKind(number: number): CarriedKind<object> {
    const carried = this.references.ofNumber(number)?.carried;
    if (carried === undefined) throw this.corrupt(`kind ${number} of reference has no content`);
    return carried;
  }

  private fillCarried(carried: CarriedKind<object>, object: object): void {
    const content = this.read();
    if (typeof content !== "object" || content === null)
      throw this.corrupt("the content of a reference is no object");
    carried.fill(object, content);
  }
}

/**
 * Gives an array its length, with holes at the end. V8 would allocate all of them up to 32 million, so an
 * array with many is first made a sparse one by giving it a length beyond that.
 */
function setLength(array: unknown[], length: number): void {
  if (length - array.length > ALLOCATED_ELEMENTS) array.length = 0xffffffff;
  array.length = length;
}

function newResizable(length: number, maxByteLength: number): ArrayBuffer {
  const Resizable = ArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer;
  return new Resizable(length, { maxByteLength });
}
