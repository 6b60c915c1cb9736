/** Starting, joining and ending goroutines on one machine. */

import { describe, expect, test } from "vitest";
import { CloneError, GoroutineLimitError, MemoryLimitError, MisuseError } from "../../src/base/errors.ts";
import type { Body } from "../../src/goroutine/functions.ts";
import { go, numGoroutine, spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine, Handle } from "../../src/scheduler/frames/types.ts";
import { liveGoroutines } from "../../src/scheduler/idle/counters.ts";
import { WaitGroup } from "../../src/sync/wait-group.ts";
import { body, singleMachine } from "../support/single-machine.ts";

const sum = body(function sum(...numbers: number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
});
const fails = body(function fails(message: string): never {
  throw new TypeError(message);
});
const waits = body(function* waits(gate: WaitGroup): Goroutine<string> {
  yield* gate.wait();
  return "open";
});

test("a name for which there is no room: nothing was started, and nothing was kept", async () => {
  const { host, run } = singleMachine({ maxGoroutines: 40 });
  const tooLong = "n".repeat(2 ** 26);
  for (let i = 0; i < 100; i++)
    expect(() => host.spawnDetailed(tooLong, undefined, sum as Body, ["a text that needs a block"])).toThrow(
      MemoryLimitError,
    );
  expect(await run(sum, 1, 2)).toBe(3);
  expect(liveGoroutines(host.memory)).toBe(0);
});

describe("arguments", () => {
  test("any number of them, of any kind, in their order", async () => {
    const machine = singleMachine();
    const echo = body(function* echo(...args: unknown[]): Goroutine<unknown[]> {
      yield* gosched();
      return args;
    });
    const values = [1, "two", { three: 3 }, [4], 5n, null, undefined, true, Number.NaN];
    for (let count = 0; count <= values.length; count++) {
      expect(await machine.run(echo as (...args: unknown[]) => unknown, ...values.slice(0, count))).toEqual(
        values.slice(0, count),
      );
    }
  });

  test("one that cannot be copied: nothing was started, and nothing was kept", async () => {
    const machine = singleMachine({ maxGoroutines: 40 });
    const main = body(function* main(): Goroutine<number> {
      for (let i = 0; i < 200; i++) {
        for (const start of [spawn, go]) {
          expect(() => start(sum as (...args: unknown[]) => unknown, "x".repeat(1000), () => {})).toThrow(
            CloneError,
          );
        }
      }
      return numGoroutine() + (yield* spawn(sum, 1, 1));
    });
    expect(await machine.run(main)).toBe(3);
  });
});

describe("handles", () => {
  const run = <T>(f: () => Goroutine<T>, options = {}): Promise<unknown> =>
    singleMachine(options).run(body(f));

  test("are joined early and late, twice, and by several", async () => {
    await run(function* (): Goroutine<void> {
      const gate = new WaitGroup();
      gate.add(1);
      const one = spawn(waits, gate);
      const joins = body(function* joins(handle: Handle<string>): Goroutine<string> {
        return yield* handle;
      });
      const others = Array.from({ length: 5 }, () => spawn(joins, one));
      expect(one.done).toBe(false);
      yield* gosched();
      gate.done();
      for (const other of others) expect(yield* other).toBe("open");
      expect([yield* one, yield* one, one.done]).toEqual(["open", "open", true]);
    });
  });

  test("fail each time, with the same error", async () => {
    await run(function* (): Goroutine<void> {
      const failing = spawn(fails, "why");
      const seen: unknown[] = [];
      for (let i = 0; i < 2; i++) {
        try {
          yield* failing;
        } catch (error) {
          seen.push(error);
        }
      }
      expect(seen[0]).toBeInstanceOf(TypeError);
      expect(seen[0]).toBe(seen[1]);
    });
  });

  test("have ids that are never the same", async () => {
    await run(function* (): Goroutine<void> {
      const ids = new Set<number>();
      for (let i = 0; i < 500; i++) {
        const handle = spawn(sum, i);
        ids.add(handle.id);
        yield* handle;
      }
      expect(ids.size).toBe(500);
    });
  });

  test("that were collected have their outcome", async () => {
    const machine = singleMachine();
    const main = body(function* main(): Goroutine<void> {
      const handles = [spawn(sum, 1, 2), spawn(fails, "collected"), spawn(sum, 3)];
      yield* gosched();
      expect(handles.map((handle) => handle.done)).toEqual([true, true, true]);
      machine.machine.openHandles.collect();
      expect([yield* handles[0], yield* handles[2]]).toEqual([3, 3]);
      let told: unknown;
      try {
        yield* handles[1];
      } catch (error) {
        told = error;
      }
      expect((told as Error).message).toBe("collected");
    });
    await machine.run(main);
  });

  test("that nobody joins give their places back", async () => {
    await run(
      function* (): Goroutine<void> {
        for (let i = 0; i < 500; i++) {
          spawn(sum, i);
          yield* gosched();
        }
      },
      { maxGoroutines: 60 },
    );
  });
});

describe("a full table", () => {
  test("is told, with the option's name and value, and works again when there is room", async () => {
    const machine = singleMachine({ maxGoroutines: 60 });
    const main = body(function* main(): Goroutine<number> {
      const gate = new WaitGroup();
      gate.add(1);
      const parked: Handle<string>[] = [];
      expect(() => {
        for (;;) parked.push(spawn(waits, gate));
      }).toThrow(
        new GoroutineLimitError("the goroutine table is full: maxGoroutines is 60 and that many are in use"),
      );
      expect(() => go(waits, gate)).toThrow(GoroutineLimitError);
      const group = new WaitGroup();
      expect(() => group.go(sum, 1)).toThrow(GoroutineLimitError);
      yield* group.wait(); // was counted back
      gate.done();
      for (const handle of parked) expect(yield* handle).toBe("open");
      return (yield* spawn(sum, 1, 2)) + parked.length;
    });
    for (let round = 0; round < 3; round++) expect(await machine.run(main)).toBeGreaterThan(45);
  });
});

describe("what is not done", () => {
  const refusal = async (f: () => Goroutine<void>): Promise<Error> => {
    try {
      await singleMachine().run(body(f));
    } catch (error) {
      return error as Error;
    }
    throw new Error("it was not refused");
  };

  test("an operation used twice, in any two ways", async () => {
    const twice = await refusal(function* (): Goroutine<void> {
      const waiting = new WaitGroup().wait();
      yield* waiting;
      waiting.block();
    });
    expect(twice).toBeInstanceOf(MisuseError);
    expect(twice.message).toBe("an operation is used once: call the function again for another");
  });

  test("yielding a value of one's own, or an operation without a star", async () => {
    for (const value of [1, undefined, "text", gosched]) {
      const error = await refusal(function* (): Goroutine<void> {
        yield value as never;
      });
      expect(error.message).toMatch(/may not yield values: write yield\*/);
    }
  });

  test("a generator that runs another goroutine's body inline parks as itself", async () => {
    const machine = singleMachine();
    const main = body(function* main(): Goroutine<[string, number]> {
      const gate = new WaitGroup();
      gate.add(1);
      go(
        body(function opens(g: WaitGroup): void {
          g.done();
        }),
        gate,
      );
      return [yield* waits(gate), numGoroutine()];
    });
    expect(await machine.run(main)).toEqual(["open", 1]);
  });
});

test("an error that leaves a go body is told, and is not lost among others", async () => {
  const machine = singleMachine();
  const main = body(function* main(): Goroutine<void> {
    go(fails, "one");
    go(fails, "two");
    yield* gosched();
  });
  await machine.run(main);
  await machine.settle();
  expect(machine.panics.map((error) => (error as Error).message).toSorted()).toEqual(["one", "two"]);
});
