import { seeded } from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { FunctionError } from "../../src/base/errors.ts";
import { FunctionTable } from "../../src/goroutine/function-table.ts";
import { FN_CAPACITY, FN_COUNT, FN_TEXT_WORDS } from "../../src/memory/layout.ts";
import { SharedMemory } from "../../src/memory/shared-memory.ts";

function newMemory(): SharedMemory {
  return SharedMemory.create({
    procs: 1,
    maxMachines: 1,
    maxGoroutines: 16,
    maxObjects: 16,
    slabBytes: 2 ** 16,
    timeSliceMs: 10,
  });
}

describe("function table", () => {
  test("a function has one number, on every thread, and the number leads back", () => {
    const memory = newMemory();
    const [one, other] = [new FunctionTable(memory, 1), new FunctionTable(memory, 2)];
    expect([one.intern("file:///a.js", "f"), other.intern("file:///a.js", "g")]).toEqual([1, 2]);
    expect([other.intern("file:///a.js", "f"), one.intern("file:///b.js", "f")]).toEqual([1, 3]);
    expect(other.placeOf(1)).toEqual({ url: "file:///a.js", name: "f" });
    expect(one.placeOf(3)).toEqual({ url: "file:///b.js", name: "f" });
  });

  test("where the URL ends and the name begins matters", () => {
    const table = new FunctionTable(newMemory(), 1);
    expect(new Set([table.intern("ab", "c"), table.intern("a", "bc"), table.intern("abc", "")]).size).toBe(3);
  });

  test("names with any text", () => {
    const table = new FunctionTable(newMemory(), 1);
    const names = ["größe", "日本語", "🎉", "\ud800", "a\0b", "__proto__", " ", ""];
    const ids = names.map((name) => table.intern("file:///ü/🎉.js", name));
    expect(ids.map((id) => table.placeOf(id).name)).toEqual(names);
    expect(ids.map((id) => table.placeOf(id).url)).toEqual(names.map(() => "file:///ü/🎉.js"));
  });

  test("texts with equal hashes are told apart", () => {
    const table = new FunctionTable(newMemory(), 1);
    const random = seeded(1);
    const names = Array.from({ length: 2000 }, () =>
      String.fromCharCode(random.below(128), random.below(128)),
    );
    const ids = new Map(names.map((name) => [name, table.intern("u", name)]));
    for (const [name, id] of ids) expect(table.placeOf(id).name).toBe(name);
    expect(new Set(ids.values()).size).toBe(ids.size);
  });

  test("numbers that are none", () => {
    const table = new FunctionTable(newMemory(), 1);
    table.intern("u", "f");
    for (const id of [0, -1, 2, 1e9]) expect(() => table.placeOf(id)).toThrow(FunctionError);
    expect(() => table.placeOf(2)).toThrow("function number 2 is not one of the 1 known");
  });

  test("full of functions: the next is refused, the others stay, and the lock is free", () => {
    const memory = newMemory();
    const table = new FunctionTable(memory, 1);
    const first = table.intern("u", "first");
    memory.i32[FN_COUNT] = FN_CAPACITY;
    expect(() => table.intern("u", "one too many")).toThrow(
      new FunctionError(
        `the function table is full (${FN_CAPACITY} functions): one too many in u does not fit`,
      ),
    );
    expect(new FunctionTable(memory, 2).intern("u", "first")).toBe(first);
  });

  test("full of text: the next is refused, a shorter one fits", () => {
    const table = new FunctionTable(newMemory(), 1);
    const half = "x".repeat(FN_TEXT_WORDS); // a word holds two characters
    table.intern(half, "a");
    expect(() => table.intern(half, "b")).toThrow(/does not fit/);
    expect(table.placeOf(table.intern("short", "b")).name).toBe("b");
  });
});
