/** Contexts among real threads: in numbers, in races, across runtimes. */

import { CanceledError, chan, context, DeadlineExceededError, spawnWith, start } from "heddle";
import { describe, expect, test } from "vitest";
import * as bodies from "./context-bodies.mjs";
import { eventually, PROCS, rejection, thrownBy, withRuntime } from "./support/runtimes.ts";

describe.each(PROCS)("contexts, procs %d", (procs) => {
  test("come and go in any number: more than fit at once", async () => {
    await withRuntime({ procs }, async (runtime) => {
      // Three records each, and a runtime has a million.
      expect(await runtime.run(bodies.churn, 400_000)).toBe("right");
      expect(await runtime.run(bodies.churnGroups, 2000)).toBe(2000);
    });
  });

  test("one ends twenty thousand goroutines", async () => {
    await withRuntime({ procs }, async (runtime) => {
      expect(await runtime.run(bodies.manyUnderOne, 20_000)).toBe(20_000);
      await eventually(() => runtime.numGoroutine() === 0);
    });
  });

  test("several who cancel at once: one cause, seen by all", async () => {
    await withRuntime({ procs }, async (runtime) => {
      expect(await runtime.run(bodies.cancelStorm, 300)).toEqual([]);
    });
  });

  test("an end is not missed by a context that is made, or a goroutine that is started, at that moment", async () => {
    await withRuntime({ procs }, async (runtime) => {
      expect(await runtime.run(bodies.endWhileMaking, 100)).toBe("none missed");
      expect(await runtime.run(bodies.endWhileStarting, 100)).toBe(true);
      await eventually(() => runtime.numGoroutine() === 0);
    });
  });

  test("travel inside other values", async () => {
    await withRuntime({ procs }, async (runtime) => {
      await runtime.enter(async () => {
        const [inner, cancelInner] = context.withCancel(context.background());
        const [plain, cancel] = context.withCancel(context.background());
        const ctx = context.withValue(plain, "inner", { ctx: inner });
        const handle = runtime.spawn(bodies.unpack, { list: [ctx], map: new Map([["ctx", ctx]]) });
        cancel("outer");
        cancelInner("inner");
        expect(await handle).toEqual(["outer", "outer", "inner"]);
      });
    });
  });

  test("abort their signal on every thread that asked for it", async () => {
    await withRuntime({ procs }, async (runtime) => {
      await runtime.enter(async () => {
        const [ctx, cancel] = context.withCancel(context.background());
        const ready = chan<boolean>();
        const handles = Array.from({ length: 8 }, () => runtime.spawn(bodies.awaitsAbort, ctx, ready));
        for (let i = 0; i < handles.length; i++) await ready.recv();
        cancel("stop");
        expect(await Promise.all(handles)).toEqual(handles.map(() => "stop"));
        expect(ctx.signal.reason).toBe("stop");
      });
    });
  });

  test("end by their deadline while every machine sleeps", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const [ctx] = runtime.enter(() => context.withTimeout(context.background(), 20));
      await ctx.done().recv();
      expect(ctx.err()).toBeInstanceOf(DeadlineExceededError);
    });
  });

  test("an AbortSignal's timeout ends a goroutine, with its reason as the cause", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const signal = AbortSignal.timeout(20);
      const error = await rejection(runtime.spawnWith({ signal }, bodies.awaitsAbort, ...neverDone(runtime)));
      expect(error).toBeInstanceOf(CanceledError);
      expect((error as Error).cause).toMatchObject({ name: "TimeoutError" });
    });
  });
});

/** A context that does not end, and a channel that nobody receives from. */
function neverDone(runtime: { enter<T>(body: () => T): T }): [unknown, unknown] {
  return runtime.enter(() => [context.background(), chan()]);
}

test("a context has one error and one cause, which its signal has as well", async () => {
  const runtime = await start({ procs: 1 });
  try {
    for (const given of [undefined, new Error("given")]) {
      const [ctx, cancel] = runtime.enter(() => context.withCancel(context.background()));
      expect([ctx.err(), ctx.cause()]).toEqual([undefined, undefined]);
      cancel(given);
      expect(ctx.err()).toBe(ctx.err());
      expect(ctx.cause()).toBe(ctx.cause());
      expect(ctx.signal.reason).toBe(ctx.cause());
      if (given === undefined) expect(ctx.cause()).toBe(ctx.err());
      else expect(ctx.cause()).toEqual(given);
    }
  } finally {
    await runtime.close();
  }
});

test("a context of another runtime is refused where it is given", async () => {
  const one = await start({ procs: 1 });
  const other = await start({ procs: 1 });
  try {
    const [foreign] = one.enter(() => context.withCancel(context.background()));
    other.enter(() => {
      expect(thrownBy(() => spawnWith({ context: foreign }, bodies.churn, 1))).toMatchObject({
        name: "TypeError",
        message: expect.stringContaining("another runtime"),
      });
      expect(thrownBy(() => chan(1).trySend(foreign))).toMatchObject({ name: "CloneError" });
      expect(thrownBy(() => context.withValue(context.background(), "key", { foreign }))).toMatchObject({
        name: "CloneError",
      });
    });
  } finally {
    await Promise.all([one.close({ graceMs: 0 }), other.close({ graceMs: 0 })]);
  }
});
