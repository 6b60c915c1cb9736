import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { CloneError } from "../../src/base/errors.ts";
import { O_REFS, POOL_BUMP, POOL_TIMER, POOL_WORDS } from "../../src/memory/layout.ts";
import { numGoroutine } from "../../src/scheduler/api/goroutine-api.ts";
import type { SharedObject } from "../../src/scheduler/thread/shared-object.ts";
import { AtomicInt } from "../../src/sync/atomic-int.ts";
import { afterFunc, type Timer } from "../../src/time/after-func.ts";
import { hasPendingTimers } from "../../src/time/timers.ts";
import { body } from "../support/single-machine.ts";
import { type TimedMachine, timedMachine } from "../support/timed-machine.ts";

let log: unknown[] = [];
const note = body(function note(...args: unknown[]): void {
  log.push(args);
});

/** Runs `step` inside a goroutine of the machine. */
async function inside<R>({ run }: TimedMachine, step: () => R): Promise<R> {
  log = [];
  let result: R | undefined;
  const runStep = body(function runStep(): void {
    result = step();
  });
  await run(runStep);
  return result as R;
}

describe("afterFunc", () => {
  test("starts its goroutine when the time has come, with the arguments it was given then", async () => {
    const runtime = timedMachine();
    await inside(runtime, () => {
      const list = [1, 2];
      afterFunc(10, note, "a", list, { deep: list });
      list.push(3);
      afterFunc(5, note, 1, 2, 3, 4, 5);
    });
    await runtime.advance(4.99);
    expect(log).toEqual([]);
    await runtime.advance(0.01);
    expect(log).toEqual([[1, 2, 3, 4, 5]]);
    await runtime.advance(5);
    expect(log[1]).toEqual(["a", [1, 2], { deep: [1, 2] }]);
    expect(hasPendingTimers(runtime.memory)).toBe(false);
  });

  test("those of one time start in the order of the calls", async () => {
    const runtime = timedMachine();
    // A machine puts the first goroutine of a body that is new to it behind the others, until it knows the body.
    await runtime.run(note);
    await inside(runtime, () => {
      for (let i = 0; i < 100; i++) afterFunc(1, note, i);
    });
    await runtime.advance(1);
    expect(log).toEqual(Array.from({ length: 100 }, (_, i) => [i]));
  });

  test.each([0, -3, Number.NEGATIVE_INFINITY])("%d ms is at once", async (ms) => {
    const runtime = timedMachine();
    await inside(runtime, () => afterFunc(ms, note, "now"));
    await runtime.advance(0);
    expect(log).toEqual([["now"]]);
  });

  test("is no goroutine before it starts", async () => {
    const runtime = timedMachine();
    const counts = await inside(runtime, () => {
      const before = numGoroutine();
      const timer = afterFunc(10, note);
      return [before, numGoroutine(), timer.stop() && numGoroutine()];
    });
    expect(counts).toEqual([1, 1, 1]);
  });

  test("an error in it is a panic, as of go", async () => {
    const runtime = timedMachine();
    const fail = body(function fail(): never {
      throw new Error("late");
    });
    await inside(runtime, () => afterFunc(1, fail));
    await runtime.advance(1);
    expect(runtime.panics).toEqual([new Error("late")]);
  });

  test("what cannot be copied is refused at the call, and nothing is kept", async () => {
    const runtime = timedMachine();
    const error = await inside(runtime, () => {
      try {
        return afterFunc(1, note as never, 1, { onDone: () => {} });
      } catch (thrown) {
        return thrown;
      }
    });
    expect(error).toBeInstanceOf(CloneError);
    expect(hasPendingTimers(runtime.memory)).toBe(false);
  });

  test("durations that are none are refused", async () => {
    const messages = await inside(timedMachine(), () => {
      const timer = afterFunc(1, note);
      return [
        () => afterFunc(Number.NaN, note),
        () => timer.reset(Number.NaN),
        () => timer.reset("1" as never),
      ].map((call) => {
        try {
          return call();
        } catch (error) {
          return String(error);
        }
      });
    });
    expect(messages).toEqual([
      "RangeError: afterFunc: ms must be a number of milliseconds, not NaN",
      "RangeError: Timer.reset: ms must be a number of milliseconds, not NaN",
      'TypeError: Timer.reset: ms must be a number of milliseconds, not "1"',
    ]);
  });
});

describe("stop and reset", () => {
  type Step = "stop" | "reset" | "wait";
  /** What each call returns, and how often the function has run at the end. `wait` lets the 10 ms pass. */
  const table: [steps: Step[], results: boolean[], calls: number][] = [
    [["stop"], [true], 0],
    [["stop", "stop"], [true, false], 0],
    [["wait", "stop"], [false], 1],
    [["reset"], [true], 1],
    [["reset", "stop"], [true, true], 0],
    [["stop", "reset"], [true, false], 1],
    [["wait", "reset"], [false], 2],
    [["wait", "reset", "stop"], [false, true], 1],
    [["wait", "reset", "wait", "reset", "reset"], [false, false, true], 3],
    [["stop", "reset", "stop", "reset", "stop"], [true, false, true, false, true], 0],
    [["reset", "wait", "stop", "stop", "reset"], [true, false, false, false], 2],
  ];

  test.each(table)("%j", async (steps, results, calls) => {
    const runtime = timedMachine();
    const timer = await inside(runtime, () => afterFunc(10, note, "call"));
    const returned: boolean[] = [];
    for (const step of steps) {
      if (step === "wait") await runtime.advance(10);
      else returned.push(step === "stop" ? timer.stop() : timer.reset(10));
    }
    await runtime.advance(100);
    expect(returned).toEqual(results);
    expect(log).toHaveLength(calls);
    expect(hasPendingTimers(runtime.memory)).toBe(false);
  });

  test("reset moves the time in both directions", async () => {
    const runtime = timedMachine();
    const [sooner, later] = await inside(runtime, () => [
      afterFunc(50, note, "sooner"),
      afterFunc(10, note, "later"),
    ]);
    expect([sooner?.reset(5), later?.reset(20)]).toEqual([true, true]);
    await runtime.advance(5);
    expect(log).toEqual([["sooner"]]);
    await runtime.advance(14.9);
    expect(log).toHaveLength(1);
    await runtime.advance(0.1);
    expect(log).toEqual([["sooner"], ["later"]]);
  });

  test("after a reset the function gets the arguments of the call, whatever became of them", async () => {
    const runtime = timedMachine();
    const greedy = body(function greedy(list: number[], count: AtomicInt): void {
      list.push(99);
      log.push([...list, count.add(1)]);
    });
    const timer = await inside(runtime, () => {
      const list = [1];
      const made = afterFunc(1, greedy, list, new AtomicInt());
      list.push(2);
      return made;
    });
    await runtime.advance(1);
    timer.reset(1);
    await runtime.advance(1);
    expect(log).toEqual([
      [1, 99, 1],
      [1, 99, 2],
    ]);
  });

  test("a stopped call gives its arguments back", async () => {
    const runtime = timedMachine();
    const [before, during, after] = await inside(runtime, () => {
      const count = new AtomicInt();
      const { table, index } = count as unknown as SharedObject;
      const refs = (): number => runtime.machine.i32[table.baseOf(index) + O_REFS];
      const first = refs();
      const timer = afterFunc(10, note as never, { count });
      const second = refs();
      timer.stop();
      return [first, second, refs()];
    });
    expect([before, during, after]).toEqual([1, 2, 1]);
  });

  test("a timer cannot be sent", async () => {
    const runtime = timedMachine();
    const timer = await inside(runtime, (): Timer => afterFunc(10, note));
    expect(() => runtime.host.spawn(note as never, [timer])).toThrow(CloneError);
  });

  test("records of dropped timers come back, those that are to fire yet do", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const runtime = timedMachine();
    const { memory } = runtime;
    const ever = (): number => memory.i32[memory.layout.pools + POOL_TIMER * POOL_WORDS + POOL_BUMP];
    let fired = 0;
    for (let round = 0; round < 20; round++) {
      await inside(runtime, () => {
        for (let i = 0; i < 200; i++) afterFunc(5, note).stop();
        for (let i = 0; i < 200; i++) afterFunc(5, note);
      });
      await turn();
      collect();
      for (let i = 0; i < 5; i++) await turn();
      await runtime.advance(5);
      fired += log.length;
    }
    expect(fired).toBe(4000);
    // Of 8000. How soon they come back is the garbage collector's business.
    expect(ever()).toBeLessThan(4000);
  });
});
