import { AtomicInt, numGoroutine, WaitGroup } from "heddle";
import { describe, expect, test } from "vitest";
import * as bodies from "./fixtures/kinds-of-bodies.mjs";
import { eventually, PROCS, withRuntime } from "./support/runtimes.ts";

describe.each(PROCS)("on %i processors", (procs) => {
  const sums = [
    bodies.addPlain,
    bodies.addGenerator,
    bodies.addAsync,
    bodies.addByGenerator,
    bodies.addByPromise,
  ] as const;

  test("bodies of every kind return their result, whatever the number of arguments", async () => {
    await withRuntime({ procs }, async (runtime) => {
      for (const body of sums) {
        for (const count of [0, 1, 2, 3, 4, 5, 9]) {
          const numbers = Array.from({ length: count }, (_, i) => i + 1);
          const sum = (count * (count + 1)) / 2;
          expect(await runtime.run(body as (...numbers: number[]) => number, ...numbers)).toBe(sum);
        }
      }
    });
  });

  test("every operation works in every form, in every kind of body", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const results: Record<string, unknown> = {
        join: 42,
        joinOfGenerator: 42,
        joinOfAsync: 42,
      };
      const forms = [
        bodies.yields,
        bodies.awaits,
        bodies.awaitsLater,
        bodies.blocks,
        bodies.blocksInGenerator,
        bodies.blocksInAsync,
      ];
      for (const form of forms) {
        for (const name of bodies.operationNames) {
          const outcome: unknown = await runtime.run(form as (name: string) => unknown, name);
          expect([form.name, name, outcome]).toEqual([form.name, name, results[name]]);
        }
      }
    });
  });

  test("all forms at once", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const forms = [bodies.yields, bodies.awaits, bodies.awaitsLater, bodies.blocksInAsync, bodies.blocks];
      const all = forms.flatMap((form) =>
        Array.from({ length: 8 }, () => runtime.run(form as (name: string) => unknown, "joinOfGenerator")),
      );
      expect(await Promise.all(all)).toEqual(all.map(() => 42));
    });
  });

  test("an async body may wait for many at once", async () => {
    await withRuntime({ procs }, async (runtime) => {
      expect(await runtime.run(bodies.awaitsAll, 100)).toBe((100 * 101) / 2);
    });
  });

  test("a body that is called runs inline, in the caller's goroutine", async () => {
    await withRuntime({ procs }, async (runtime) => {
      expect(await runtime.run(bodies.inline)).toEqual({ sum: 3, before: 1, after: 1 });
    });
  });

  test("a handle gives its outcome twice, to whoever it was sent to, and to the host", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const { inOther, inAnother, here, handle } = await runtime.run(bodies.makesHandle);
      expect([inOther, inAnother]).toEqual([
        [42, 42, true, "number"],
        [42, 42, true, "number"],
      ]);
      expect(here).toBe(42);
      expect(await handle).toBe(42);
      expect(await handle).toBe(42);
      expect(handle.done).toBe(true);
    });
  });

  test("the host joins a handle of its own, early, late, and several times at once", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const handle = runtime.spawn(bodies.addAsync, 1, 2);
      expect(await Promise.all([handle, handle, handle.then((sum: number) => sum + 1)])).toEqual([3, 3, 4]);
      expect([handle.done, await handle]).toEqual([true, 3]);
    });
  });

  test("a handle that the host sends is joined by the goroutine", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const gate = runtime.enter(() => new WaitGroup());
      gate.add(1);
      const handle = runtime.spawn(bodies.waitsAtGate, gate);
      const joined = runtime.run(bodies.joinsTwice, handle);
      expect(handle.done).toBe(false);
      await runtime.run(bodies.opensGate, gate);
      expect(await joined).toEqual(["open", "open", true, "number"]);
      // Ended and joined: sent now, it carries its outcome.
      expect(await handle).toBe("open");
      expect(await runtime.run(bodies.joinsTwice, handle)).toEqual(["open", "open", true, "number"]);
    });
  });

  test("several goroutines join one", async () => {
    await withRuntime({ procs }, async (runtime) => {
      expect(await runtime.run(bodies.manyJoin, 50)).toEqual(Array.from({ length: 50 }, () => "open"));
    });
  });

  test("WaitGroup.go counts goroutines of every kind", async () => {
    await withRuntime({ procs }, async (runtime) => {
      expect(await runtime.run(bodies.waitGroupGo, 300)).toBe(300);
    });
  });

  test("sysmon asks a body that runs too long to give way", async () => {
    await withRuntime({ procs, timeSlice: 1 }, async (runtime) => {
      expect(await runtime.run(bodies.spinsUntilAsked)).toBe(true);
    });
  });

  test("three that compute for ever, with checkpoints, do not keep out one that comes late", async () => {
    await withRuntime({ procs, timeSlice: 1 }, async (runtime) => {
      const stop = runtime.enter(() => new AtomicInt());
      const hogs = Array.from({ length: 3 * procs }, () => runtime.run(bodies.hog, stop));
      await eventually(() => runtime.stats().preemptions > 0);
      expect(await runtime.run(bodies.stops, stop)).toBe("stopped");
      expect(await Promise.all(hogs)).toHaveLength(3 * procs);
    });
  });

  test("goroutines that start and join each other for ever share a slice, and let others have theirs", async () => {
    await withRuntime({ procs, timeSlice: 1 }, async (runtime) => {
      const stop = runtime.enter(() => new AtomicInt());
      const relays = Array.from({ length: procs }, () => runtime.run(bodies.relay, stop));
      expect(await runtime.run(bodies.stops, stop)).toBe("stopped");
      for (const legs of await Promise.all(relays)) expect(legs).toBeGreaterThanOrEqual(0);
    });
  });

  test("handles that nobody keeps give their goroutines' places back", async () => {
    await withRuntime({ procs, maxGoroutines: 1500 }, async (runtime) => {
      expect(await runtime.run(bodies.dropsHandles, 20_000)).toBe("all started");
    });
  });

  test("a name of its own changes nothing but the name", async () => {
    await withRuntime({ procs }, async (runtime) => {
      expect(await runtime.run(bodies.named)).toBe(3);
      const handle = runtime.spawnWith({ name: "from the host" }, bodies.addPlain, 1, 1);
      expect(await handle).toBe(2);
    });
  });
});

test("an async body that computes in its event loop does not keep others waiting while there are processors", async () => {
  await withRuntime({ procs: 4 }, async (runtime) => {
    const { stop, burning } = runtime.enter(() => ({ stop: new AtomicInt(), burning: new AtomicInt() }));
    const burner = runtime.run(bodies.burnsInEventLoop, stop, burning);
    await eventually(() => burning.load() === 1);
    const others = Array.from({ length: 10 }, () => runtime.run(bodies.addGenerator, 1, 1));
    expect(await Promise.all(others)).toEqual(others.map(() => 2));
    stop.store(1);
    expect(await burner).toBe("stopped");
  });
});

test("numGoroutine is 1 inside the first run, and 0 when it is over", async () => {
  await withRuntime({ procs: 2 }, async (runtime) => {
    expect(await runtime.run(bodies.counts)).toBe(1);
    expect(runtime.numGoroutine()).toBe(0);
    expect(runtime.enter(() => numGoroutine())).toBe(0);
  });
});
