import { expect, test } from "vitest";
import {
  asyncBeside,
  asyncUnderBlocked,
  chainOfPromises,
  givesWayForEver,
  givingWay,
  manyBlock,
  ring,
  whileLoading,
  whoAmI,
} from "./blocking.mjs";
import { onProcs } from "./support/on-procs.ts";

onProcs("while plain bodies block their threads", (runtime) => {
  test("a goroutine that gives way for ever does not keep the processor from those that have not begun", async () => {
    expect(await runtime().run(givesWayForEver)).toEqual(["child's", ["child came", true]]);
  });

  test("the others go on, however many block", async () => {
    expect(await runtime().run(manyBlock, 8)).toEqual([100, [0, 1, 2, 3, 4, 5, 6, 7]]);
  });

  test("an async body that lives on the blocked thread goes on", async () => {
    expect(await runtime().run(asyncBeside, 20)).toEqual([190, 20]);
  });

  test("async bodies and bodies that block for them take turns, ten deep", async () => {
    expect(await runtime().run(asyncUnderBlocked, 10)).toBe(10);
  });

  test("they let each other on", async () => {
    expect(await runtime().run(ring, 5, 50)).toBe(250);
  });

  test("a plain body that gives way lets those on whose thread it has", async () => {
    expect(await runtime().run(givingWay)).toBe(2);
  });

  test("a goroutine whose module the blocked thread was loading runs elsewhere", async () => {
    expect(await runtime().run(whileLoading)).toBe("loaded");
  });

  test("each goroutine is itself, whatever runs on top of what", async () => {
    const asyncs = Array.from({ length: 5 }, (_, i) => `async ${i}`);
    expect(await runtime().run(whoAmI, 5)).toEqual(["blocked", ...asyncs]);
  });
});

onProcs("async bodies that keep each other awake", (runtime) => {
  test("event loop, timers and generators have their turns", async () => {
    expect(await runtime().run(chainOfPromises)).toEqual(["turned", "timer", "gave way"]);
  });
});
