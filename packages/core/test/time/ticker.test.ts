import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { CloneError } from "../../src/base/errors.ts";
import { chan } from "../../src/channel/channel.ts";
import { select } from "../../src/channel/select.ts";
import type { RecvChan } from "../../src/channel/types.ts";
import { POOL_BUMP, POOL_TIMER, POOL_WORDS } from "../../src/memory/layout.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { after, Ticker } from "../../src/time/ticker.ts";
import { hasPendingTimers } from "../../src/time/timers.ts";
import { body } from "../support/single-machine.ts";
import { type TimedMachine, timedMachine } from "../support/timed-machine.ts";

let times: number[] = [];

/** Runs `step` inside a goroutine of the machine. */
async function inside<R>({ run }: TimedMachine, step: () => R): Promise<R> {
  let result: R | undefined;
  const runStep = body(function runStep(): void {
    result = step();
  });
  await run(runStep);
  return result as R;
}

/** Notes, by the test's clock, when something is received. */
function receiver(now: () => number): (c: RecvChan<number>) => Goroutine<void> {
  return body(function* receive(c: RecvChan<number>): Goroutine<void> {
    times = [];
    for (;;) {
      yield* c.recv();
      times.push(now());
    }
  });
}

describe("after", () => {
  test("receives the time of the day, once", async () => {
    const runtime = timedMachine();
    const main = body(function* main(): Goroutine<number | undefined> {
      return yield* after(20).recv();
    });
    const before = Date.now();
    const received = runtime.host.run(main as never, []);
    await runtime.settle();
    await runtime.advance(20);
    const time = await received;
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
    expect(hasPendingTimers(runtime.memory)).toBe(false);
  });

  test("keeps its time for a receiver that comes later, and shows no buffer", async () => {
    const runtime = timedMachine();
    const channel = await inside(runtime, () => after(5));
    expect([channel.length, channel.capacity]).toEqual([0, 0]);
    await runtime.advance(5);
    expect([channel.length, channel.capacity]).toEqual([0, 0]);
    expect(channel.tryRecv()?.[1]).toBe(true);
    await runtime.advance(100);
    expect(channel.tryRecv()).toBeUndefined();
  });

  test.each([0, -1, Number.NEGATIVE_INFINITY])("%s ms is at once", async (ms) => {
    const runtime = timedMachine();
    const channel = await inside(runtime, () => after(ms));
    expect(channel.tryRecv()?.[1]).toBe(true);
  });

  test("ends a select that would wait too long", async () => {
    const runtime = timedMachine();
    const main = body(function* main(): Goroutine<number> {
      return (yield* select(chan<number>().recv(), after(50).recv(), after(10).recv())).index;
    });
    const index = runtime.host.run(main as never, []);
    await runtime.settle();
    await runtime.advance(10);
    expect(await index).toBe(2);
  });

  test.each([
    [Number.NaN, "RangeError: after: ms must be a number of milliseconds, not NaN"],
    ["1", 'TypeError: after: ms must be a number of milliseconds, not "1"'],
  ])("%s is refused", async (ms, message) => {
    const call = (): unknown => {
      try {
        return after(ms as number);
      } catch (error) {
        return String(error);
      }
    };
    expect(await inside(timedMachine(), call)).toBe(message);
  });
});

describe("a ticker", () => {
  test("ticks at multiples of its period, fractions included", async () => {
    const runtime = timedMachine(0);
    await inside(runtime, () => void spawn(receiver(runtime.now), new Ticker(2.5).c));
    for (let i = 0; i < 40; i++) await runtime.advance(0.25);
    expect(times).toEqual([2.5, 5, 7.5, 10]);
  });

  test("late ticks do not push back those that follow", async () => {
    const runtime = timedMachine(0);
    await inside(runtime, () => void spawn(receiver(runtime.now), new Ticker(10).c));
    for (const ms of [13, 13, 13, 13]) await runtime.advance(ms);
    await runtime.advance(8);
    // Due at 10, 20, 30, 40 (seen at 13, 26, 39, 52), 50 (skipped) and 60.
    expect(times).toEqual([13, 26, 39, 52, 60]);
  });

  test("missed ticks are skipped, not queued", async () => {
    const runtime = timedMachine(0);
    const ticker = await inside(runtime, () => new Ticker(10));
    await runtime.advance(95);
    expect(ticker.c.tryRecv()?.[1]).toBe(true);
    expect(ticker.c.tryRecv()).toBeUndefined();
    await runtime.advance(5);
    expect(ticker.c.tryRecv()?.[1]).toBe(true);
    for (let i = 0; i < 5; i++) await runtime.advance(10);
    expect(ticker.c.tryRecv()?.[1]).toBe(true);
    expect(ticker.c.tryRecv()).toBeUndefined();
  });

  test("after many periods missed by rounding the next tick is in the future", async () => {
    const runtime = timedMachine(0.1);
    const ticker = await inside(runtime, () => new Ticker(0.1));
    for (let i = 0; i < 200; i++) {
      await runtime.advance(0.1 + (i % 7) * 0.1);
      ticker.c.tryRecv();
      expect(runtime.sysmon.timers.next(0)).toBeGreaterThan(runtime.now());
    }
  });

  test("after stop nothing is received, not even a tick that was waiting", async () => {
    const runtime = timedMachine();
    const ticker = await inside(runtime, () => new Ticker(10));
    await runtime.advance(10);
    ticker.stop();
    expect(ticker.c.tryRecv()).toBeUndefined();
    await runtime.advance(100);
    expect(ticker.c.tryRecv()).toBeUndefined();
    expect(hasPendingTimers(runtime.memory)).toBe(false);
    ticker.stop();
  });

  test("reset drops what was waiting and starts a new period", async () => {
    const runtime = timedMachine();
    const ticker = await inside(runtime, () => new Ticker(10));
    await runtime.advance(10);
    ticker.reset(30);
    expect(ticker.c.tryRecv()).toBeUndefined();
    await runtime.advance(29.9);
    expect(ticker.c.tryRecv()).toBeUndefined();
    await runtime.advance(0.1);
    expect(ticker.c.tryRecv()?.[1]).toBe(true);
    ticker.stop();
    ticker.reset(5);
    await runtime.advance(5);
    expect(ticker.c.tryRecv()?.[1]).toBe(true);
    ticker.stop();
  });

  test.each([0, -1, Number.NaN, "5"])("%s is no period", async (ms) => {
    const messages = await inside(timedMachine(), () => {
      const ticker = new Ticker(1);
      return [() => new Ticker(ms as number), () => ticker.reset(ms as number)].map((call) => {
        try {
          return call();
        } catch (error) {
          return String(error);
        }
      });
    });
    const what =
      typeof ms === "string" || Number.isNaN(ms)
        ? "must be a number of milliseconds"
        : "non-positive interval for";
    expect(messages).toEqual([expect.stringContaining(what), expect.stringContaining(what)]);
  });

  test("cannot be sent; its channel can", async () => {
    const runtime = timedMachine();
    const ticker = await inside(runtime, () => new Ticker(10));
    const take = body(function take(_value: unknown): void {});
    expect(() => runtime.machine.spawn(take as never, [ticker])).toThrow(CloneError);
    runtime.machine.spawn(take as never, [ticker.c]);
    await runtime.settle();
    ticker.stop();
  });
});

describe("channels and timers that nobody holds", () => {
  const collect = ((): (() => void) => {
    setFlagsFromString("--expose-gc");
    return runInNewContext("gc") as () => void;
  })();

  async function collectAll(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await turn();
      collect();
      await turn();
    }
  }

  test("a running ticker is stopped, and its records come back", async () => {
    const runtime = timedMachine();
    await inside(runtime, () => {
      for (let i = 0; i < 50; i++) new Ticker(10 + i);
    });
    await runtime.advance(100);
    // The engine may keep the last of them a little longer, on a stack or in a cache.
    for (let round = 0; round < 50 && hasPendingTimers(runtime.memory); round++) await collectAll();
    expect(hasPendingTimers(runtime.memory)).toBe(false);
  });

  test("a timer of an after that nobody can receive from does not wait for its time", async () => {
    const runtime = timedMachine();
    const { memory } = runtime;
    const ever = (): number => memory.i32[memory.layout.pools + POOL_TIMER * POOL_WORDS + POOL_BUMP];
    for (let round = 0; round < 10; round++) {
      await inside(runtime, () => {
        for (let i = 0; i < 200; i++) after(3_600_000);
      });
      await collectAll();
    }
    expect(hasPendingTimers(memory)).toBe(false);
    expect(ever()).toBeLessThan(1000);
  });

  test("one that somebody waits for stays", async () => {
    const runtime = timedMachine();
    const main = body(function* main(): Goroutine<string> {
      yield* after(1000).recv();
      return "received";
    });
    const received = runtime.host.run(main as never, []);
    await runtime.settle();
    await collectAll();
    await runtime.advance(1000);
    expect(await received).toBe("received");
  });
});
