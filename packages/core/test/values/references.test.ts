import { afterEach, describe, expect, it } from "vitest";
import { CloneError } from "../../src/base/errors.ts";
import { ReferenceTable } from "../../src/values/references.ts";
import { codecUnderTest, Outcome, Record } from "./codec-under-test.ts";

const subject = codecUnderTest();
const { codec, slot, otherSlot, records, buffers, copy } = subject;

afterEach(() => {
  records.failure = undefined;
  subject.expectNothingKept();
});

describe("by reference", () => {
  it("an object alone takes no block", () => {
    const tag = codec.put(slot, new Record(5), "r");
    expect(subject.slab.census().blocks).toBe(0);
    expect(records.counts.get(5)).toBe(1);
    const back = codec.take(slot, tag);
    expect(back).toBeInstanceOf(Record);
    expect(Record.indexOf(back as Record)).toBe(5);
  });

  it("nested at any depth, each counted once, and one object stays one", () => {
    const [one, two] = [new Record(1), new Record(2)];
    const tag = codec.put(slot, { one, list: [two, one], map: new Map([[one, new Set([two])]]) }, "value");
    expect([...records.counts]).toEqual([
      [1, 1],
      [2, 1],
    ]);
    const back = codec.take(slot, tag) as { one: Record; list: Record[]; map: Map<Record, Set<Record>> };
    expect(back.list[1]).toBe(back.one);
    expect(back.map.get(back.one)?.has(back.list[0] as Record)).toBe(true);
    expect([Record.indexOf(back.one), Record.indexOf(back.list[0] as Record)]).toEqual([1, 2]);
  });

  it("hundreds in one value", () => {
    const many = Array.from({ length: 500 }, (_, i) => new Record(i));
    expect(copy(many).map((record) => Record.indexOf(record))).toEqual(many.map((_, i) => i));
  });

  it("an instance of a derived class", () => {
    class Derived extends Record {}
    expect(Record.indexOf(copy([new Derived(9)])[0] as Record)).toBe(9);
  });

  it("a SharedArrayBuffer, also as the buffer of views", () => {
    const shared = new SharedArrayBuffer(64);
    expect(copy(shared)).toBe(shared);
    const back = copy({ view: new Int32Array(shared, 8, 3), shared, data: new DataView(shared, 1) });
    expect(back.view.buffer).toBe(shared);
    expect([back.view.byteOffset, back.view.length, back.shared, back.data.byteOffset]).toEqual([
      8,
      3,
      shared,
      1,
    ]);
    expect(buffers.idOf(shared)).toBe(buffers.idOf(back.shared));
  });
});

describe("counts", () => {
  it("peek counts once more each time, and the block keeps its own", () => {
    const tag = codec.put(slot, [new Record(1), new SharedArrayBuffer(8)], "value");
    const [first, second] = [codec.peek(slot, tag), codec.peek(slot, tag)] as [[Record], [Record]];
    expect(first[0]).not.toBe(second[0]);
    expect([records.total, buffers.uses()]).toEqual([1, 1]);
    codec.drop(slot, tag);
  });

  it("peek of an object alone, too", () => {
    const tag = codec.put(slot, new Record(1), "value");
    codec.peek(slot, tag);
    expect(records.total).toBe(1);
    codec.drop(slot, tag);
  });

  it("drop releases all without making anything", () => {
    const tag = codec.put(
      slot,
      { deep: [[new Record(1)], new Map([[1, new Record(2)]]), new SharedArrayBuffer(8)] },
      "value",
    );
    expect(records.total).toBe(2);
    codec.drop(slot, tag);
  });

  it("are taken back when something after cannot be copied", () => {
    expect(() => codec.put(slot, [new Record(1), new SharedArrayBuffer(1), { no: () => {} }], "v")).toThrow(
      CloneError,
    );
  });

  it("are taken back when counting another fails", () => {
    const value = [new Outcome(1), new SharedArrayBuffer(1), new Record(2)];
    records.failure = new Error("closed");
    expect(() => codec.put(slot, value, "v")).toThrow("closed");
    expect(() => codec.put(slot, value[2], "v")).toThrow("closed");
  });

  it("are taken back when there is no room", () => {
    const small = codecUnderTest({ slabBytes: 64 * 1024 });
    expect(() => small.codec.put(small.slot, [new Record(1), new Uint8Array(70_000)], "v")).toThrow(
      "all the memory there is",
    );
    const tag = small.codec.put(small.slot, new Uint8Array(40_000), "v");
    expect(() => small.codec.put(small.otherSlot, [new Record(1), new Uint8Array(40_000)], "v")).toThrow(
      "no room for a value",
    );
    small.codec.drop(small.slot, tag);
    small.expectNothingKept();
  });

  it("are taken back for the part that an error leaves behind", () => {
    const error = Object.assign(new Error("x"), { bad: [new Record(1), () => {}], good: new Record(2) });
    const tag = codec.put(slot, error, "v");
    expect([...records.counts.keys()]).toEqual([2]);
    codec.drop(slot, tag);
  });
});

describe("an object that has outlived its record", () => {
  it("travels with its content", () => {
    const done = new Outcome(1);
    done.content = [{ result: new Record(3) }];
    const back = copy({ done, again: done });
    expect(back.again).toBe(back.done);
    expect(back.done).toBeInstanceOf(Outcome);
    expect(Record.indexOf((back.done.content as [{ result: Record }])[0].result)).toBe(3);
    expect((copy(done).content as unknown[]).length).toBe(1);
  });

  it("may be in its own content", () => {
    const done = new Outcome(1);
    done.content = [done];
    const back = copy(done);
    expect((back.content as unknown[])[0]).toBe(back);
  });

  it("in a chain of thousands", () => {
    let chain = new Outcome(0);
    for (let i = 0; i < 5000; i++) {
      const next = new Outcome(i);
      next.content = [chain];
      chain = next;
    }
    let length = 0;
    for (let at: Outcome | undefined = copy(chain); at?.content !== undefined; length++)
      at = (at.content as Outcome[])[0];
    expect(length).toBe(5000);
  });
});

describe("the table of kinds", () => {
  it("takes each number once, and only numbers there are", () => {
    const table = new ReferenceTable();
    table.register(records);
    expect(() => table.register(records)).toThrow("kind 0 is registered already");
    for (const kind of [-1, 16, Number.NaN]) {
      const impossible = Object.create(records, { kind: { value: kind } }) as typeof records;
      expect(() => table.register(impossible)).toThrow(RangeError);
    }
  });
});

it("two slots do not disturb each other", () => {
  const first = codec.put(slot, [1, new Record(1)], "a");
  const second = codec.put(otherSlot, [2, new Record(2)], "b");
  expect((codec.take(slot, first) as unknown[])[0]).toBe(1);
  expect((codec.take(otherSlot, second) as unknown[])[0]).toBe(2);
});

describe("a value made or dropped while another is", () => {
  const inner = { list: [1, new SharedArrayBuffer(8)], name: "inner", self: {} as object };
  inner.self = inner;

  it("as when reviving one handle reads the result of another", () => {
    const seen: unknown[] = [];
    const innerTag = codec.put(otherSlot, inner, "inner");
    records.onRevive = () => seen.push(codec.peek(otherSlot, innerTag));
    try {
      const shared = { x: 1 };
      const back = copy([shared, new Record(1), shared, new Record(2), shared]);
      expect(back[2]).toBe(back[0]);
      expect(back[4]).toBe(back[0]);
      expect(seen.map((value) => (value as typeof inner).self === value)).toEqual([true, true]);
    } finally {
      records.onRevive = undefined;
      codec.drop(otherSlot, innerTag);
    }
  });

  it("as when releasing one handle drops its result", () => {
    const innerTag = codec.put(otherSlot, inner, "inner");
    records.onRelease = (index) => {
      if (index === 1) codec.drop(otherSlot, innerTag);
    };
    try {
      codec.drop(slot, codec.put(slot, [new Record(1), new Record(2), new SharedArrayBuffer(8)], "outer"));
    } finally {
      records.onRelease = undefined;
    }
  });
});

describe("a stack overflow while a value is copied", () => {
  const value = {
    records: [new Record(1)],
    bytes: new Uint8Array(5000),
    deep: [[[[[{ x: "y".repeat(300) }]]]]],
  };

  /** Puts the value with `depth` calls below. */
  const putAt = (depth: number): number => (depth > 0 ? putAt(depth - 1) : codec.put(slot, value, "v"));

  it("keeps nothing, and the next value is copied as ever", () => {
    let overflows = 0;
    for (let depth = 1000; overflows < 300; depth += 7) {
      try {
        codec.drop(slot, putAt(depth));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        overflows++;
      }
    }
    expect(copy(value).deep).toEqual(value.deep);
  });
});
