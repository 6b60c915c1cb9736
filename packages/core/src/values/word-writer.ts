/**
 * The scratch memory in which a value is put together before its size is known. Grows by doubling and is used
 * again for the next value.
 *
 * Measured against counting the size in a first pass: half the time, since the walk through the value is the
 * costly part and the copy at the end, at
 * 0.1 ns a byte, is not.
 */

import { MemoryLimitError } from "../base/errors.ts";
import { HEADER_WORDS, LATIN1, UTF16 } from "./block.ts";
import { isLatin1, type TextPort, type TextView } from "./text.ts";

/** Words at first. Most values are far smaller. */
const FIRST_WORDS = 4096;
/** Scratch memory larger than this is not kept for the next value. */
const KEPT_WORDS = 1 << 18;
/**
 * Longest string written by a loop: beyond, two calls into the engine cost less (measured: equal at 48
 * units).
 */
const LOOP_UNITS = 40;
/** Words copied by a loop rather than by `set`, which costs 60 ns before it begins. */
const LOOP_WORDS = 64;

const LATIN1_ITEM = LATIN1;
const UTF16_ITEM = UTF16;

/** One double, to be read as two words. */
const cell = new Float64Array(1);
const cellWords = new Int32Array(cell.buffer);

export class WordWriter {
  i32: Int32Array;
  f64: Float64Array;
  /** Next word. */
  at: number = HEADER_WORDS;
  private text: TextView;
  private readonly port: TextPort;
  private readonly maxWords: number;

  /** Never grows beyond `maxWords`. */
  constructor(port: TextPort, maxWords: number) {
    this.port = port;
    this.maxWords = maxWords;
    this.i32 = new Int32Array(FIRST_WORDS);
    this.f64 = new Float64Array(this.i32.buffer);
    this.text = port.over(new Uint8Array(this.i32.buffer));
  }

  /** Makes room for so many more words. */
  reserve(words: number): void {
    if (this.at + words > this.i32.length) this.grow(this.at + words);
  }

  /** Writes one word; its place. */
  word(word: number): number {
    if (this.at === this.i32.length) this.grow(this.at + 1);
    const { at } = this;
    this.i32[at] = word;
    this.at = at + 1;
    return at;
  }

  /** Writes a double as two words, anywhere. */
  double(value: number): void {
    this.reserve(2);
    const { i32, at } = this;
    cell[0] = value;
    i32[at] = cellWords[0];
    i32[at + 1] = cellWords[1];
    this.at = at + 2;
  }

  /** Writes a string item. */
  string(text: string): void {
    const { length } = text;
    this.reserve((length >> 1) + 2);
    if (length > LOOP_UNITS) this.longString(text);
    else if (!this.shortLatin1(text)) this.utf16(text);
  }

  /** Writes a short string with one byte a unit; false if a unit does not fit. */
  private shortLatin1(text: string): boolean {
    const { i32, at } = this;
    const { length } = text;
    let all = 0;
    let place = at + 1;
    let i = 0;
    for (; i + 4 <= length; i += 4) {
      const a = text.charCodeAt(i);
      const b = text.charCodeAt(i + 1);
      const c = text.charCodeAt(i + 2);
      const d = text.charCodeAt(i + 3);
      all |= a | b | c | d;
      i32[place++] = a | (b << 8) | (c << 16) | (d << 24);
    }
    if (i < length) {
      let word = 0;
      for (let shift = 0; i < length; i++, shift += 8) {
        const unit = text.charCodeAt(i);
        all |= unit;
        word |= unit << shift;
      }
      i32[place++] = word;
    }
    if (all > 255) return false;
    i32[at] = LATIN1_ITEM | (length << 6);
    this.at = place;
    return true;
  }

  private longString(text: string): void {
    if (!isLatin1(text)) {
      this.utf16(text);
      return;
    }
    const { i32, at } = this;
    const words = (text.length + 3) >> 2;
    i32[at] = LATIN1_ITEM | (text.length << 6);
    i32[at + words] = 0;
    this.text.writeLatin1((at + 1) * 4, text);
    this.at = at + 1 + words;
  }

  private utf16(text: string): void {
    const { i32, at } = this;
    const words = (text.length + 1) >> 1;
    i32[at] = UTF16_ITEM | (text.length << 6);
    i32[at + words] = 0;
    this.text.writeUtf16((at + 1) * 4, text);
    this.at = at + 1 + words;
  }

  /** Writes bytes, filled up to a word. */
  bytes(bytes: Uint8Array): void {
    const words = (bytes.length + 3) >> 2;
    this.reserve(words);
    const { i32, at } = this;
    if (words > 0) i32[at + words - 1] = 0;
    new Uint8Array(i32.buffer).set(bytes, at * 4);
    this.at = at + words;
  }

  /** Writes words. */
  words(words: Int32Array, count: number): void {
    this.reserve(count);
    for (let i = 0; i < count; i++) this.i32[this.at + i] = words[i];
    this.at += count;
  }

  /** Copies everything to the word `to` of another memory. */
  copyTo(target: Int32Array, to: number): void {
    const { i32, at } = this;
    if (at > LOOP_WORDS) target.set(i32.subarray(0, at), to);
    else for (let i = 0; i < at; i++) target[to + i] = i32[i];
  }

  /** Forgets what was written. */
  reset(): void {
    this.at = HEADER_WORDS;
    if (this.i32.length > KEPT_WORDS) this.allocate(FIRST_WORDS);
  }

  /** Throws `MemoryLimitError` if what was written, with so many more bytes, fits into no block. */
  checkRoom(bytes: number): void {
    if (this.at * 4 + bytes <= this.maxWords * 4) return;
    const limit = this.maxWords * 4;
    throw new MemoryLimitError(
      `the value takes more than ${limit} bytes, which is all the memory there is for values`,
    );
  }

  private grow(words: number): void {
    this.checkRoom((words - this.at) * 4);
    const before = this.i32;
    this.allocate(Math.min(this.maxWords, Math.max(words, before.length * 2)));
    this.i32.set(before);
  }

  private allocate(words: number): void {
    this.i32 = new Int32Array((words + 1) & ~1);
    this.f64 = new Float64Array(this.i32.buffer);
    this.text = this.port.over(new Uint8Array(this.i32.buffer));
  }
}
