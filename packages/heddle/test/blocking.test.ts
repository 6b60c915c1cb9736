/** Threads that are held by a body: by `block()`, by a synchronous call, by computing. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { AtomicInt, blocking, chan, MachineLostError, NoRuntimeError, type Runtime } from "heddle";
import { describe, expect, onTestFinished, test } from "vitest";
import * as bodies from "./blocking-bodies.mjs";
import { eventually, PROCS, rejection, thrownBy, withRuntime } from "./support/runtimes.ts";

describe("block()", () => {
  test("a nextTick that throws while its thread is blocked is nobody's to catch: it ends the thread", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      const error = await rejection(runtime.run(bodies.strayError));
      expect(error).toBeInstanceOf(MachineLostError);
      expect((error as Error).message).toContain("stray");
    });
  });

  test("where Node cannot run microtasks on demand, async bodies go on through the event loop", async () => {
    const execArgv = ["--import", "data:text/javascript,delete process._tickCallback"];
    await withRuntime({ procs: 2, execArgv }, async (runtime) => {
      expect(await runtime.run(bodies.asyncTurns, 100)).toBe(4950);
    });
  });
});

describe.each(PROCS)("blocking(), procs %d", (procs) => {
  test.each(Object.keys(bodies.CALLERS) as (keyof typeof bodies.CALLERS)[])(
    "%s: others run meanwhile, and what the call returns or throws comes through",
    async (kind) => {
      await withRuntime({ procs }, async (runtime) => {
        const flag = runtime.enter(() => new AtomicInt());
        const outcomes = [7, "from the call", "inner", 42, 42];
        expect(await runtime.run(bodies.CALLERS[kind], flag)).toEqual(outcomes);
        expect(runtime.stats().blocked).toBe(0);
      });
    },
  );

  test.each(["holds", "holdsAfterAwait"] as const)(
    "%s: the goroutine is in a system call, its machine is counted as blocked",
    async (name) => {
      await withRuntime({ procs }, async (runtime) => {
        const flag = runtime.enter(() => new AtomicInt());
        const held = runtime.run(bodies[name], flag);
        await eventually(() => runtime.stats().blocked === 1);
        expect(runtime.goroutines()).toMatchObject([{ name, status: "syscall", waitReason: undefined }]);
        flag.store(3);
        expect(await held).toBe(3);
      });
    },
  );

  test("at the bound of machines, what has not begun waits in its order, and can be seen to", async () => {
    await withRuntime({ procs, maxMachines: procs + 1 }, async (runtime) => {
      const [flags, out] = runtime.enter(() => [
        Array.from({ length: procs + 1 }, () => new AtomicInt()),
        chan<number>(20 + 1 + procs),
      ]);
      const held = flags.map((flag) => runtime.run(bodies.holdsAndNotes, flag, out, -1));
      await eventually(() => runtime.stats().blocked === procs + 1);
      const open = runtime.enter(() => new AtomicInt(1));
      // Of the same function as those that hold the machines: which knows it already, and need not look it up first.
      for (let i = 0; i < 20; i++) runtime.go(bodies.holdsAndNotes, open, out, i);
      await eventually(() => runtime.stats().queued === 20);
      expect(runtime.stats()).toMatchObject({ machines: procs + 1, maxMachines: procs + 1 });
      flags[0]?.store(1);
      const order = [];
      for (let i = -1; i < 20; i++) order.push(await runtime.enter(() => out.recv()));
      expect(order).toEqual(Array.from({ length: 21 }, (_, i) => i - 1));
      for (const flag of flags) flag.store(1);
      await Promise.all(held);
      expect(runtime.stats()).toMatchObject({ blocked: 0, queued: 0 });
    });
  });
});

test("blocking() is refused where it would hold the host", () => {
  expect(thrownBy(() => blocking(() => 1))).toBeInstanceOf(NoRuntimeError);
});

describe("a machine that needs a processor which another goroutine keeps, but gives up when asked", () => {
  test.each(["comesBack", "pinnedGoOn"] as const)("%s: it has it in the end", async (name) => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      const [running, stop] = runtime.enter(() => [new AtomicInt(), new AtomicInt()]);
      expect(await runtime.run(bodies[name], running, stop)).toMatch(/came back|ran again/);
    });
  });
});

describe("a plain body that computes", () => {
  test("goroutines it has started are run by others", async () => {
    await withRuntime({ procs: 2 }, async (runtime) => {
      const counter = runtime.enter(() => new AtomicInt());
      expect(await runtime.run(bodies.keepsUntilRun, counter, 300)).toBe(300);
    });
  });

  /** What is reported while the test runs, and the warnings of the process. */
  function listen(): { hogs: unknown[]; warnings: Error[] } {
    const [hogs, warnings]: [unknown[], Error[]] = [[], []];
    const onHog = (hog: unknown): void => void hogs.push(hog);
    const onWarning = (warning: Error): void =>
      void (warning.name === "HeddleWarning" && warnings.push(warning));
    subscribe("heddle:hog", onHog);
    process.on("warning", onWarning);
    onTestFinished(() => {
      unsubscribe("heddle:hog", onHog);
      process.off("warning", onWarning);
    });
    return { hogs, warnings };
  }

  const computing = (runtime: Runtime): { flag: AtomicInt; outcome: Promise<unknown> } => {
    const flag = runtime.enter(() => new AtomicInt());
    return { flag, outcome: runtime.run(bodies.computes, flag) };
  };

  test("it is reported, once, and in development the process is warned", async () => {
    const { hogs, warnings } = listen();
    await withRuntime({ procs: 2 }, async (runtime) => {
      const first = computing(runtime);
      await eventually(() => warnings.length > 0);
      expect(hogs).toEqual([
        {
          id: expect.any(Number),
          name: "computes",
          module: new URL("./blocking-bodies.mjs", import.meta.url).href,
          heldMs: expect.any(Number),
        },
      ]);
      expect(warnings).toMatchObject([
        { code: "HEDDLE_HOG", message: expect.stringMatching(/goroutine \d+, computes, has kept/) },
      ]);
      // Another, of which nobody is to be warned. When it is reported the first has been a hog for as long again.
      process.env["NODE_ENV"] = "production";
      onTestFinished(() => {
        process.env["NODE_ENV"] = "test";
      });
      const second = computing(runtime);
      await eventually(() => hogs.length > 1);
      first.flag.store(1);
      second.flag.store(1);
      await Promise.all([first.outcome, second.outcome]);
      const ids = hogs.map((hog) => (hog as { id: number }).id);
      expect(new Set(ids).size).toBe(2);
      expect(ids).toHaveLength(2);
      expect(warnings).toHaveLength(1);
    });
  });
});
