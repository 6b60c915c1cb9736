import { expect, test } from "vitest";
import { G_WORDS } from "../../src/memory/layout.ts";
import { LocalList } from "../../src/queue/local-list.ts";

const newList = (): LocalList => new LocalList(new Int32Array(20 * G_WORDS), 0);

test("first in, first out, and the length is right all the time", () => {
  const list = newList();
  expect([list.pop(), list.length]).toEqual([0, 0]);
  for (const goroutine of [3, 1, 2]) list.push(goroutine);
  expect([list.length, list.pop(), list.pop(), list.length]).toEqual([3, 3, 1, 1]);
  list.push(3);
  expect([list.pop(), list.pop(), list.pop(), list.length]).toEqual([2, 3, 0, 0]);
});

test("emptied, it begins anew", () => {
  const list = newList();
  for (let round = 0; round < 3; round++) {
    list.push(5);
    expect([list.pop(), list.pop()]).toEqual([5, 0]);
  }
});

test("a goroutine may be pushed again right after it was popped", () => {
  const list = newList();
  for (const goroutine of [1, 2, 3]) list.push(goroutine);
  const seen: number[] = [];
  for (let i = 0; i < 9; i++) {
    const goroutine = list.pop();
    seen.push(goroutine);
    list.push(goroutine);
  }
  expect(seen).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
});
