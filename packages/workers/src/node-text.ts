/** Strings to bytes and back with Node's Buffer, which copies in native code: 40 ns and the copying itself. */

import { Buffer } from "node:buffer";
import type { TextPort, TextView } from "@heddle/core";

class BufferTextView implements TextView {
  private readonly bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  writeLatin1(offset: number, text: string): void {
    this.bytes.write(text, offset, "latin1");
  }

  readLatin1(offset: number, length: number): string {
    return this.bytes.toString("latin1", offset, offset + length);
  }

  writeUtf16(offset: number, text: string): void {
    this.bytes.write(text, offset, "utf16le");
  }

  readUtf16(offset: number, length: number): string {
    return this.bytes.toString("utf16le", offset, offset + length * 2);
  }
}

/** What core's codec is given in Node. */
export const nodeText: TextPort = { over: (bytes) => new BufferTextView(bytes) };
