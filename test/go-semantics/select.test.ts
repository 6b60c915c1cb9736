import { CanceledError, chan, go } from "heddle";
import { describe, expect, test } from "vitest";
import * as programs from "./select.mjs";
import { KINDS } from "./support/forms.mjs";
import { onProcs } from "./support/on-procs.ts";

type Kind = "generator" | "async" | "plain";
const kinds = KINDS as Kind[];

/** For 10,000 picks among two or four; the odds of a fair select being farther off are below one in a million. */
const TRIALS = 10_000;
const TOLERANCE = 250;

function expectFair(picks: number[], ready: number): void {
  for (let place = 0; place < picks.length; place++) {
    const fair = place < ready ? TRIALS / ready : 0;
    expect(Math.abs((picks[place] ?? 0) - fair), `picks: ${picks}`).toBeLessThanOrEqual(
      fair === 0 ? 0 : TOLERANCE,
    );
  }
}

onProcs("select", (runtime) => {
  test("100,000 sends to one of four channels arrive once each", async () => {
    const arrivals = await runtime().run(programs.fourWays, 100_000);
    expect(arrivals).toHaveLength(100_000);
    expect(arrivals.every((count: number) => count === 1)).toBe(true);
  });

  describe("picks uniformly among the ready", () => {
    test.each(kinds)("two of four, %s body", async (kind) => {
      expectFair(await runtime().run(programs.picksOfTwo[kind], TRIALS), 2);
    });
    test("two of four, host", async () => {
      expectFair(await runtime().enter(() => programs.picksOfTwo.host(TRIALS)), 2);
    });
    test("four of four, sends and receives", async () => {
      expectFair(await runtime().run(programs.picksOfFour, TRIALS), 4);
    });
    test("trySelect, four of four", async () => {
      expectFair(await runtime().run(programs.triesOfFour, TRIALS), 4);
    });
  });

  test("a parked select goes on with the case that was served", async () => {
    expect(await runtime().run(programs.wokenCases, 500)).toBe(true);
  });

  describe.each(kinds)("%s body", (kind) => {
    test("a value is copied once, picked or not", async () => {
      const { picked, notPicked, value } = await runtime().run(programs.copiesOfSentValue[kind]);
      expect(picked).toBe(1);
      expect(notPicked).toBeLessThanOrEqual(1);
      expect(value).toEqual({ value: 1 });
    });

    test("cases that are undefined, null or false never fire", async () => {
      expect(await runtime().run(programs.falsyCases[kind], 200)).toEqual([undefined, undefined, undefined]);
    });

    test("a closed source is switched off", async () => {
      const merged = await runtime().enter(() => {
        const a = chan<number>();
        const b = chan<number>(2);
        go(programs.fill, a, 0, 50);
        go(programs.fill, b, 100, 150);
        return runtime().run(programs.mergeUntilClosed[kind], a, b);
      });
      const numbers = (from: number) => Array.from({ length: 50 }, (_, i) => from + i);
      expect(merged.filter((n: number) => n < 100)).toEqual(numbers(0));
      expect(merged.filter((n: number) => n >= 100)).toEqual(numbers(100));
    });

    test("the cases that lost leave their queues", async () => {
      expect(await runtime().run(programs.losersLeave[kind], kind === "plain" ? 20 : 500)).toBe(
        "none left over",
      );
    });

    test.each([
      ["no case", programs.noCases],
      ["falsy cases only", programs.onlyFalsyCases],
    ])("%s: waits until it is cancelled", async (_cases, program) => {
      const handle = runtime().spawn(program[kind]);
      await runtime().run(programs.picksOfFour, 100);
      expect(handle.done).toBe(false);
      handle.cancel();
      await expect(handle).rejects.toBeInstanceOf(CanceledError);
    });

    test("closing wakes a receiving case with ok = false", async () => {
      expect(await runtime().run(programs.closeUnder, "receive", kind)).toEqual({
        index: 0,
        value: [undefined, false],
      });
    });

    test("closing makes a sending case throw", async () => {
      expect(await runtime().run(programs.closeUnder, "send", kind)).toBe(
        "ClosedChannelError: send on closed channel",
      );
    });
  });

  test("one channel in several cases: nothing is lost, nothing received twice", async () => {
    const seen = await runtime().run(programs.sameChannel, 1000);
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  test("send and receive on one channel do not meet in one select, but in two", async () => {
    expect(await runtime().run(programs.notWithItself)).toBe(true);
    expect(await runtime().run(programs.sendAndReceive, 5000)).toBe(true);
  });

  test("direct and selecting senders and receivers over mixed channels: no loss, no duplicate", async () => {
    expect(await runtime().run(programs.mixed, 1000)).toEqual({
      sum: 0,
      left: [0, 0, 0, 0],
      idle: "CanceledError",
    });
  });
});
