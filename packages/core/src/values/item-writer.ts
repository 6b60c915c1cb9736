/** The items that hold no others: numbers, strings, bytes. */

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
import { LargeParts } from "./large-parts.ts";
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
  readonly out: WordWriter;
  protected readonly large: LargeParts = new LargeParts();

  /** `maxBytes` is the size of the largest block there can be. */
  constructor(text: TextPort, maxBytes: number) {
    this.out = new WordWriter(text, Math.floor(maxBytes / 4));
  }

  writeNumber(value: number): void {
    const int = (value << BITS) >> BITS;
    if (int === value && (int !== 0 || 1 / value > 0)) {
      this.out.word(INT_ITEM | (int << BITS));
      return;
    }
    this.out.word(DOUBLE_ITEM);
    this.out.double(value);
  }

  writeBigInt(value: bigint): void {
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

  writeString(text: string): void {
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

  writeBytes(bytes: Uint8Array): void {
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
}
