import fc from "fast-check";
import { afterEach, expect, it } from "vitest";
import { CorruptValueError } from "../../src/base/errors.ts";
import { codecUnderTest, Record } from "./codec-under-test.ts";
import { difference } from "./same-graph.ts";

const subject = codecUnderTest();
const { codec, slot, memory } = subject;

afterEach(() => subject.expectNothingKept());

/** Values of every kind that structured clone takes. */
const anything = fc.anything({
  key: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "toString", "length", "0", "a")),
  values: [
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.constantFrom(0, -0, Number.NaN, 2 ** 31, -(2 ** 25)),
    fc.string({ unit: "binary", maxLength: 60 }),
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 400 })
      .map((units) => String.fromCharCode(...units)),
    fc.constant(null),
    fc.constant(undefined),
    fc.bigInt(),
    fc.array(fc.double(), { minLength: 4 }),
    fc.array(fc.integer(), { minLength: 4 }),
  ],
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
  withNullPrototype: true,
  withBigInt: true,
  maxDepth: 5,
});

type Container = unknown[] | Map<unknown, unknown> | Set<unknown> | { [key: string]: unknown };

/** Puts one value into a container. */
function insert(container: Container, value: unknown, how: number): void {
  if (Array.isArray(container)) container[how % 20] = value;
  else if (container instanceof Map) container.set(how % 2 === 0 ? value : how, how % 3 === 0 ? value : how);
  else if (container instanceof Set) container.add(value);
  else container[`k${how % 7}`] = value;
}

/** Containers that hold each other at random, cycles and all. */
const graph = fc
  .record({
    kinds: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 40 }),
    leaves: fc.array(anything, { maxLength: 5 }),
    links: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { maxLength: 120 }),
  })
  .map(({ kinds, leaves, links }) => {
    const make: (() => Container)[] = [() => [], () => new Map(), () => new Set(), () => ({})];
    const containers = kinds.map((kind) => (make[kind] as () => Container)());
    const all = [...containers, ...leaves];
    for (const [from, to, how] of links)
      insert(containers[from % containers.length] as Container, all[to % all.length], how);
    return containers;
  });

it("whatever it is, it arrives as from structured clone", () => {
  fc.assert(
    fc.property(anything, (value) => {
      expect(difference(structuredClone(value), subject.copy(value))).toBeUndefined();
    }),
    { numRuns: 3000 },
  );
});

it("whatever holds whatever, it arrives as from structured clone", () => {
  fc.assert(
    fc.property(graph, (value) => {
      expect(difference(structuredClone(value), subject.copy(value))).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
});

it("dropping and peeking keep nothing", () => {
  fc.assert(
    fc.property(graph, (value) => {
      const tag = codec.put(slot, [value, new Record(1)], "v");
      codec.peek(slot, tag);
      codec.drop(slot, tag);
      subject.expectNothingKept();
    }),
    { numRuns: 300 },
  );
});

/** Where and how to write over a block. */
const damage = fc.record({
  place: fc.nat(),
  word: fc.oneof(
    fc.integer(),
    fc.constantFrom(0, -1, 1, 0x7fffffff, -0x80000000),
    // A kind of item with some n, since those are what the decoder acts on.
    fc
      .tuple(fc.integer({ min: 0, max: 40 }), fc.oneof(fc.nat(40), fc.nat(0x3ffffff)))
      .map(([kind, n]) => kind | (n << 6)),
  ),
});

const own = Object.getOwnPropertyNames(Object.prototype).join();

/**
 * Takes a value whose block was written over: it is some value, or a CorruptValueError, and nothing else
 * happens.
 */
function takeDamaged(tag: number): void {
  try {
    codec.take(slot, tag);
  } catch (error) {
    if (!(error instanceof CorruptValueError)) expect(String(error)).toMatch(/revive: -?\d+ is stale/);
  }
  expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(own);
  expect(subject.slab.census().blocks).toBe(0);
}

it("a block written over at random is some value or a CorruptValueError", () => {
  fc.assert(
    fc.property(graph, fc.array(damage, { minLength: 1, maxLength: 6 }), (value, damages) => {
      const error = Object.assign(new RangeError("r", { cause: 1 }), { code: "E" });
      const tag = codec.put(
        slot,
        [value, new Record(3), error, /x/g, new DataView(new ArrayBuffer(2000)), 2n ** 80n, "x".repeat(300)],
        "v",
      );
      const base = memory.i32[slot] * 16;
      for (const { place, word } of damages) memory.i32[base + (place % memory.i32[slot + 1])] = word;
      takeDamaged(tag);
      subject.records.counts.clear();
    }),
    { numRuns: 5000 },
  );
});

it("a block of random words is some value or a CorruptValueError", () => {
  fc.assert(
    fc.property(fc.array(damage, { minLength: 2, maxLength: 60 }), fc.boolean(), (words, withBack) => {
      const tag = codec.put(
        slot,
        words.map(() => "seven"),
        "v",
      );
      const base = memory.i32[slot] * 16;
      for (let i = 4; i < memory.i32[slot + 1]; i++)
        memory.i32[base + i] = (words[(i - 4) % words.length] as { word: number }).word;
      if (withBack) memory.i32[base + 3] |= 1;
      takeDamaged(tag);
    }),
    { numRuns: 5000 },
  );
});

it("a corrupt length reserves no memory that the block could not fill", () => {
  const tag = codec.put(
    slot,
    Array.from({ length: 50_000 }, () => "x"),
    "v",
  );
  const base = memory.i32[slot] * 16;
  // Arrays in arrays, each claiming all that is left.
  for (let i = 4; i < memory.i32[slot + 1]; i++) memory.i32[base + i] = 14 | (50_000 << 6);
  takeDamaged(tag);
});

it("a corrupt number of holes reserves no memory at all", () => {
  const tag = codec.put(
    slot,
    Array.from({ length: 20_000 }, () => "x"),
    "v",
  );
  const base = memory.i32[slot] * 16;
  // 5000 arrays of 30 million holes each.
  const items = [14 | (30_000_000 << 6), 19, 30_000_000, 0];
  for (let i = 5; i < memory.i32[slot + 1]; i++) memory.i32[base + i] = items[(i - 5) % 4] as number;
  takeDamaged(tag);
});

it("containers nested deeper than any encoder writes them are a CorruptValueError, not a full stack", () => {
  for (const item of [14 | (1 << 6), 24, 20 | (1 << 6), 23, 31 | (3 << 6), 12]) {
    const tag = codec.put(
      slot,
      Array.from({ length: 50_000 }, () => "x"),
      "v",
    );
    const base = memory.i32[slot] * 16;
    memory.i32.fill(item, base + 4, base + memory.i32[slot + 1]);
    expect(() => codec.take(slot, tag)).toThrow(CorruptValueError);
  }
});
