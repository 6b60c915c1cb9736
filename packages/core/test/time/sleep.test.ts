import { describe, expect, test } from "vitest";
import { POOL_BUMP, POOL_TIMER, POOL_WORDS } from "../../src/memory/layout.ts";
import type { SharedMemory } from "../../src/memory/shared-memory.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { sleep } from "../../src/time/sleep.ts";
import { hasPendingTimers } from "../../src/time/timers.ts";
import { body } from "../support/single-machine.ts";
import { timedMachine } from "../support/timed-machine.ts";

let log: string[] = [];

const sleeper = body(function* sleeper(name: string, ms: number): Goroutine<void> {
  yield* sleep(ms);
  log.push(name);
});

const starter = body(function starter(...sleeps: [string, number][]): void {
  log = [];
  for (const [name, ms] of sleeps) spawn(sleeper, name, ms);
});

describe("sleep", () => {
  test("ends when its time has come, not before, in the order of the times", async () => {
    const { run, advance } = timedMachine();
    await run(starter, ["30", 30], ["10", 10], ["20.5", 20.5]);
    await advance(9.999);
    expect(log).toEqual([]);
    await advance(0.001);
    expect(log).toEqual(["10"]);
    await advance(10.4);
    expect(log).toEqual(["10"]);
    await advance(0.1);
    expect(log).toEqual(["10", "20.5"]);
    await advance(1000);
    expect(log).toEqual(["10", "20.5", "30"]);
  });

  test("sleepers of one time go on in the order in which they began", async () => {
    const { run, advance } = timedMachine();
    const names = Array.from({ length: 300 }, (_, i) => `${i}`);
    const began: string[] = [];
    const first = body(function first(): void {
      log = [];
      for (const name of names) spawn(watched, name);
    });
    const watched = body(function* watched(name: string): Goroutine<void> {
      began.push(name);
      yield* sleep(5);
      log.push(name);
    });
    await run(first);
    await advance(5);
    expect(log).toEqual(began);
    expect(log).toHaveLength(names.length);
  });

  test.each([0, -0, -1, Number.NEGATIVE_INFINITY])("%d ms is no wait at all", async (ms) => {
    const { run, memory } = timedMachine();
    const main = body(function* main(): Goroutine<string> {
      yield* sleep(ms);
      return "at once";
    });
    expect(await run(main)).toBe("at once");
    expect(hasPendingTimers(memory)).toBe(false);
  });

  test.each([Number.POSITIVE_INFINITY, Number.MAX_VALUE, 2 ** 60])("%d ms is for ever", async (ms) => {
    const { run, advance, memory } = timedMachine();
    await run(starter, ["never", ms]);
    await advance(1e12);
    expect(log).toEqual([]);
    expect(hasPendingTimers(memory)).toBe(true);
  });

  test.each([
    [Number.NaN, RangeError, "sleep: ms must be a number of milliseconds, not NaN"],
    ["10", TypeError, 'sleep: ms must be a number of milliseconds, not "10"'],
    [undefined, TypeError, "sleep: ms must be a number of milliseconds, not undefined (undefined)"],
    [10n, TypeError, "sleep: ms must be a number of milliseconds, not 10n (bigint)"],
  ] as const)("%s is refused when sleep is called", async (ms, errorClass, message) => {
    const { run } = timedMachine();
    const main = body(function main(): unknown {
      try {
        sleep(ms as number);
      } catch (error) {
        return error instanceof errorClass ? (error as Error).message : error;
      }
      return "accepted";
    });
    expect(await run(main)).toBe(message);
  });

  test("works with await, in a body and on the host", async () => {
    const { run, advance, host, machine } = timedMachine();
    const waiting = body(async function waiting(): Promise<string> {
      await sleep(3);
      return "awake";
    });
    const started = host.run(waiting as never, []);
    await advance(0);
    await advance(3);
    expect(await started).toBe("awake");
    const { becomeMachine, setHostResolver } = await import("../../src/scheduler/thread/ambient.ts");
    becomeMachine(undefined);
    setHostResolver(() => host);
    const onHost = sleep(7).then(() => "host awake");
    becomeMachine(machine);
    await advance(7);
    expect(await onHost).toBe("host awake");
    await run(starter);
  });

  test("records come back", async () => {
    const { run, advance, memory } = timedMachine();
    for (let round = 0; round < 5; round++) {
      await run(starter, ...Array.from({ length: 100 }, (_, i): [string, number] => [`${i}`, i / 10 + 0.1]));
      await advance(10);
      expect(log).toHaveLength(100);
    }
    expect(hasPendingTimers(memory)).toBe(false);
    expect(timersEverUsed(memory)).toBeLessThanOrEqual(200);
  });

  test("the operation abandons its timer", async () => {
    const { run, advance, memory } = timedMachine();
    const main = body(function main(): boolean[] {
      const operation = sleep(50) as unknown as { enqueue(g: number): boolean; abandon(): boolean };
      operation.enqueue(1);
      return [operation.abandon(), operation.abandon()];
    });
    expect(await run(main)).toEqual([true, false]);
    expect(hasPendingTimers(memory)).toBe(false);
    await advance(100);
  });
});

/** Timers that were ever taken from the pool: whole batches. */
function timersEverUsed({ i32, layout }: SharedMemory): number {
  return i32[layout.pools + POOL_TIMER * POOL_WORDS + POOL_BUMP] - 1;
}
