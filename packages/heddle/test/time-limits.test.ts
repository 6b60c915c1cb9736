// `timeout` and `killAfter` of spawnWith.

import { AtomicInt, chan, DeadlineExceededError, type Handle, MachineLostError } from "heddle";
import { describe, expect, test } from "vitest";
import * as bodies from "./limit-bodies.mjs";
import { eventually, rejection, withRuntime } from "./support/runtimes.ts";

const LIMIT_MS = 60_000;
const four = { procs: 4 };

describe("timeout", { timeout: LIMIT_MS }, () => {
  test("cancels a goroutine that waits; it cleans up, and its joiner is told why", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const cleaned = chan<string>(1);
        const error = (await rejection(
          runtime.spawnWith({ timeout: 20, killAfter: 30_000 }, bodies.waitsLong, cleaned),
        )) as Error;
        expect(error).toBeInstanceOf(DeadlineExceededError);
        expect(error.message).toBe("context deadline exceeded");
        expect((error.cause as Error).message).toMatch(
          /^goroutine \d+ has run for longer than its timeout of 20 ms$/,
        );
        expect(await cleaned.recv()).toBe("cleaned");
      }),
    );
  });

  test("without killAfter a body that does not listen goes on to its end", async () => {
    await withRuntime(four, async (runtime) => {
      expect(await runtime.spawnWith({ timeout: 1 }, bodies.computesFor, 60)).toBe("done");
    });
  });

  test("counts from the call of the body: what waits for a processor is not told", async () => {
    await withRuntime({ procs: 1, maxMachines: 1 }, async (runtime) => {
      const first = runtime.spawn(bodies.computesFor, 150);
      const second = runtime.spawnWith({ timeout: 100, killAfter: 20_000 }, bodies.computesFor, 1);
      expect(await Promise.all([first, second])).toEqual(["done", "done"]);
    });
  });

  test("is the deadline of the goroutine's own context", async () => {
    await withRuntime(four, async (runtime) => {
      const left = (await runtime.spawnWith({ timeout: 50_000 }, bodies.deadline)) as number;
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(50_000);
    });
  });

  test("what it has started and leaves behind is not touched", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const [homes, goOn] = [chan<number>(1), chan<number>(1)];
        const [child] = (await runtime.spawnWith(
          { timeout: 30, killAfter: 10 },
          bodies.leavesChild,
          homes,
          goOn,
        )) as [Handle<number>];
        await homes.recv();
        await runtime.spawn(bodies.computesFor, 100);
        await goOn.send(1);
        expect(await child).toEqual(expect.any(Number));
      }),
    );
  });
});

describe("killAfter", { timeout: LIMIT_MS }, () => {
  test("ends the thread of a body that defies its cancellation, and only what lives there", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const [homes, goOn] = [chan<number>(16), chan<never>()];
        const live = Array.from({ length: 12 }, () => runtime.spawn(bodies.lives, homes, goOn));
        const there: (number | undefined)[] = [];
        for (const _ of live) there.push(await homes.recv());
        const starts = new AtomicInt();
        const handle = runtime.spawnWith(
          { timeout: 20, killAfter: 20, retry: 5, name: "stubborn" },
          bodies.defies,
          starts,
          homes,
        );
        const dead = await homes.recv();
        const error = (await rejection(handle)) as Error;
        const reason = new RegExp(
          `its thread was ended for goroutine ${handle.id} \\(stubborn\\), which went on for 20 ms after it had been cancelled for its timeout of 20 ms`,
        );
        expect(error).toBeInstanceOf(MachineLostError);
        expect(error.message).toMatch(reason);
        expect(error.cause).toBeInstanceOf(DeadlineExceededError);
        goOn.close();
        const outcomes = await Promise.allSettled(live.map((each) => Promise.resolve(each)));
        const survivors = outcomes.filter(({ status }) => status === "fulfilled");
        expect(survivors).toHaveLength(there.filter((thread) => thread !== dead).length);
        for (const outcome of outcomes)
          if (outcome.status === "rejected") expect((outcome.reason as Error).message).toMatch(reason);
        // It was its own time that was over: it is not run again.
        expect(starts.load()).toBe(1);
        expect(await runtime.run(bodies.fib, 12)).toBe(144);
        await eventually(() => runtime.numGoroutine() === 0);
      }),
    );
  });

  test("also one that hangs in its own clean-up", async () => {
    await withRuntime(four, async (runtime) => {
      const error = await rejection(runtime.spawnWith({ timeout: 10, killAfter: 10 }, bodies.lingers));
      expect(error).toBeInstanceOf(MachineLostError);
      expect(await runtime.run(bodies.fib, 10)).toBe(55);
    });
  });

  test("a body that listens ends by itself, and its thread lives on", async () => {
    await withRuntime({ procs: 1, maxMachines: 1 }, (runtime) =>
      runtime.enter(async () => {
        const [homes, goOn] = [chan<number>(1), chan<never>()];
        const neighbour = runtime.spawn(bodies.lives, homes, goOn);
        await homes.recv();
        const handle = runtime.spawnWith({ timeout: 10, killAfter: 20_000 }, bodies.computes);
        expect(await rejection(handle)).toBeInstanceOf(DeadlineExceededError);
        goOn.close();
        expect(await neighbour).toEqual(expect.any(Number));
      }),
    );
  });
});
