import { setImmediate as turn } from "node:timers/promises";
import { AtomicInt, after, afterFunc, CanceledError, type Runtime, sleep, start } from "heddle";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as bodies from "./time-bodies.mjs";

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

describe.each([1, 2, 4])("timers on %i processors", (procs) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await start({ procs });
    await runtime.run(bodies.quietSleeps, [0.1], 1);
  });
  afterAll(() => runtime.close({ graceMs: 0 }));

  test("10,000 sleepers of 10 ms all end, and none of them early", async () => {
    for (let round = 0; round < 3; round++) {
      expect(await runtime.run(bodies.sleepers, 10_000, 10)).toBeGreaterThanOrEqual(10);
    }
  });

  test("no sleep ends early", async () => {
    const late = await runtime.run(bodies.quietSleeps, [0.3, 1, 2.75], 20);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
  });

  test("sleep(1) behind hogs with checkpoints ends while they go on, and not early", async () => {
    const late = await runtime.run(bodies.sleepBehindHogs, procs * 2, 25);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
  });

  test("while every machine is in a plain body, sysmon runs the timers", async () => {
    await runtime.enter(async () => {
      const [begun, stop, ran] = [new AtomicInt(), new AtomicInt(), new AtomicInt()];
      const busy = Array.from({ length: procs }, () => runtime.spawn(bodies.burnUntil, begun, stop));
      await until(() => begun.load() === procs);
      const began = now();
      await sleep(5);
      const slept = now() - began;
      const time = await after(1).recv();
      const timer = afterFunc(1, bodies.bump, ran);
      // No machine is free to run the function: it is late, but it is not lost.
      stop.store(1);
      await until(() => ran.load() === 1);
      expect(timer.stop()).toBe(false);
      for (const one of busy) await one;
      expect(slept).toBeGreaterThanOrEqual(5);
      expect(time).toBeLessThanOrEqual(Date.now());
    });
  });

  test("sleep can be awaited, and blocks a plain body", async () => {
    expect(await runtime.run(bodies.sleepAwait, 2.5)).toBeGreaterThanOrEqual(2.5);
    expect(await runtime.run(bodies.sleepBlock, 2.5)).toBeGreaterThanOrEqual(2.5);
  });

  test("cancelling ends a sleep", async () => {
    await runtime.enter(async () => {
      const begun = new AtomicInt();
      const sleeper = runtime.spawn(bodies.longSleep, begun);
      await until(() => begun.load() === 1);
      sleeper.cancel();
      await expect(sleeper).rejects.toBeInstanceOf(CanceledError);
    });
  });

  test("a ticker does not drift", async () => {
    const period = 2.5;
    const seen = await runtime.run(bodies.ticks, period, 40);
    // However late single ticks are, none comes before its multiple of the period. (That late ones do not push the next ones back is a unit test, with a clock of its own.)
    for (const [i, at] of seen.entries()) expect(at).toBeGreaterThanOrEqual((i + 1) * period);
  });

  test("a call that is stopped while others fire either runs or was stopped", async () => {
    for (let round = 0; round < 5; round++) {
      const { ran, stopped } = await runtime.run(bodies.stopWhileFiring, 2000);
      expect(ran + stopped).toBe(2000);
    }
  });

  test("timeouts of selects come, one after another", async () => {
    expect(await runtime.run(bodies.timeouts, 200)).toBe(200);
  });

  test("a timer's channel can be received from anywhere", async () => {
    await runtime.enter(async () => {
      const before = Date.now();
      const time = await runtime.run(bodies.receiveOn, after(3));
      // The time of the day is whole milliseconds, of another clock.
      expect(time).toBeGreaterThanOrEqual(before + 2);
      expect(time).toBeLessThanOrEqual(Date.now());
    });
  });
});

test("timers far away wake nobody", async () => {
  const runtime = await start({ procs: 2 });
  await runtime.enter(async () => {
    const begun = new AtomicInt();
    for (let i = 0; i < 100; i++) runtime.spawn(bodies.longSleep, begun);
    await until(() => begun.load() === 100 && runtime.stats().parks >= 100);
    // A thread that was about to be started for the burst may be called off later.
    const happened = () => ({ ...runtime.stats(), machines: undefined });
    const before = happened();
    for (let i = 0; i < 100; i++) await turn();
    expect(happened()).toEqual(before);
  });
  await runtime.close({ graceMs: 0 });
});
