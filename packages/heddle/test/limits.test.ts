/** Bad options, full tables, and that all goes on afterwards. */

import { GoroutineLimitError, type RuntimeOptions, start, WaitGroup } from "heddle";
import { describe, expect, test } from "vitest";
import { addPlain, opensGate, waitsAtGate } from "./fixtures/kinds-of-bodies.mjs";
import * as limited from "./fixtures/limited-bodies.mjs";
import { PROCS, rejection, thrownBy, withRuntime } from "./support/runtimes.ts";

describe("options out of bounds are named, with their value and the bounds", () => {
  const cases: [RuntimeOptions, string, string][] = [
    [{ procs: 0 }, "options.procs", "from 1 to 256, not 0"],
    [{ procs: -1 }, "options.procs", "not -1"],
    [{ procs: Number.NaN }, "options.procs", "not NaN"],
    [{ procs: 1e9 }, "options.procs", "not 1000000000"],
    [{ procs: 1.5 }, "options.procs", "an integer from 1 to 256, not 1.5"],
    [{ procs: Number.POSITIVE_INFINITY }, "options.procs", "not Infinity"],
    [{ procs: 4, maxMachines: 3 }, "options.maxMachines", "from 4 to 1024, not 3"],
    [{ maxMachines: 1e9 }, "options.maxMachines", "not 1000000000"],
    [{ maxGoroutines: 0 }, "options.maxGoroutines", "from 16 to 4000000, not 0"],
    [{ maxGoroutines: 2 ** 31 }, "options.maxGoroutines", "not 2147483648"],
    [{ maxGoroutines: Number.NaN }, "options.maxGoroutines", "not NaN"],
    [{ timeSlice: 0 }, "options.timeSlice", "from 0.1 to 10000, not 0"],
    [{ timeSlice: 1e9 }, "options.timeSlice", "not 1000000000"],
    [{ timeSlice: Number.NaN }, "options.timeSlice", "not NaN"],
    [{ resourceLimits: { stackSizeMb: Number.NaN } }, "options.resourceLimits.stackSizeMb", "not NaN"],
    [
      { resourceLimits: { maxOldGenerationSizeMb: -1 } },
      "options.resourceLimits.maxOldGenerationSizeMb",
      "not -1",
    ],
  ];

  test.each(cases)("%j", async (options, named, told) => {
    const error = await rejection(start(options));
    expect(error).toBeInstanceOf(RangeError);
    expect((error as Error).message).toContain(named);
    expect((error as Error).message).toContain(told);
  });

  test("of the wrong type", async () => {
    for (const [options, told] of [
      [{ procs: "4" }, 'options.procs must be a number from 1 to 256, not "4"'],
      [{ procs: null }, "not null"],
      [{ timeSlice: true }, "not true"],
      [{ timeSlice: 10n }, "not 10n"],
      [{ resourceLimits: { stackSizeMb: "4" } }, "options.resourceLimits.stackSizeMb must be a number"],
      [{ resourceLimits: 4 }, "options.resourceLimits must be an object, not 4"],
      [null, "options must be an object, not null"],
      [7, "options must be an object, not 7"],
    ] as const) {
      const error = await rejection(start(options as unknown as RuntimeOptions));
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).toContain(told);
    }
  });

  test("of spawnWith and close", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      expect(thrownBy(() => runtime.spawnWith(null as never, addPlain, 1))).toBeInstanceOf(TypeError);
      expect(thrownBy(() => runtime.spawnWith({ name: 7 as never }, addPlain, 1))).toBeInstanceOf(TypeError);
      for (const graceMs of [-1, Number.NaN, "5" as never]) {
        const error = await rejection((async () => runtime.close({ graceMs }))());
        expect(error).toBeInstanceOf(RangeError);
        expect((error as Error).message).toContain("graceMs");
      }
      expect(thrownBy(() => runtime.close(null as never))).toBeInstanceOf(TypeError);
      expect(await runtime.run(addPlain, 1, 2)).toBe(3);
    });
  });
});

describe.each(PROCS)("a full table of goroutines, on %i processors", (procs) => {
  test("is told to the host, whatever it calls, and all works again once there is room", async () => {
    await withRuntime({ procs, maxGoroutines: 100 }, async (runtime) => {
      for (let round = 0; round < 3; round++) {
        const gate = runtime.enter(() => new WaitGroup());
        gate.add(1);
        const parked = [];
        let error: unknown;
        while (error === undefined) {
          try {
            parked.push(runtime.spawn(waitsAtGate, gate));
          } catch (thrown) {
            error = thrown;
          }
        }
        expect(error).toBeInstanceOf(GoroutineLimitError);
        expect((error as Error).message).toContain("maxGoroutines is 100");
        expect(parked.length).toBeGreaterThan(50);
        expect(parked.length).toBeLessThanOrEqual(100);
        expect(await rejection(runtime.run(addPlain, 1))).toBeInstanceOf(GoroutineLimitError);
        expect(thrownBy(() => runtime.go(addPlain, 1))).toBeInstanceOf(GoroutineLimitError);
        gate.done();
        for (const handle of parked) expect(await handle).toBe("open");
        expect(await runtime.run(addPlain, 1, 2)).toBe(3);
      }
    });
  });

  test("is told to a goroutine, which can go on", async () => {
    await withRuntime({ procs, maxGoroutines: 200 }, async (runtime) => {
      for (let round = 0; round < 3; round++) {
        const { started, error, results, after } = await runtime.run(limited.fillsTable);
        expect(error).toMatchObject({ name: "GoroutineLimitError", code: "ERR_HEDDLE_GOROUTINE_LIMIT" });
        expect(started).toBeGreaterThan(100);
        expect(results).toBe(started);
        expect(after).toBe(3);
      }
    });
  });

  test("WaitGroup.go that could not start counts nothing", async () => {
    await withRuntime({ procs, maxGoroutines: 100 }, async (runtime) => {
      expect(await runtime.run(limited.fillsByWaitGroup)).toBe("GoroutineLimitError");
      expect(await runtime.run(limited.fillsByWaitGroup)).toBe("GoroutineLimitError");
    });
  });

  test("is not full when the goroutines have ended, wherever they ended and whoever starts the next", async () => {
    await withRuntime({ procs, maxGoroutines: 64 }, async (runtime) => {
      for (let round = 0; round < 50; round++) {
        expect(await runtime.run(limited.churns, 200)).toBe(200);
        const handles = Array.from({ length: 30 }, (_, i) => runtime.spawn(addPlain, i));
        for (const [i, handle] of handles.entries()) expect(await handle).toBe(i);
      }
    });
  });
});

test("the smallest table there can be", async () => {
  await withRuntime({ procs: 1, maxGoroutines: 16 }, async (runtime) => {
    for (let round = 0; round < 100; round++) expect(await runtime.run(limited.churns, 20)).toBe(20);
    const gate = runtime.enter(() => new WaitGroup());
    gate.add(1);
    const parked = Array.from({ length: 10 }, () => runtime.run(waitsAtGate, gate));
    expect(await runtime.run(opensGate, gate)).toBe(undefined);
    expect(await Promise.all(parked)).toEqual(parked.map(() => "open"));
  });
});
