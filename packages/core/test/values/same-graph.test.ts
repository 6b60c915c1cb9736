import { expect, it } from "vitest";
import { difference } from "./same-graph.ts";

const one = { a: 1 };
const buffer = new ArrayBuffer(8);

it.each<[string, unknown, unknown]>([
  ["numbers", 1, 2],
  ["zeros", 0, -0],
  ["classes", new Map(), new Set()],
  ["keys", { a: 1 }, { b: 1 }],
  ["the order of keys", { a: 1, b: 2 }, { b: 2, a: 1 }],
  ["holes", [undefined], Object.assign([], { length: 1 })],
  ["entries", new Map([[1, 2]]), new Map([[1, 3]])],
  ["identity lost", [one, one], [{ a: 1 }, { a: 1 }]],
  ["identity gained", [{ a: 1 }, { a: 1 }], [one, one]],
  ["buffers", [new Uint8Array(buffer), buffer], [new Uint8Array(8), new ArrayBuffer(8)]],
  ["bytes", new Uint8Array([1]), new Uint8Array([2])],
  ["a depth below", [[[{ x: [1] }]]], [[[{ x: [2] }]]]],
])("finds a difference of %s", (_, a, b) => {
  expect(difference(a, b)).toBeDefined();
  expect(difference(a, structuredClone(a))).toBeUndefined();
});
