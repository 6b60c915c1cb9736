import { fakeClock } from "@heddle/testkit";
import { expect, test } from "vitest";

test("time stands still until it is advanced", () => {
  const clock = fakeClock(5);
  expect(clock.now()).toBe(5);
  expect(clock.now()).toBe(5);
  clock.advance(0.25);
  expect(clock.now()).toBe(5.25);
  clock.advanceTo(10);
  expect(clock.now()).toBe(10);
});

test("now can be handed over alone", () => {
  const clock = fakeClock();
  const { now } = clock;
  clock.advance(3);
  expect(now()).toBe(3);
});

test("time never goes back", () => {
  const clock = fakeClock(5);
  expect(() => clock.advance(-1)).toThrow("advance: -1 ms would turn the clock back");
  expect(() => clock.advanceTo(4)).toThrow(RangeError);
  expect(() => clock.advance(Number.NaN)).toThrow(RangeError);
  expect(clock.now()).toBe(5);
});
