import { countAtomics } from "@heddle/testkit";
import { expect, test } from "vitest";

const i32 = new Int32Array(new SharedArrayBuffer(16));

test("each operation is counted and still does its work", () => {
  Atomics.store(i32, 0, 0);
  const counts = countAtomics(() => {
    Atomics.add(i32, 0, 2);
    Atomics.add(i32, 0, 3);
    expect(Atomics.load(i32, 0)).toBe(5);
    expect(Atomics.compareExchange(i32, 0, 5, 6)).toBe(5);
    expect(Atomics.wait(i32, 0, 5)).toBe("not-equal");
    expect(Atomics.notify(i32, 0)).toBe(0);
  });
  expect(counts).toMatchObject({
    add: 2,
    load: 1,
    compareExchange: 1,
    wait: 1,
    notify: 1,
    store: 0,
    total: 6,
  });
});

test("nothing is counted that happens before or after, or without Atomics", () => {
  const original = globalThis.Atomics;
  const counts = countAtomics(() => i32.fill(0));
  Atomics.load(i32, 0);
  expect(counts.total).toBe(0);
  expect(globalThis.Atomics).toBe(original);
});

test("Atomics is put back when the action throws", () => {
  const original = globalThis.Atomics;
  expect(() =>
    countAtomics(() => {
      throw new Error("on purpose");
    }),
  ).toThrow("on purpose");
  expect(globalThis.Atomics).toBe(original);
});

test("a count inside a count adds to both", () => {
  let inner = 0;
  const outer = countAtomics(() => {
    inner = countAtomics(() => Atomics.load(i32, 0)).load;
    Atomics.load(i32, 0);
  });
  expect([inner, outer.load]).toEqual([1, 2]);
});

test("an asynchronous action is refused, for the rest of it would not be counted", () => {
  expect(() => countAtomics(async () => {})).toThrow(TypeError);
});
