// `retry` of spawnWith: the same goroutine runs again when its thread was lost.

import { AtomicInt, chan, ErrGroup, MachineLostError, tasks } from "heddle";
import { audit, isQuiet, killMachine } from "heddle/testing";
import { describe, expect, test } from "vitest";
import * as bodies from "./limit-bodies.mjs";
import { eventually, rejection, withRuntime } from "./support/runtimes.ts";

const LIMIT_MS = 60_000;
const four = { procs: 4 };

describe("retry", { timeout: LIMIT_MS }, () => {
  test("runs the goroutine again, with its arguments as they were, as often as it may", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const starts = new AtomicInt();
        const ch = chan<string>(1);
        const args = ["a longer string than a slot holds", { deep: [1, 2n, new Map([[1, ch]])] }] as const;
        const handle = runtime.spawnWith(
          { retry: 2, name: "stubborn" },
          bodies.exitsAtFirst,
          starts,
          2,
          ...args,
        );
        const { id } = handle;
        const [text, value] = (await handle) as unknown as typeof args;
        expect(text).toBe(args[0]);
        expect(value).toEqual({ deep: [1, 2n, new Map([[1, ch]])] });
        expect(starts.load()).toBe(3);
        expect(handle.id).toBe(id);
      }),
    );
  });

  test("more than four arguments are kept, too", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const starts = new AtomicInt();
        const outcome = runtime.spawnWith(
          { retry: 1 },
          bodies.exitsAtFirst,
          starts,
          1,
          "a",
          "b",
          "c",
          "d",
          "e",
        );
        expect(await outcome).toEqual(["a", "b", "c", "d", "e"]);
      }),
    );
  });

  test("when it is used up the joiner is told, and how often it was tried", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const starts = new AtomicInt();
        const error = (await rejection(
          runtime.spawnWith({ retry: 2, name: "hopeless" }, bodies.exitsAtFirst, starts, 9),
        )) as Error;
        expect(error).toBeInstanceOf(MachineLostError);
        expect(error.message).toMatch(
          /^goroutine \d+ \(hopeless\) is lost: .*This was attempt 3: as often as that its thread was lost/,
        );
        expect(starts.load()).toBe(3);
      }),
    );
  });

  test("without retry nothing is run again", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const starts = new AtomicInt();
        const error = (await rejection(
          runtime.spawnWith({ retry: 0 }, bodies.exitsAtFirst, starts, 1),
        )) as Error;
        expect(error).toBeInstanceOf(MachineLostError);
        expect(error.message).not.toMatch(/attempt/);
        expect(starts.load()).toBe(1);
      }),
    );
  });

  test("a goroutine that waited when its thread was killed by somebody else waits again, elsewhere", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        for (let round = 0; round < 5; round++) {
          const starts = new AtomicInt(1);
          const [homes, goOn] = [chan<number>(8), chan<number>(8)];
          const waiting = runtime.spawnWith({ retry: 1 }, bodies.waitsThenExits, starts, homes, goOn);
          await homes.recv();
          for (let machine = 1; machine <= 4; machine++) killMachine(runtime, machine);
          await homes.recv();
          await goOn.send(1);
          expect(await waiting).toBe(3);
        }
        await eventually(() => runtime.numGoroutine() === 0);
      }),
    );
  });

  test("one that was cancelled is not run again", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const starts = new AtomicInt();
        const homes = chan<number>(1);
        const handle = runtime.spawnWith({ retry: 3 }, bodies.defies, starts, homes);
        await homes.recv();
        handle.cancel();
        for (let machine = 1; machine <= 4; machine++) killMachine(runtime, machine);
        expect(await rejection(handle)).toBeInstanceOf(MachineLostError);
        expect(starts.load()).toBe(1);
      }),
    );
  });

  test("many at once, on machines that die again and again: each ends once, and nothing is left over", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const handles = Array.from({ length: 24 }, (_, place) => {
          const starts = new AtomicInt();
          return runtime.spawnWith({ retry: 1000 }, bodies.exitsAtFirst, starts, place % 3, { place });
        });
        const outcomes = await Promise.all(handles);
        expect(outcomes).toEqual(handles.map((_, place) => [{ place }]));
        await eventually(() => runtime.numGoroutine() === 0 && isQuiet(runtime));
        expect(audit(runtime).problems).toEqual([]);
        expect(await runtime.run(bodies.fib, 12)).toBe(144);
      }),
    );
  });

  test("options are checked: errors name the option, its value and its bounds", async () => {
    const refused: readonly (readonly [options: object, kind: new () => Error, message: string])[] = [
      [
        { retry: "2" },
        TypeError,
        'spawnWith: options.retry must be an integer from 0 to 1000000, not string "2"',
      ],
      [{ retry: -1 }, RangeError, "spawnWith: options.retry must be an integer from 0 to 1000000, not -1"],
      [{ retry: 1.5 }, RangeError, "spawnWith: options.retry must be an integer from 0 to 1000000, not 1.5"],
      [
        { retry: 1e9 },
        RangeError,
        "spawnWith: options.retry must be an integer from 0 to 1000000, not 1000000000",
      ],
      [
        { timeout: "1" },
        TypeError,
        'spawnWith: options.timeout must be a number of milliseconds from 0, not string "1"',
      ],
      [
        { timeout: Number.NaN },
        RangeError,
        "spawnWith: options.timeout must be a number of milliseconds from 0, not NaN",
      ],
      [
        { timeout: 1, killAfter: -1 },
        RangeError,
        "spawnWith: options.killAfter must be a number of milliseconds from 0, not -1",
      ],
      [
        { killAfter: 1 },
        TypeError,
        "spawnWith: options.killAfter counts from the end of options.timeout, which is missing",
      ],
    ];
    await withRuntime({ procs: 1 }, async (runtime) => {
      for (const [options, kind, message] of refused) {
        const spawning = (): unknown => runtime.spawnWith(options as never, bodies.fib, 1);
        expect(spawning).toThrow(kind);
        expect(spawning).toThrow(message);
      }
    });
  });

  test("an argument that cannot be copied is refused as by spawn, and nothing is kept", async () => {
    await withRuntime({ procs: 1 }, (runtime) =>
      runtime.enter(async () => {
        expect(() =>
          runtime.spawnWith({ retry: 1 }, bodies.fib as never, "a string that needs a block", () => {}),
        ).toThrow(/args\[1\]/);
        expect(await runtime.run(bodies.fib, 5)).toBe(5);
        await eventually(() => isQuiet(runtime));
        expect(audit(runtime).problems).toEqual([]);
      }),
    );
  });
});

describe("a module that ends every thread that loads it", { timeout: LIMIT_MS }, () => {
  const module = new URL("./failing-modules/ends-its-thread.mjs", import.meta.url);

  test("is tried on a few threads; then whoever waits for its goroutine is told, and all else goes on", async () => {
    await withRuntime(four, async (runtime) => {
      const { neverRuns } = tasks<{ neverRuns: () => string }>(module);
      for (let round = 0; round < 2; round++) {
        const error = (await rejection(runtime.run(neverRuns))) as Error;
        expect(error).toBeInstanceOf(MachineLostError);
        expect(error.message).toMatch(
          /^goroutine \d+ \(neverRuns\) cannot begin: 5 threads have ended while it waited there for its module file:.*ends-its-thread\.mjs\. The last of them has ended: process\.exit\(7\) was called there$/,
        );
        expect(await runtime.run(bodies.fib, 10)).toBe(55);
      }
      await eventually(() => runtime.numGoroutine() === 0 && isQuiet(runtime));
      expect(audit(runtime).problems).toEqual([]);
    });
  });

  test("retry does not help it", async () => {
    await withRuntime(four, async (runtime) => {
      const { neverRuns } = tasks<{ neverRuns: () => string }>(module);
      const handle = runtime.spawnWith({ retry: 2 }, neverRuns);
      expect(((await rejection(handle)) as Error).message).toMatch(/cannot begin/);
    });
  });

  test("a member of an ErrGroup ends once, and its error is what wait throws", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const { neverRuns } = tasks<{ neverRuns: () => string }>(module);
        const group = new ErrGroup();
        await group.go(neverRuns);
        await group.go(bodies.fib as never, 5 as never);
        const error = (await rejection(group.wait())) as Error;
        expect(error).toBeInstanceOf(MachineLostError);
        expect(error.message).toMatch(/cannot begin/);
      }),
    );
  });
});
