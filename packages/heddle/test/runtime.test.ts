/** Starting, entering, closing: what programs do with runtimes. */

import { AtomicInt, NoRuntimeError, numGoroutine, type Runtime, run, spawn, start, WaitGroup } from "heddle";
import { describe, expect, test } from "vitest";
import { parksForEver } from "./fixtures/failing-bodies.mjs";
import {
  addAsync,
  addGenerator,
  addPlain,
  counts,
  opensGate,
  slowly,
  stops,
  waitsAtGate,
} from "./fixtures/kinds-of-bodies.mjs";
import { fib } from "./fixtures/scale-bodies.mjs";
import { eventually, PROCS, rejection, thrownBy, withRuntime } from "./support/runtimes.ts";

const refusal = (call: () => unknown): string => {
  const error = thrownBy(call);
  expect(error).toBeInstanceOf(NoRuntimeError);
  return (error as Error).message;
};

describe("the ambient runtime", () => {
  test("there is none, before one is started and after it was closed", async () => {
    expect(refusal(() => numGoroutine())).toMatch(/no runtime is open/);
    expect(refusal(() => spawn(addPlain, 1))).toMatch(/start\(\) or run\(\)/);
    const runtime = await start({ procs: 1 });
    expect(numGoroutine()).toBe(0);
    await runtime.close();
    expect(refusal(() => new WaitGroup())).toMatch(/no runtime is open/);
    expect(refusal(() => runtime.enter(() => 1))).toMatch(/closed/);
    expect(await rejection(runtime.run(addPlain, 1))).toBeInstanceOf(NoRuntimeError);
    expect(refusal(() => runtime.spawn(addPlain, 1))).toMatch(/closed/);
    expect(refusal(() => runtime.go(addPlain, 1))).toMatch(/closed/);
    expect(refusal(() => runtime.spawnWith({ name: "late" }, addPlain, 1))).toMatch(/closed/);
    expect(refusal(() => runtime.spawnWith({ retry: 1 }, addPlain, 1))).toMatch(/closed/);
  });

  test("is the only one open, else the one entered", async () => {
    await withRuntime({ procs: 1 }, async (one) => {
      expect(await spawn(addPlain, 1, 2)).toBe(3);
      await withRuntime({ procs: 1 }, async (other) => {
        expect(refusal(() => spawn(addPlain, 1))).toMatch(/2 runtimes are open and none is entered/);
        const gates = [one, other].map((runtime) => runtime.enter(() => new WaitGroup()));
        gates.forEach((gate) => gate.add(1));
        const waiting = one.enter(() => spawn(waitsAtGate, gates[0]));
        expect([one, other].map((runtime) => runtime.enter(numGoroutine))).toEqual([1, 0]);
        gates[0].done();
        expect(await waiting).toBe("open");
      });
      expect(numGoroutine()).toBe(0);
    });
  });

  test("stays entered over what the body awaits, and only there", async () => {
    await withRuntime({ procs: 1 }, async (one) => {
      await withRuntime({ procs: 1 }, async (other) => {
        const seen: unknown[] = [];
        const inside = (runtime: Runtime) =>
          runtime.enter(async () => {
            const counter = new AtomicInt();
            for (let i = 0; i < 3; i++) {
              await new Promise((resolve) => setImmediate(resolve));
              counter.add(await spawn(addAsync, i, 1));
            }
            seen.push(await runtime.run(stops, new AtomicInt()));
            return counter.load();
          });
        expect(await Promise.all([inside(one), inside(other)])).toEqual([6, 6]);
        expect(seen).toEqual(["stopped", "stopped"]);
        expect(refusal(() => new AtomicInt())).toMatch(/none is entered/);
        expect(one.enter(() => other.enter(() => spawn(addPlain, 1)).done)).toBeTypeOf("boolean");
      });
    });
  });

  test("that was entered and is closed meanwhile", async () => {
    const runtime = await start({ procs: 1 });
    const message = await runtime.enter(async () => {
      await runtime.close();
      return refusal(() => spawn(addPlain, 1));
    });
    expect(message).toMatch(/entered is closed/);
  });
});

describe.each(PROCS)("closing, with %i processors", (procs) => {
  test("waits for the goroutines, of every kind and however they were started", async () => {
    const runtime = await start({ procs });
    const done = runtime.enter(() => new AtomicInt());
    const handles = [
      runtime.spawn(slowly, 10),
      runtime.spawn(addGenerator, 1, 2),
      runtime.spawn(addPlain, 3),
    ];
    for (let i = 0; i < 20; i++) runtime.go(slowly, i % 5);
    runtime.go(stops, done);
    await runtime.close();
    expect(handles.map((handle) => handle.done)).toEqual([true, true, true]);
    expect(done.load()).toBe(1);
    expect([runtime.numGoroutine(), runtime.closed]).toEqual([0, true]);
  });

  test("waits for an async body that ends while all is idle", async () => {
    for (let i = 0; i < 5; i++) {
      const runtime = await start({ procs });
      runtime.go(slowly, i);
      await runtime.close();
      expect(runtime.numGoroutine()).toBe(0);
    }
  });

  test("settles what is pending first", async () => {
    const runtime = await start({ procs });
    const pending = runtime.run(slowly, 5);
    const closing = runtime.close();
    expect(await pending).toBe(5);
    await closing;
  });

  test("twice, at once and later, is closing once", async () => {
    const runtime = await start({ procs });
    runtime.go(slowly, 3);
    await Promise.all([runtime.close(), runtime.close(), runtime[Symbol.asyncDispose]()]);
    await runtime.close({ graceMs: 0 });
    expect(runtime.closed).toBe(true);
  });

  test("with a time of grace gives up on those that do not end, and rejects who waits for them", async () => {
    for (const graceMs of [0, 1]) {
      const runtime = await start({ procs });
      const parked = [runtime.run(parksForEver), runtime.spawn(parksForEver)];
      const pending = parked.map((promise) => rejection(promise));
      await runtime.close({ graceMs });
      for (const error of await Promise.all(pending)) expect(error).toBeInstanceOf(Error);
    }
  });

  test("right after starting, and again and again", async () => {
    for (let i = 0; i < 5; i++) await (await start({ procs })).close();
  });

  test("by await using", async () => {
    let kept: Runtime;
    {
      await using runtime = await start({ procs });
      kept = runtime;
      runtime.go(slowly, 3);
      expect(await runtime.run(addPlain, 1, 2)).toBe(3);
    }
    expect(kept.closed).toBe(true);
  });
});

describe("the default runtime of run()", () => {
  test("is started once, however many ask at once", async () => {
    expect(await Promise.all([run(addPlain, 1), run(addAsync, 2), run(fib, 8)])).toEqual([1, 2, 21]);
    expect(numGoroutine()).toBe(0);
    const waiting = run(counts);
    expect(await waiting).toBe(1);
  });

  test("is ambient, but not beside another", async () => {
    expect(await run(addPlain, 1)).toBe(1);
    expect(await spawn(addPlain, 2)).toBe(2);
    await withRuntime({ procs: 1 }, async (other) => {
      expect(refusal(() => spawn(addPlain, 1))).toMatch(/2 runtimes are open/);
      expect(await other.run(addPlain, 3)).toBe(3);
      expect(await run(addPlain, 4)).toBe(4);
    });
  });
});

describe("two runtimes side by side", () => {
  test("do not see each other's goroutines", async () => {
    await withRuntime({ procs: 2 }, async (one) => {
      await withRuntime({ procs: 2 }, async (other) => {
        const gate = one.enter(() => new WaitGroup());
        gate.add(1);
        const parked = Array.from({ length: 5 }, () => one.run(waitsAtGate, gate));
        await eventually(() => one.numGoroutine() === 5);
        expect([await one.run(counts), await other.run(counts)]).toEqual([6, 1]);
        const both = [one, other].flatMap((runtime) => [runtime.run(fib, 12), runtime.run(fib, 10)]);
        expect(await Promise.all(both)).toEqual([144, 55, 144, 55]);
        await one.run(opensGate, gate);
        expect(await Promise.all(parked)).toEqual(parked.map(() => "open"));
      });
    });
  });
});

describe("stats", () => {
  test("count what happened", async () => {
    await withRuntime({ procs: 2 }, async (runtime) => {
      expect(runtime.stats()).toMatchObject({
        procs: 2,
        goroutines: 0,
        spawned: 0,
        parks: 0,
        steals: 0,
        preemptions: 0,
      });
      await runtime.run(fib, 10);
      const { spawned, parks, goroutines, machines } = runtime.stats();
      expect([spawned, goroutines]).toEqual([177, 0]);
      expect(parks).toBeGreaterThan(0);
      expect(machines).toBeGreaterThanOrEqual(1);
    });
  });

  test("count live goroutines as numGoroutine does", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      const gate = runtime.enter(() => new WaitGroup());
      gate.add(1);
      const parked = [runtime.run(waitsAtGate, gate), runtime.run(waitsAtGate, gate)];
      await eventually(() => runtime.stats().parks === 2);
      expect([runtime.stats().goroutines, runtime.numGoroutine()]).toEqual([2, 2]);
      gate.done();
      await Promise.all(parked);
      expect(runtime.numGoroutine()).toBe(0);
    });
  });
});

test("machines start on demand, up to the processors, and are kept", async () => {
  await withRuntime({ procs: 3 }, async (runtime) => {
    expect(runtime.stats().machines).toBe(1);
    for (let i = 0; i < 3; i++) await runtime.run(fib, 16);
    expect(runtime.stats().machines).toBeLessThanOrEqual(3);
  });
});

test("environment and options of the machines", async () => {
  const resourceLimits = { maxOldGenerationSizeMb: 128, stackSizeMb: 2 };
  await withRuntime({ procs: 1, env: { HEDDLE_TEST: "seen" }, resourceLimits }, async (runtime) => {
    expect(await runtime.run(addPlain, 1)).toBe(1);
  });
});
