import { loopText } from "@heddle/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { nodeText } from "../src/node-text.ts";

const memories = (): Uint8Array[] => [new Uint8Array(new SharedArrayBuffer(8192)), new Uint8Array(8192)];
const latin1 = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 200 })
  .map((units) => String.fromCharCode(...units));
const utf16 = fc
  .array(fc.integer({ min: 0, max: 65_535 }), { maxLength: 200 })
  .map((units) => String.fromCharCode(...units));
const place = fc.integer({ min: 0, max: 1000 }).map((words) => words * 4);

it("writes the bytes that core's own loops write, and nothing beside them", () => {
  fc.assert(
    fc.property(latin1, utf16, place, (narrow, wide, offset) => {
      const [mine, theirs] = memories() as [Uint8Array, Uint8Array];
      for (const [port, bytes] of [[nodeText, mine] as const, [loopText, theirs] as const]) {
        bytes.fill(7);
        port.over(bytes).writeLatin1(offset, narrow);
        port.over(bytes).writeUtf16(4400, wide);
      }
      expect(Buffer.compare(mine, theirs)).toBe(0);
    }),
  );
});

it("reads what either has written, lone surrogates and all", () => {
  fc.assert(
    fc.property(latin1, utf16, place, (narrow, wide, offset) => {
      for (const bytes of memories()) {
        loopText.over(bytes).writeLatin1(offset, narrow);
        expect(nodeText.over(bytes).readLatin1(offset, narrow.length) === narrow).toBe(true);
        expect(loopText.over(bytes).readLatin1(offset, narrow.length) === narrow).toBe(true);
        nodeText.over(bytes).writeUtf16(offset, wide);
        expect(nodeText.over(bytes).readUtf16(offset, wide.length) === wide).toBe(true);
        expect(loopText.over(bytes).readUtf16(offset, wide.length) === wide).toBe(true);
      }
    }),
  );
});

it("works on a part of a buffer", () => {
  const bytes = new Uint8Array(new SharedArrayBuffer(256), 64, 128);
  nodeText.over(bytes).writeLatin1(0, "héllo");
  expect([...new Uint8Array(bytes.buffer, 64, 5)]).toEqual([104, 0xe9, 108, 108, 111]);
});
