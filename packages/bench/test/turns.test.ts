import { expect, test } from "vitest";
import type { Round, SideOutput } from "../dist/results.js";
import { leastDisturbed, type TurningSide, takeTurns } from "../dist/turns.js";

/** A side that says it used all the time there was, so that nothing looks like another process's doing. */
function side(name: string, order: string[], figure = 1): TurningSide<string> {
  const output: SideOutput = { samples: [{ value: figure, note: `${name} is here` }], cpuMs: 1e9 };
  return {
    name,
    async measure() {
      order.push(name);
      return output;
    },
  };
}

test("every other round goes backwards, so that no side always follows the same one", async () => {
  const order: string[] = [];
  await takeTurns([side("a", order), side("b", order)], { rounds: 3, keepDisturbed: true });
  expect(order).toEqual(["a", "b", "b", "a", "a", "b"]);
});

test("each round has a figure of each side", async () => {
  const { rounds, notes } = await takeTurns([side("a", [], 5), side("b", [], 7)], {
    rounds: 2,
    keepDisturbed: true,
  });
  expect(rounds.map(({ figures }) => figures)).toEqual([
    { a: 5, b: 7 },
    { a: 5, b: 7 },
  ]);
  expect(notes).toEqual({ a: "a is here", b: "b is here" });
});

test("a quiet machine repeats nothing", async () => {
  const { rounds, discarded } = await takeTurns([side("a", [])], { rounds: 2, keepDisturbed: false });
  expect([rounds.length, discarded]).toEqual([2, 0]);
});

/** Keeps this process's thread out of the account: what it burns looks as if another process had done it. */
function foreignLoad(order: string[]): TurningSide<string> {
  return {
    name: "a",
    async measure() {
      order.push("a");
      return { samples: [{ value: 1 }], cpuMs: Number.NEGATIVE_INFINITY };
    },
  };
}

test("a disturbed round is repeated, at most as often as there are rounds, and the result says so", async () => {
  const order: string[] = [];
  const { rounds, discarded } = await takeTurns([foreignLoad(order)], { rounds: 3, keepDisturbed: false });
  expect(order).toHaveLength(6);
  expect([rounds.length, discarded]).toEqual([3, 3]);
  for (const { foreignShare } of rounds) expect(foreignShare).toBeGreaterThan(0.05);
});

test("with any load welcome no round is repeated", async () => {
  const order: string[] = [];
  await takeTurns([foreignLoad(order)], { rounds: 3, keepDisturbed: true });
  expect(order).toHaveLength(3);
});

test("a side that fails is not run again, and the others go on", async () => {
  let runs = 0;
  const broken: TurningSide<string> = {
    name: "broken",
    async measure() {
      runs++;
      throw new Error("on purpose");
    },
  };
  const { failures, rounds } = await takeTurns([broken, side("a", [])], { rounds: 3, keepDisturbed: true });
  expect(runs).toBe(1);
  expect(failures).toEqual({ broken: "on purpose" });
  expect(rounds.map(({ figures }) => figures)).toEqual([{ a: 1 }, { a: 1 }, { a: 1 }]);
});

test("the least disturbed rounds are kept, in the order in which they ran", () => {
  const round = (foreignShare: number): Round => ({ figures: {}, foreignShare });
  expect(leastDisturbed([0.3, 0, 0.2, 0.1].map(round), 2)).toEqual([round(0), round(0.1)]);
});
