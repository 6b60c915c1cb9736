import { describe, expect, test } from "vitest";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { AtomicInt } from "../../src/sync/atomic-int.ts";
import { body, singleMachine } from "../support/single-machine.ts";

describe("an atomic integer", () => {
  test("is loaded, stored, added to, swapped and compared", () => {
    singleMachine();
    const n = new AtomicInt(5);
    expect([n.load(), n.add(3), n.add(-10), n.swap(7), n.load()]).toEqual([5, 8, -2, -2, 7]);
    expect([n.compareAndSwap(8, 9), n.load(), n.compareAndSwap(7, 9), n.load()]).toEqual([false, 7, true, 9]);
    n.store(-1);
    expect(n.load()).toBe(-1);
    expect(new AtomicInt().load()).toBe(0);
  });

  test("wraps round at 32 bits", () => {
    singleMachine();
    const n = new AtomicInt(2 ** 31 - 1);
    expect([n.add(1), n.add(-1)]).toEqual([-(2 ** 31), 2 ** 31 - 1]);
  });

  test.each([0.5, Number.NaN, 2 ** 31, -(2 ** 31) - 1, "1" as never, undefined as never])(
    "refuses %s",
    (value) => {
      singleMachine();
      const n = new AtomicInt();
      if (value !== undefined) expect(() => new AtomicInt(value)).toThrow(RangeError);
      expect(() => n.store(value)).toThrow(RangeError);
      expect(() => n.add(value)).toThrow(RangeError);
      expect(() => n.swap(value)).toThrow(RangeError);
      expect(() => n.compareAndSwap(value, 1)).toThrow(RangeError);
      expect(() => n.compareAndSwap(0, value)).toThrow(RangeError);
      expect(n.load()).toBe(0);
    },
  );

  test("travels by reference, nested in objects", async () => {
    const worker = body(function* worker({ counters }: { counters: AtomicInt[] }): Goroutine<void> {
      counters[0].add(1);
    });
    const main = body(function* main(): Goroutine<number> {
      const n = new AtomicInt();
      yield* spawn(worker, { counters: [n] });
      return n.load();
    });
    expect(await singleMachine().run(main)).toBe(1);
  });
});
