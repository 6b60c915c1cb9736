// What a program sees when something runs out, is missing, or comes to its end: which error, and what still works afterwards.

import {
  CanceledError,
  CloneError,
  DeadlockError,
  FunctionError,
  GoroutineLimitError,
  type Handle,
  NoRuntimeError,
  type Runtime,
  start,
  tasks,
} from "heddle";
import { describe, expect, test } from "vitest";
import * as bodies from "./failure-bodies.mjs";
import { eventually, rejection, thrownBy, withRuntime } from "./support/runtimes.ts";

async function expectEnded(runtime: Runtime, error: new (...args: never[]) => Error): Promise<void> {
  expect(runtime.closed).toBe(true);
  expect(await rejection(runtime.run(bodies.answer))).toBeInstanceOf(error);
  await runtime.close();
  expect(await withRuntime({ procs: 1 }, (another) => another.run(bodies.answer))).toBe(42);
}

describe("bodies that cannot be found", () => {
  const bodyIn = (file: string): (() => void) =>
    tasks<{ body(): void }>(new URL(`./failing-modules/${file}`, import.meta.url)).body;

  test.each([
    ["a module that does not load", "throws.mjs", /this module does not load/],
    ["a module that is not there", "absent.mjs", /cannot find module/i],
    ["a module that runs a program while it is loaded", "runs.mjs", /isMainThread/],
  ])("%s: the joiner is told which and why, and the runtime goes on", async (_, file, reason) => {
    await withRuntime({ procs: 2 }, async (runtime) => {
      const error = await rejection(runtime.run(bodyIn(file)));
      expect(error).toBeInstanceOf(FunctionError);
      expect((error as Error).message).toMatch(reason);
      expect((error as Error).message).toContain(file);
      expect(await runtime.run(bodies.answer)).toBe(42);
    });
  });

  test("a name that its module does not have", async () => {
    const module = tasks<{ absent(): void }>(new URL("./failure-bodies.mjs", import.meta.url));
    await withRuntime({ procs: 1 }, async (runtime) => {
      expect(await rejection(runtime.run(module.absent))).toMatchObject({
        name: "FunctionError",
        message: expect.stringMatching(/"absent" is neither declared nor exported in .*failure-bodies\.mjs/),
      });
    });
  });

  test("a function that was never declared is refused at the call", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      expect(thrownBy(() => runtime.go(() => 1))).toBeInstanceOf(FunctionError);
    });
  });
});

test("a result that cannot be copied: the joiner is told where in it, and the runtime goes on", async () => {
  await withRuntime({ procs: 1 }, async (runtime) => {
    const error = await rejection(runtime.run(bodies.uncopyable));
    expect(error).toBeInstanceOf(CloneError);
    expect((error as Error).message).toContain("result.deep[0]");
    expect(await runtime.run(bodies.answer)).toBe(42);
  });
});

test("a full table refuses one more goroutine, and works again when there is room", async () => {
  await withRuntime({ procs: 2, maxGoroutines: 64 }, async (runtime) => {
    const sleepers: Handle<void>[] = [];
    const refused = thrownBy(() => {
      for (;;) sleepers.push(runtime.spawn(bodies.forever));
    });
    expect(refused).toBeInstanceOf(GoroutineLimitError);
    expect(sleepers.length).toBeGreaterThan(32);
    expect(sleepers.length).toBeLessThanOrEqual(64);
    for (const sleeper of sleepers) sleeper.cancel();
    await eventually(() => sleepers.every((sleeper) => sleeper.done));
    expect(await runtime.run(bodies.answer)).toBe(42);
  });
});

describe("a runtime ends", () => {
  test("in a deadlock: whoever waits is told who sleeps, and for what", async () => {
    const runtime = await start({ procs: 2 });
    const error = (await rejection(runtime.run(bodies.receiving))) as Error;
    expect(error).toBeInstanceOf(DeadlockError);
    expect(error.message).toMatch(/^all goroutines are asleep - deadlock!\n\n/);
    expect(error.message).toMatch(/goroutine \d+ \[chan receive\]:\nreceiving/);
    await expectEnded(runtime, DeadlockError);
  });

  test("by close: what is left after the grace is cancelled, and nothing can be started any more", async () => {
    const runtime = await start({ procs: 2 });
    const left = rejection(runtime.run(bodies.forever));
    await runtime.close({ graceMs: 0 });
    expect(await left).toBeInstanceOf(CanceledError);
    expect(thrownBy(() => runtime.go(bodies.answer))).toBeInstanceOf(NoRuntimeError);
    await expectEnded(runtime, NoRuntimeError);
  });
});
