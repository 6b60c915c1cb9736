import { expect, test } from "vitest";
import { VisitedStates } from "../src/explorer/visited-states.ts";
import { seeded } from "../src/seeded.ts";

test("a state is new once, unless more preemptions are left than before", () => {
  const visited = new VisitedStates();
  expect(visited.add(1, 2, 1)).toBe(true);
  expect(visited.add(1, 2, 1)).toBe(false);
  expect(visited.add(1, 2, 0)).toBe(false);
  expect(visited.add(1, 2, 2)).toBe(true);
  expect(visited.add(1, 2, 2)).toBe(false);
  expect(visited.add(1, 2, Infinity)).toBe(true);
  expect(visited.add(1, 2, Infinity)).toBe(false);
});

test("nothing is forgotten or invented while the table grows", () => {
  const visited = new VisitedStates();
  const random = seeded(1);
  const states = Array.from({ length: 20_000 }, (_, index) => [random.next() | 0, index] as const);
  expect(states.every(([laneA, laneB]) => visited.add(laneA, laneB, 3))).toBe(true);
  expect(states.some(([laneA, laneB]) => visited.add(laneA, laneB, 3))).toBe(false);
  expect(states.every(([laneA, laneB]) => visited.add(laneA, ~laneB, 3))).toBe(true);
});
