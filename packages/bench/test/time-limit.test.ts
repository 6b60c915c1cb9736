import { expect, test } from "vitest";
import { roundsThatFit } from "../dist/time-limit.js";

const progress = { elapsedMs: 10_000, done: 10, sidesLeft: 10, limitMs: 60_000 };

test("as long as there is time, as many rounds as were asked for", () => {
  expect(roundsThatFit(3, progress)).toBe(3);
  expect(roundsThatFit(3, { ...progress, elapsedMs: 0, done: 0 })).toBe(3);
  expect(roundsThatFit(3, { ...progress, limitMs: Number.POSITIVE_INFINITY })).toBe(3);
});

test("what is left of the time is shared by the sides that are left", () => {
  expect(roundsThatFit(9, progress)).toBe(5);
  expect(roundsThatFit(9, { ...progress, sidesLeft: 20 })).toBe(2);
});

test("every case has a round, also when the time is over", () => {
  expect(roundsThatFit(3, { ...progress, limitMs: 5000 })).toBe(1);
});
