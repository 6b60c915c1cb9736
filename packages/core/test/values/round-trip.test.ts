import { afterEach, describe, expect, it } from "vitest";
import { codecUnderTest } from "./codec-under-test.ts";
import { difference } from "./same-graph.ts";

const subject = codecUnderTest();
const { copy } = subject;

afterEach(() => subject.expectNothingKept());

class Point {
  x = 1;
  #secret = 2;
  get y(): number {
    return this.#secret;
  }
}

function withProperties<T extends object>(value: T, properties: object): T {
  return Object.assign(value, properties);
}

function sparse(length: number, elements: Record<number, unknown>): unknown[] {
  const array: unknown[] = [];
  array.length = length;
  return withProperties(array, elements);
}

function resizable(length: number, maxByteLength: number): ArrayBuffer {
  const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
  return new Resizable(length, { maxByteLength });
}

const loneSurrogates = "a\ud800b\udc00\ud83d";
const buffer = Uint8Array.from({ length: 100 }, (_, i) => i).buffer;

const { Float16Array } = globalThis as { Float16Array?: new (elements: number[]) => unknown };

/** Everything that structured clone keeps must arrive exactly as it would from there. */
const values: Record<string, unknown> = {
  undefined: undefined,
  null: null,
  true: true,
  false: false,
  "a number": 3.5,
  "minus zero": -0,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "the smallest number": Number.MIN_VALUE,
  "0 as a bigint": 0n,
  "the largest 64-bit bigint": 2n ** 63n - 1n,
  "the smallest 64-bit bigint": -(2n ** 63n),
  "a bigint just beyond 64 bits": 2n ** 63n,
  "a negative bigint just beyond 64 bits": -(2n ** 63n) - 1n,
  "a bigint of 100 000 bits": 3n ** 63_093n,
  "an empty string": "",
  "a string of 8 units": "12345678",
  "a string of 8 units with umlauts": "äöüÄÖÜß\xff",
  "a string of 9 units": "123456789",
  "a short string beyond Latin-1": "→",
  "NUL units": "\0\0",
  "lone surrogates": loneSurrogates,
  "a string of 1000 Latin-1 units": "x".repeat(999) + "é",
  "a string of 1000 wide units": "→".repeat(999) + loneSurrogates,
  "100 000 units": "0123456789".repeat(10_000),
  "an empty object": {},
  "an object": { id: 42, name: "Ada", tags: ["x", "yy"], on: true, off: false, none: null, gone: undefined },
  "an object with index keys": { b: 1, 2: "two", 1: "one", a: 2, 4294967295: "no index", "-1": 0 },
  "an object with keys of all kinds": {
    "": 1,
    ä: 2,
    "→": 3,
    ["k".repeat(40)]: 4,
    ["k".repeat(1000)]: 5,
    [loneSurrogates]: 6,
  },
  "keys that Object.prototype has": { toString: 1, constructor: 2, hasOwnProperty: 3, valueOf: null },
  "an own key named __proto__": JSON.parse('{"__proto__": {"polluted": true}, "x": 1}'),
  "an object of 1000 properties": Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key${i}`, i])),
  "an object without prototype": withProperties(Object.create(null) as object, { a: 1 }),
  "an instance of a class": new Point(),
  "a getter": Object.defineProperty({}, "now", { get: () => 17, enumerable: true }),
  "what is not enumerable": Object.defineProperty({ a: 1 }, "hidden", { value: 1, enumerable: false }),
  "a symbol key": { a: 1, [Symbol("s")]: 2 },
  "an empty array": [],
  "an array of ints": [1, -2, 3, 2 ** 31 - 1, -(2 ** 31)],
  "an array that turns to doubles": [1, 2, 3, 4.5, 5, -0, Number.NaN],
  "an array of doubles at odd places": [
    [0.5, 1.5, 2.5, 3.5],
    "x",
    [0.5, 1.5, 2.5, 3.5],
    1,
    [0.5, 1.5, 2.5, 3.5],
  ],
  "an array that begins with numbers": [1, 2, 3, 4, "five", 6, null, 7.5],
  "an array that begins with doubles": [1.5, 2.5, 3.5, 4.5, { five: 5 }, 6],
  "200 000 numbers": Array.from({ length: 200_000 }, (_, i) => i * (i % 1000 === 999 ? 0.1 : 1)),
  "a minus zero among ints": [1, 2, -0, 4, 5],
  "numbers too large for an int item": {
    a: 2 ** 25,
    b: 2 ** 25 - 1,
    c: -(2 ** 25),
    d: -(2 ** 25) - 1,
    e: 2 ** 31,
    f: 2 ** 53,
  },
  holes: sparse(5, { 1: "one", 3: undefined }),
  "only holes": sparse(100, {}),
  "a hole among numbers": sparse(6, { 0: 1, 1: 2, 2: 3, 3: 4, 5: 6 }),
  "many holes": sparse(1000, { 0: "a", 70: "b", 999: "c" }),
  "a huge sparse array": sparse(4_294_967_295, { 5: "five", 100_000: "many", 4_294_967_294: "last" }),
  "a huge sparse array that begins with a number": sparse(4_000_000_000, { 0: 1, 3_999_999_999: 2 }),
  "a huge empty array": sparse(4_294_967_295, {}),
  "an array with properties": withProperties([1, 2, 3], { note: "n", "-1": "minus", toString: 1 }),
  "an empty array with properties": withProperties([], { note: "n" }),
  "as many holes as properties": withProperties(sparse(2, { 0: 1 }), { note: "n" }),
  "a sparse array with properties": withProperties(sparse(10_000, { 9999: 1 }), { note: { deep: true } }),
  "a match": /a(?<b>b)/.exec("xab"),
  "a Map": new Map<unknown, unknown>([
    ["k", 1],
    [{ object: "key" }, new Map([[1, 2]])],
    [Number.NaN, undefined],
  ]),
  "an empty Map": new Map(),
  "a Set": new Set<unknown>([1, "two", { three: 3 }, undefined, new Set()]),
  "a class derived from Map": new (class extends Map<number, number> {})([[1, 2]]),
  "a Date": new Date(86_400_123),
  "an invalid Date": new Date(Number.NaN),
  "a RegExp": withProperties(/a[/]b\n(?<x>→)/dgimsuy, { lastIndex: 3 }),
  "an empty RegExp": new RegExp(""),
  "boxed primitives": [
    Object(1.5),
    Object("text"),
    Object(true),
    Object(false),
    Object(2n ** 70n),
    Object(-0),
  ],
  "an ArrayBuffer": buffer,
  "an empty ArrayBuffer": new ArrayBuffer(0),
  "a large ArrayBuffer": Uint8Array.from({ length: 70_001 }, (_, i) => i * 31).buffer,
  "a resizable ArrayBuffer": resizable(10, 100),
  "views of all kinds": [
    new Int8Array([-1, 2]),
    new Uint8Array([1, 255]),
    new Uint8ClampedArray([1, 255]),
    new Int16Array([-1, 2]),
    new Uint16Array([1, 65_535]),
    new Int32Array([-1, 2]),
    new Uint32Array([1, 2 ** 32 - 1]),
    new Float32Array([1.5, Number.NaN]),
    new Float64Array([1.1, -0]),
    new BigInt64Array([-1n, 2n ** 63n - 1n]),
    new BigUint64Array([2n ** 64n - 1n]),
    new DataView(new ArrayBuffer(8), 2, 4),
    new Uint8Array(0),
    ...(Float16Array === undefined ? [] : [new Float16Array([1.5, -0])]),
  ],
  "a part of a buffer": new Uint16Array(buffer, 10, 7),
  "a view of 64 KiB": new Uint8Array(65_536).fill(7),
  "views that share a buffer": [
    new Uint8Array(buffer, 1, 3),
    new Float32Array(buffer, 4, 2),
    buffer,
    new DataView(buffer),
  ],
  "a view and its buffer, the buffer first": [buffer, new Uint8Array(buffer)],
  "the same object twice": ((shared) => [shared, { shared }, new Map([[shared, shared]])])({ one: 1 }),
  "the same Date twice": ((shared) => [shared, shared])(new Date(1)),
  "the same view twice": ((shared) => [shared, shared])(new Uint8Array(3)),
  "the same boxed primitive twice": ((shared) => ({ a: shared, b: shared }))(Object(1)),
  "the same object a hundred times among others": Array.from({ length: 100 }, (_, i) =>
    i % 2 === 0 ? buffer : [i],
  ),
};

describe("arrives as from structured clone", () => {
  it.each(Object.keys(values))("%s", (name) => {
    const value = values[name];
    expect(difference(structuredClone(value), copy(value))).toBeUndefined();
  });

  it("all of them in one object, with a cycle through every kind of container", () => {
    const all: Record<string, unknown> = { ...values };
    all["self"] = all;
    all["inArray"] = [all];
    all["inMap"] = new Map([[all, all]]);
    all["inSet"] = new Set([all, [all]]);
    expect(difference(structuredClone(all), copy(all))).toBeUndefined();
  });
});

describe("beyond structured clone", () => {
  it("a Proxy of a plain object or an array is copied through its traps", () => {
    expect(copy(new Proxy({ a: 1 }, {}))).toEqual({ a: 1 });
    expect(copy(new Proxy([1, 2, 3, 4, 5], {}))).toEqual([1, 2, 3, 4, 5]);
  });

  it("a resizable buffer stays resizable", () => {
    const back = copy(resizable(10, 100)) as ArrayBuffer & { resize(length: number): void };
    back.resize(100);
    expect(back.byteLength).toBe(100);
  });
});

it("a hole stays a hole and an undefined element stays one", () => {
  const back = copy(values["holes"]) as unknown[];
  expect([0 in back, 1 in back, 2 in back, 3 in back, 4 in back]).toEqual([false, true, false, true, false]);
});

it("a key named __proto__ is a property and never the prototype", () => {
  const back = copy(values["an own key named __proto__"]) as { polluted?: boolean };
  expect(Object.keys(back)).toEqual(["__proto__", "x"]);
  expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
  expect(back.polluted).toBeUndefined();
});

it("a huge sparse array costs what its elements cost", () => {
  // At the cost of its length this would not end within the test's time.
  for (let i = 0; i < 100; i++) copy(values["a huge sparse array that begins with a number"]);
});

it("what Object.prototype is given calls nothing when a value is made", () => {
  let calls = 0;
  Object.defineProperty(Object.prototype, "trap", {
    configurable: true,
    set() {
      calls++;
    },
  });
  try {
    const value = Object.defineProperty({}, "trap", { value: 1, enumerable: true });
    expect(Object.getOwnPropertyDescriptor(copy(value), "trap")?.value).toBe(1);
    expect(calls).toBe(0);
  } finally {
    delete (Object.prototype as { trap?: unknown }).trap;
  }
});
