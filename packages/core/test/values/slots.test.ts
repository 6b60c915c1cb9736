import { afterEach, describe, expect, it } from "vitest";
import { CloneError, CorruptValueError, MemoryLimitError } from "../../src/base/errors.ts";
import {
  TAG_BIGINT,
  TAG_BLOCK,
  TAG_LATIN1,
  TAG_NUMBER,
  TAG_TEXT,
  TAG_UNDEFINED,
  TAG_UTF16,
} from "../../src/values/tags.ts";
import { codecUnderTest } from "./codec-under-test.ts";

const MIB = 1024 * 1024;
const subject = codecUnderTest();
const { codec, slot, memory } = subject;

afterEach(() => subject.expectNothingKept());

describe("a slot", () => {
  it("of zeros is undefined", () => {
    expect(TAG_UNDEFINED).toBe(0);
    memory.i32.fill(0, slot, slot + 2);
    expect(codec.take(slot, 0)).toBe(undefined);
  });

  it.each([undefined, null, true, false, 0, -0, 1.5, Number.NaN, 7n, -(2n ** 63n), "", "a", "12345678", "ÿ"])(
    "holds %s without a block",
    (value) => {
      const tag = codec.put(slot, value, "v");
      expect(tag).toBeLessThan(32);
      expect(subject.slab.census().blocks).toBe(0);
      expect([codec.peek(slot, tag), codec.take(slot, tag)]).toEqual([value, value]);
      codec.drop(slot, tag);
    },
  );

  it.each<[string, unknown, number]>([
    ["a number", 1, TAG_NUMBER],
    ["a bigint", 1n, TAG_BIGINT],
    ["a larger bigint", 2n ** 64n, TAG_BLOCK],
    ["short text", "abc", TAG_TEXT + 3],
    ["longer text", "abcdefghi", TAG_LATIN1],
    ["short text that is not Latin-1", "→", TAG_UTF16],
    ["an object", {}, TAG_BLOCK],
  ])("of %s has its tag", (_, value, tag) => {
    expect(codec.put(slot, value, "v")).toBe(tag);
    expect(codec.peek(slot, tag)).toEqual(value);
    codec.drop(slot, tag);
  });

  it("whose value cannot be copied: functions and symbols are named", () => {
    expect(() => codec.put(slot, function named() {}, "args[2]")).toThrow(
      new CloneError("args[2]: the function named cannot be copied to another goroutine"),
    );
    expect(() => codec.put(slot, Symbol("s"), "args[2]")).toThrow(CloneError);
  });
});

describe("peek", () => {
  it.each(["text of some length", "→→→", { a: [1] }, 2n ** 100n])("leaves %s in place", (value) => {
    const tag = codec.put(slot, value, "v");
    const copies = [codec.peek(slot, tag), codec.peek(slot, tag), codec.take(slot, tag)];
    expect(copies).toEqual([value, value, value]);
    if (typeof value === "object") expect(copies[0]).not.toBe(copies[1]);
  });
});

describe("a full slab", () => {
  it.each<[string, unknown]>([
    ["text", "x".repeat(1000)],
    ["wide text", "→".repeat(1000)],
    ["an object", { a: "x".repeat(100) }],
    ["bytes", new Uint8Array(20_000)],
  ])("of %s: MemoryLimitError, and all is well when there is room again", (_, value) => {
    const small = codecUnderTest({ slabBytes: 256 * 1024 });
    const { slot: first } = small;
    const taken: [number, number][] = [];
    for (let round = 0; round < 3; round++) {
      expect(() => {
        for (;;) {
          const tag = small.codec.put(first, value, "v");
          taken.push([tag, small.memory.i32[first]]);
          taken.push([tag, small.memory.i32[first + 1]]);
        }
      }).toThrow(MemoryLimitError);
      expect(taken.length).toBeGreaterThan(10);
      while (taken.length > 0) {
        const [tag, words] = taken.pop() as [number, number];
        small.memory.i32[first + 1] = words;
        small.memory.i32[first] = (taken.pop() as [number, number])[1];
        expect(small.codec.take(first, tag)).toEqual(value);
      }
      small.expectNothingKept();
    }
  });

  it("a value that could never fit is a MemoryLimitError, not a crash", () => {
    const small = codecUnderTest({ slabBytes: 64 * 1024 });
    const endless = {
      get next(): unknown {
        return Object.create(
          Object.getPrototypeOf(endless) as object,
          Object.getOwnPropertyDescriptors(endless),
        );
      },
    };
    const tooLarge: unknown[] = [
      new Uint8Array(10 * MIB),
      "x".repeat(MIB),
      [new Uint8Array(10 * MIB), 1],
      ["→".repeat(MIB), 1],
      Array.from({ length: 100_000 }, (_, i) => i),
      Array.from({ length: 20_000 }, (_, i) => ({ i })),
      Array.from({ length: 100_000 }, () => "text"),
      endless,
    ];
    for (const value of tooLarge) {
      expect(() => small.codec.put(small.slot, value, "v")).toThrow(MemoryLimitError);
      small.expectNothingKept();
    }
  });
});

describe("large values", () => {
  it("64 MiB of bytes, several at a time", () => {
    const large = codecUnderTest({ slabBytes: 400 * MIB });
    const bytes = new Uint8Array(64 * MIB);
    bytes[0] = 1;
    bytes[bytes.length - 1] = 2;
    const slots = Array.from({ length: 6 }, (_, i) => large.slot + 2 * i);
    const tags = slots.map((at) => large.codec.put(at, { bytes, name: "b" }, "v"));
    for (const [i, tag] of tags.entries()) {
      const back = (large.codec.take(slots[i] as number, tag) as { bytes: Uint8Array }).bytes;
      expect([back.length, back[0], back[back.length - 1]]).toEqual([64 * MIB, 1, 2]);
    }
    large.expectNothingKept();
  });

  it("strings of 20 million units", () => {
    const large = codecUnderTest({ slabBytes: 64 * MIB });
    for (const value of ["x".repeat(2e7), "→".repeat(2e7)]) {
      expect(large.copy(value) === value).toBe(true);
      expect(large.copy([value])[0] === value).toBe(true);
    }
  });
});

describe("depth", () => {
  type Link = { next?: Link; value?: number };

  it("a linked list of 100 000 objects", () => {
    let list: Link = {};
    for (let i = 0; i < 100_000; i++) list = { value: i, next: list };
    let length = 0;
    for (let at: Link | undefined = subject.copy(list); at?.next !== undefined; at = at.next) {
      if (at.value !== 99_999 - length) throw new Error(`out of order at ${length}`);
      length++;
    }
    expect(length).toBe(100_000);
  });

  it("100 000 nested arrays, Maps, Sets and causes, in turns", () => {
    let nest: unknown = "inside";
    for (let i = 0; i < 100_000; i++) {
      const wrap = [
        () => [0, nest],
        () => new Map([[nest, i]]),
        () => new Set([nest]),
        () => Object.assign(new Error("e"), { stack: "", nest }),
        () => Object.assign([1.5, 2, 3, 4], { nest }),
        () => new Map([["k", nest]]),
        () => ({ nest }),
      ];
      nest = (wrap[i % wrap.length] as () => unknown)();
    }
    const unwrap = (value: unknown): unknown => {
      if (value instanceof Map) return value.has("k") ? value.get("k") : [...value.keys()][0];
      if (value instanceof Set) return [...value][0];
      return (value as { nest?: unknown }).nest ?? (value as unknown[])[1];
    };
    let at: unknown = subject.copy(nest);
    for (let i = 0; i < 100_000; i++) at = unwrap(at);
    expect(at).toBe("inside");
  });

  it("a cycle through 10 000 objects closes", () => {
    const first: Link = {};
    let last = first;
    for (let i = 0; i < 10_000; i++) last = last.next = { value: i };
    last.next = first;
    const back = subject.copy(first);
    let at = back;
    for (let i = 0; i <= 10_000; i++) at = at.next as Link;
    expect(at).toBe(back);
  });

  it("what cannot be copied, 50 000 levels down, is refused with a short path", () => {
    let list: object = { no: () => {} };
    for (let i = 0; i < 50_000; i++) list = { next: list };
    expect(() => codec.put(slot, list, "args[0]")).toThrow(
      /^args\[0\](\.next){8}…(\.next){7}\.no: a function|the function no/,
    );
  });
});

describe("a corrupt slot", () => {
  it.each([9, 15, 25, 31, 34, 40, 48, 63, -1, 1e9])("with tag %i is a CorruptValueError", (tag) => {
    expect(() => codec.take(slot, tag)).toThrow(CorruptValueError);
  });

  it.each([TAG_BLOCK, TAG_LATIN1, TAG_UTF16])("that names no block: tag %i", (tag) => {
    for (const unit of [0, -1, 1, 2 ** 30, subject.memory.layout.slab / 16]) {
      memory.i32[slot] = unit;
      memory.i32[slot + 1] = 4;
      expect(() => codec.take(slot, tag)).toThrow(CorruptValueError);
      expect(() => codec.peek(slot, tag)).toThrow(CorruptValueError);
    }
  });

  it("whose string is longer than its block is a CorruptValueError, and the block comes back", () => {
    for (const length of [65, -1, 2 ** 31 - 1]) {
      const tag = codec.put(slot, "text of some length", "v");
      memory.i32[slot + 1] = length;
      expect(() => codec.take(slot, tag)).toThrow(CorruptValueError);
    }
  });
});
