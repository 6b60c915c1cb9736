import { describe, expect, test } from "vitest";
import { type RandomOrder, randomOrder } from "../../src/scheduler/machine/random-order.ts";

function round(order: RandomOrder): number[] {
  order.start();
  const places: number[] = [];
  for (let place = order.next(); place >= 0; place = order.next()) places.push(place);
  return places;
}

describe("random order", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 30, 61, 64, 256])(
    "visits each of %i places once in every round",
    (count) => {
      const order = randomOrder(count, count);
      for (let i = 0; i < 50; i++) {
        const places = round(order);
        expect([...places].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, place) => place));
      }
    },
  );

  test("begins everywhere, about equally often, and steps by every coprime", () => {
    const count = 8;
    const order = randomOrder(count, 7);
    const starts = new Map<number, number>();
    const steps = new Set<number>();
    for (let i = 0; i < 4000; i++) {
      const [first, second] = round(order);
      starts.set(first, (starts.get(first) ?? 0) + 1);
      steps.add((second - first + count) % count);
    }
    expect(steps).toEqual(new Set([1, 3, 5, 7]));
    for (let place = 0; place < count; place++) expect(starts.get(place)).toBeGreaterThan(300);
  });

  test("equal seeds give equal rounds, others others", () => {
    const rounds = (seed: number): number[][] => {
      const order = randomOrder(16, seed);
      return Array.from({ length: 20 }, () => round(order));
    };
    expect(rounds(3)).toEqual(rounds(3));
    expect(rounds(3)).not.toEqual(rounds(5));
  });

  test("a round that was broken off leaves nothing behind", () => {
    const order = randomOrder(6, 1);
    order.start();
    order.next();
    expect(round(order).length).toBe(6);
    expect(order.next()).toBe(-1);
  });
});
