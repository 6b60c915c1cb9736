/**
 * Strings and bytes that are copied straight into the block when it is there, rather than through the scratch
 * memory: a buffer of 64 MiB is copied once. Places are counted in 8 bytes.
 */

import { CloneError } from "../base/errors.ts";
import type { TextView } from "./text.ts";

interface LargePart {
  readonly source: Uint8Array | string;
  /** Bytes; that of a buffer when it was found. */
  readonly bytes: number;
  readonly place: number;
}

export class LargeParts {
  private parts: LargePart[] = [];
  /** Bytes of all parts. */
  bytes = 0;

  /** Notes a part and the bytes it takes; its place. */
  add(source: Uint8Array | string, bytes: number): number {
    const place = this.bytes / 8;
    this.parts.push({ source, bytes, place });
    this.bytes += Math.ceil(bytes / 8) * 8;
    return place;
  }

  get count(): number {
    return this.parts.length;
  }

  /** Writes all parts to a block, whose large parts begin at byte `start`. */
  copyTo(u8: Uint8Array, text: TextView, start: number): void {
    for (const { source, bytes, place } of this.parts) {
      const at = start + place * 8;
      if (typeof source !== "string") this.copyBytes(u8, source, bytes, at);
      else if (bytes === source.length) text.writeLatin1(at, source);
      else text.writeUtf16(at, source);
    }
  }

  /** Forgets the parts from number `count` on. */
  truncate(count: number): void {
    if (count === this.parts.length) return;
    this.bytes = (this.parts[count] as LargePart).place * 8;
    this.parts.length = count;
  }

  reset(): void {
    if (this.parts.length > 0) this.parts = [];
    this.bytes = 0;
  }

  private copyBytes(u8: Uint8Array, source: Uint8Array, bytes: number, at: number): void {
    // Getters may have run since the buffer was found.
    if (source.length !== bytes) throw new CloneError("an ArrayBuffer changed its size while it was copied");
    u8.set(source, at);
  }
}
