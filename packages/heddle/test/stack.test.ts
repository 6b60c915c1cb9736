// A stack that ends inside a call of the runtime: an error of the body where nothing was begun, the end of the thread where a lock is left.

import { CorruptMemoryError, chan, MachineLostError } from "heddle";
import { describe, expect, test } from "vitest";
import * as bodies from "./stack-bodies.mjs";
import { rejection, withRuntime } from "./support/runtimes.ts";

/** Every resumption goes through all generators, so the time it takes grows with the square of the stack. */
const shallow = { procs: 2, resourceLimits: { stackSizeMb: 0.75 } };

describe("the end of the stack", { timeout: 120_000 }, () => {
  test.each(["sleep", "join"])(
    "in an operation that is about to wait (%s) is the body's error",
    async (how) => {
      await withRuntime(shallow, async (runtime) => {
        for (let depth = 0; depth < 3; depth++)
          expect(await runtime.run(bodies.waitsEverDeeper, depth, how, undefined)).toBe("RangeError");
        const channel = runtime.enter(() => chan<number>(1));
        expect(await runtime.run(bodies.usesChannel, channel)).toBe(true);
      });
    },
  );

  test("under a lock ends the thread, and the lock is free again", async () => {
    await withRuntime({ procs: 2 }, async (runtime) => {
      const channel = runtime.enter(() => chan<number>(4));
      const outcome = await runtime.run(bodies.leavesLocked, channel).catch((error: unknown) => error);
      expect(outcome instanceof MachineLostError || outcome === "RangeError").toBe(true);
      const use = (): Promise<unknown> =>
        runtime.run(bodies.usesChannel, channel).catch((error: unknown) => error);
      // Who runs on that thread before it ends is told so.
      let told = await use();
      for (; told instanceof MachineLostError; told = await use());
      expect(told).toBe(true);
      for (let i = 0; i < 8; i++) expect(await use()).toBe(true);
    });
  });

  test("under a lock on the host stops the runtime", async () => {
    await withRuntime({ procs: 2 }, async (runtime) => {
      const channel = runtime.enter(() => chan<number>(4));
      await runtime.run(bodies.usesChannel, channel);
      bodies.failToUnlock();
      expect(() => channel.trySend(1)).toThrow(RangeError);
      expect(await rejection(runtime.run(bodies.usesChannel, channel))).toBeInstanceOf(CorruptMemoryError);
    });
  });
});
