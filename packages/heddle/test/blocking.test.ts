/** Threads that are held by a body. */

import { MachineLostError } from "heddle";
import { expect, test } from "vitest";
import { asyncTurns, strayError } from "./blocking-bodies.mjs";
import { rejection, withRuntime } from "./support/runtimes.ts";

test("a nextTick that throws while its thread is blocked is nobody's to catch: it ends the thread", async () => {
  await withRuntime({ procs: 1 }, async (runtime) => {
    const error = await rejection(runtime.run(strayError));
    expect(error).toBeInstanceOf(MachineLostError);
    expect((error as Error).message).toContain("stray");
  });
});

test("where Node cannot run microtasks on demand, async bodies go on through the event loop", async () => {
  const execArgv = ["--import", "data:text/javascript,delete process._tickCallback"];
  await withRuntime({ procs: 2, execArgv }, async (runtime) => {
    expect(await runtime.run(asyncTurns, 100)).toBe(4950);
  });
});
