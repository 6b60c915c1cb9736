import { seeded } from "@heddle/testkit";
import { expect, test } from "vitest";

const sample = (seed: number, length = 100): number[] => {
  const random = seeded(seed);
  return Array.from({ length }, () => random.next());
};

test("a seed repeats its numbers", () => {
  expect(sample(42)).toEqual(sample(42));
});

test("neighbouring seeds, zero and negative ones have nothing in common", () => {
  const numbers = [-1, 0, 1, 2, 3].flatMap((seed) => sample(seed));
  expect(new Set(numbers).size).toBe(numbers.length);
});

test("numbers are spread evenly over the bound", () => {
  const random = seeded(7);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let i = 0; i < 100_000; i++) counts[random.below(10)]++;
  // Six standard deviations of a binomial distribution with p = 0.1
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(6 * Math.sqrt(9_000));
});

test("every bit is set half of the time", () => {
  const numbers = sample(3, 10_000);
  for (let bit = 0; bit < 32; bit++) {
    const ones = numbers.filter((number) => (number >>> bit) & 1).length;
    expect(Math.abs(ones - 5_000)).toBeLessThan(6 * 50);
  }
});

test("shuffling keeps the items, moves them and leaves its argument alone", () => {
  const items = Array.from({ length: 50 }, (_, index) => index);
  const mixed = seeded(1).shuffled(items);
  expect(mixed).not.toEqual(items);
  expect(mixed.toSorted((a, b) => a - b)).toEqual(items);
  expect(items[0]).toBe(0);
});

test("a seed that is no integer is refused", () => {
  expect(() => seeded(0.5)).toThrow(RangeError);
});
