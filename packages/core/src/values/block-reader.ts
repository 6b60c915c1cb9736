/**
 * A block as a row of words to be read: its header, and the items that hold no others. Everything is held
 * against the block's bounds.
 */

import { CorruptValueError } from "../base/errors.ts";
import {
  BLOCK_FLAGS,
  BLOCK_HAS_BACK,
  BLOCK_ITEMS,
  BLOCK_MAGIC,
  BLOCK_REFERENCES,
  BLOCK_WORDS,
  BUFFER,
  HEADER_WORDS,
  KIND_BITS,
  KIND_MASK,
  LARGE_BUFFER,
  LARGE_LATIN1,
  LARGE_UTF16,
  LATIN1,
  largePartsAt,
  REFERENCE_WORDS,
  UTF16,
} from "./block.ts";
import { KeyCache, MAX_KEPT_UNITS } from "./key-cache.ts";
import type { TextView } from "./text.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const BITS = KIND_BITS;
const MASK = KIND_MASK;
const LATIN1_ITEM = LATIN1;
const KEPT_UNITS = MAX_KEPT_UNITS;

/**
 * Longest string put together here: V8 copies up to 12 units when it joins strings, and leaves the work for
 * later beyond.
 */
const LOOP_UNITS = 12;

const { fromCharCode } = String;
const bigints = new BigInt64Array(1);
const bigintWords = new Int32Array(bigints.buffer);
const doubles = new Float64Array(1);
const doubleWords = new Int32Array(doubles.buffer);

/** The memory that blocks are in. `text` reads the bytes of `u8`. */
export interface BlockMemory {
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  readonly text: TextView;
}

export class BlockReader {
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  protected readonly u8: Uint8Array;
  /** Next word, and the word behind the items. */
  at = 0;
  end = 0;
  protected hasBack = false;
  protected referenceCount = 0;
  /** Set by `readKey`: Object.prototype has a property of that name, too. */
  keyIsInherited = false;
  private readonly text: TextView;
  private readonly keyCache = new KeyCache();
  private base = 0;
  private largeAt = 0;
  private blockEnd = 0;

  constructor({ i32, f64, u8, text }: BlockMemory) {
    this.i32 = i32;
    this.f64 = f64;
    this.u8 = u8;
    this.text = text;
  }

  /** Begins a block: checks its header. It should hold `words`, and has room for `capacity`. */
  protected open(base: number, words: number, capacity: number): void {
    const { i32 } = this;
    const items = i32[base + BLOCK_ITEMS];
    const references = i32[base + BLOCK_REFERENCES];
    const flags = i32[base + BLOCK_FLAGS];
    const found = i32[base + BLOCK_WORDS];
    this.base = base;
    if (words > capacity || found !== words) {
      throw this.corrupt(`it says it has ${found} words, its slot ${words}; there is room for ${capacity}`);
    }
    if ((flags & ~BLOCK_HAS_BACK) !== BLOCK_MAGIC) throw this.corrupt(`its flags are ${flags}`);
    // Divided, not multiplied: a product could wrap around.
    const mayFit = items > HEADER_WORDS && references >= 0 && references <= (words - items) / REFERENCE_WORDS;
    if (!mayFit || largePartsAt(items, references) > words) {
      throw this.corrupt(`${items} words and ${references} references do not fit into ${words} words`);
    }
    this.at = base + HEADER_WORDS;
    this.end = base + items;
    this.referenceCount = references;
    this.largeAt = (base + largePartsAt(items, references)) * 4;
    this.blockEnd = (base + words) * 4;
    this.hasBack = (flags & BLOCK_HAS_BACK) !== 0;
  }

  next(): number {
    if (this.at >= this.end) throw this.corrupt("it ends in the middle of an item");
    return this.i32[this.at++];
  }

  /** Steps over so many words; the first of them. */
  skip(words: number): number {
    const { at } = this;
    const left = this.end - at;
    if (words > left) throw this.corrupt(`an item of ${words} words stands where ${left} are left`);
    this.at = at + words;
    return at;
  }

  // ── numbers ──

  readDouble(): number {
    const at = this.skip(2);
    doubleWords[0] = this.i32[at];
    doubleWords[1] = this.i32[at + 1];
    return doubles[0];
  }

  readBigInt64(): bigint {
    const at = this.skip(2);
    bigintWords[0] = this.i32[at];
    bigintWords[1] = this.i32[at + 1];
    return bigints[0];
  }

  readBigInt(negative: number): bigint {
    const magnitude = this.attempt("a bigint", () => BigInt(`0x${this.readString()}`));
    return negative === 1 ? -magnitude : magnitude;
  }

  // ── strings ──

  readString(): string {
    const word = this.next();
    const n = word >>> BITS;
    switch (word & MASK) {
      case LATIN1:
        return this.readLatin1(n);
      case UTF16:
        return this.readUtf16(n);
      case LARGE_LATIN1:
      case LARGE_UTF16:
        return this.readLargeText(word & MASK);
      default:
        throw this.corrupt(`an item of kind ${word & MASK} stands where a string belongs`);
    }
  }

  readLatin1(length: number): string {
    const at = this.skip((length + 3) >> 2);
    if (length > LOOP_UNITS) return this.text.readLatin1(at * 4, length);
    let text = "";
    for (let i = 0; i < length; i += 4) text += unitsOf(this.i32[at + (i >> 2)], length - i);
    return text;
  }

  readUtf16(length: number): string {
    return this.text.readUtf16(this.skip((length + 1) >> 1) * 4, length);
  }

  readLargeText(kind: number): string {
    const length = this.next() >>> 0;
    const at = this.readPlace(kind === LARGE_LATIN1 ? length : length * 2);
    return kind === LARGE_LATIN1 ? this.text.readLatin1(at, length) : this.text.readUtf16(at, length);
  }

  /** A property's name. */
  readKey(): string {
    const { i32, at } = this;
    const word = i32[at];
    const length = word >>> BITS;
    if ((word & MASK) !== LATIN1_ITEM || length > KEPT_UNITS || at >= this.end) return this.readRareKey();
    this.at = at + 1;
    const first = this.skip((length + 3) >> 2);
    const { keyCache } = this;
    let place = keyCache.find(i32, first, length);
    if (place < 0) place = this.keepKey(first, length);
    this.keyIsInherited = keyCache.inherited[place] === 1;
    return keyCache.keys[place] as string;
  }

  private keepKey(first: number, length: number): number {
    return this.keyCache.put(this.i32, first, this.text.readLatin1(first * 4, length));
  }

  private readRareKey(): string {
    const key = this.readString();
    this.keyIsInherited = key in Object.prototype;
    return key;
  }

  // ── bytes ──

  /** First byte of a large part of so many bytes. */
  private readPlace(bytes: number): number {
    const place = this.next() >>> 0;
    const at = this.largeAt + place * 8;
    if (at + bytes <= this.blockEnd) return at;
    throw this.corrupt(`a large part of ${bytes} bytes at place ${place} lies outside`);
  }

  /** A view of the bytes of a buffer item. */
  readBytes(kind: number): Uint8Array {
    if (kind !== BUFFER && kind !== LARGE_BUFFER) {
      throw this.corrupt(`an item of kind ${kind} stands where bytes belong`);
    }
    const length = this.next() >>> 0;
    const start = kind === BUFFER ? this.skip(Math.ceil(length / 4)) * 4 : this.readPlace(length);
    return this.u8.subarray(start, start + length);
  }

  // ── what is wrong ──

  corrupt(what: string, cause?: unknown): CorruptValueError {
    const options = cause === undefined ? undefined : { cause };
    return new CorruptValueError(`the value at word ${this.base} is corrupt: ${what}`, options);
  }

  /** Runs what throws on nonsense: such an error means that the block is corrupt. */
  attempt<T>(what: string, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (error instanceof CorruptValueError) throw error;
      throw this.corrupt(`${what} that cannot be`, error);
    }
  }
}

/** The string of up to four Latin-1 units in a word, the first in the lowest byte. */
function unitsOf(word: number, count: number): string {
  const first = word & 255;
  if (count === 1) return fromCharCode(first);
  const second = (word >>> 8) & 255;
  if (count === 2) return fromCharCode(first, second);
  const third = (word >>> 16) & 255;
  return count === 3 ? fromCharCode(first, second, third) : fromCharCode(first, second, third, word >>> 24);
}
