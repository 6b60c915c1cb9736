/**
 * The items that hold no others, and where in the value the writer is, for the message when something cannot
 * be copied.
 */

import { CloneError } from "../base/errors.ts";
import {
  BIGINT,
  BIGINT64,
  BUFFER,
  DOUBLE,
  INT,
  KIND_BITS,
  LARGE_BUFFER,
  LARGE_LATIN1,
  LARGE_UTF16,
} from "./block.ts";
import { tagOf } from "./intrinsics.ts";
import { LargeParts } from "./large-parts.ts";
import { type PathKey, type PathStart, pathText } from "./path.ts";
import { isLatin1, type TextPort } from "./text.ts";
import { WordWriter } from "./word-writer.ts";

const BITS = KIND_BITS;
const INT_ITEM = INT;
const DOUBLE_ITEM = DOUBLE;

/** Strings from so many units on are large parts: copied once instead of twice. Measured. */
const LARGE_UNITS = 256;
/** The same for bytes of buffers. */
const LARGE_BYTES = 1024;

export class ItemWriter {
  protected readonly out: WordWriter;
  protected readonly large: LargeParts = new LargeParts();
  /** Containers entered; `keys[1..depth]` lead from `start` to the value being written. */
  protected depth = 0;
  protected readonly keys: PathKey[] = [""];
  protected start: PathStart | undefined = undefined;
  protected where = "";

  /** `maxBytes` is the size of the largest block there can be. */
  constructor(text: TextPort, maxBytes: number) {
    this.out = new WordWriter(text, Math.floor(maxBytes / 4));
  }

  protected writeNumber(value: number): void {
    const int = (value << BITS) >> BITS;
    if (int === value && (int !== 0 || 1 / value > 0)) {
      this.out.word(INT_ITEM | (int << BITS));
      return;
    }
    this.out.word(DOUBLE_ITEM);
    this.out.double(value);
  }

  protected writeBigInt(value: bigint): void {
    const { out } = this;
    if (BigInt.asIntN(64, value) === value) {
      out.word(BIGINT64);
      out.word(Number(BigInt.asIntN(32, value)));
      out.word(Number(BigInt.asIntN(32, value >> 32n)));
      return;
    }
    const negative = value < 0n;
    out.word(BIGINT | ((negative ? 1 : 0) << BITS));
    this.writeString((negative ? -value : value).toString(16));
  }

  protected writeString(text: string): void {
    if (text.length < LARGE_UNITS) this.out.string(text);
    else this.writeLargeString(text);
  }

  private writeLargeString(text: string): void {
    const { out } = this;
    const latin1 = isLatin1(text);
    out.word(latin1 ? LARGE_LATIN1 : LARGE_UTF16);
    out.word(text.length);
    out.word(this.addLarge(text, latin1 ? text.length : text.length * 2));
  }

  protected writeBytes(bytes: Uint8Array): void {
    const { out } = this;
    if (bytes.length < LARGE_BYTES) {
      out.word(BUFFER);
      out.word(bytes.length);
      out.bytes(bytes);
      return;
    }
    out.word(LARGE_BUFFER);
    out.word(bytes.length);
    out.word(this.addLarge(bytes, bytes.length));
  }

  /** Notes a large part, if a block could ever hold it; its place. */
  private addLarge(source: Uint8Array | string, bytes: number): number {
    const place = this.large.add(source, bytes);
    this.out.checkRoom(this.large.bytes);
    return place;
  }

  // ── refusing ──

  /** Where the value being written is. */
  protected path(): string {
    return pathText(this.where, this.start, this.keys.slice(1, this.depth + 1));
  }

  protected refusal(what: string): CloneError {
    return cannotCopy(this.path(), what);
  }
}

/** The error for something that cannot be copied. */
export function cannotCopy(path: string, what: string): CloneError {
  return new CloneError(`${path}: ${what} cannot be copied to another goroutine`);
}

/** What is refused, in words. */
export function describe(value: unknown): string {
  if (typeof value === "symbol") return `the symbol ${value.description ?? ""}`.trimEnd();
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  return `an object of class ${tagOf.call(value).slice(8, -1)}`;
}
