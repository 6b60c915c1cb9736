import { afterEach, expect, test, vi } from "vitest";
import { receivedBytes } from "../src/received-bytes.ts";

const MIB = 2 ** 20;

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Lengths of the buffers that are made from now on for nobody. */
function watchBlocks(): number[] {
  const lengths: number[] = [];
  class Watched extends ArrayBuffer {
    constructor(length: number) {
      super(length);
      lengths.push(length);
    }
  }
  vi.stubGlobal("ArrayBuffer", Watched);
  return lengths;
}

test("what is received is a copy in a buffer of its own", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(64)).fill(7);
  const copyBytes = receivedBytes();
  const buffer = copyBytes(shared.subarray(8, 24));
  shared.fill(0);
  expect(buffer).toBeInstanceOf(ArrayBuffer);
  expect([...new Uint8Array(buffer)]).toEqual(Array.from({ length: 16 }, () => 7));
});

test("where there is no room for a block, what was sent arrives all the same", () => {
  class NoRoom extends ArrayBuffer {
    constructor(_length: number) {
      super(0);
      throw new RangeError("Array buffer allocation failed");
    }
  }
  vi.stubGlobal("ArrayBuffer", NoRoom);
  const copyBytes = receivedBytes();
  const bytes = new Uint8Array(40 * MIB);
  for (let i = 0; i < 2; i++) expect(copyBytes(bytes).byteLength).toBe(40 * MIB);
});

test("a thread that receives little leaves malloc alone, one that receives a lot sees to it once", () => {
  const blocks = watchBlocks();
  const copyBytes = receivedBytes();
  const bytes = new Uint8Array(4 * MIB);
  for (let i = 0; i < 15; i++) copyBytes(bytes);
  expect(blocks).toEqual([]);
  for (let i = 0; i < 50; i++) copyBytes(bytes);
  expect(blocks).toEqual([32 * MIB - 64 * 1024]);
});
