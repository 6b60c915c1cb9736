import { describe, expect, test } from "vitest";
import { show } from "../../src/base/show.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { Barrier } from "../../src/sync/barrier.ts";
import { body, type SingleMachine, singleMachine } from "../support/single-machine.ts";
import { interrupt, reasons } from "./parked.ts";

async function made(runtime: SingleMachine, parties: number): Promise<Barrier> {
  const make = body(function* make(n: number): Goroutine<Barrier> {
    return new Barrier(n);
  });
  return (await runtime.run(make, parties)) as Barrier;
}

describe("a barrier", () => {
  test("lets nobody into a round before all have ended the one before, and tells one of them", async () => {
    const PARTIES = 4;
    const ROUNDS = 5;
    const arrived = Array.from({ length: ROUNDS }, () => 0);
    const told = Array.from({ length: ROUNDS }, () => 0);
    const worker = body(function* worker(barrier: Barrier, number: number): Goroutine<void> {
      for (let round = 0; round < ROUNDS; round++) {
        for (let i = 0; i < number; i++) yield* gosched();
        arrived[round]++;
        if (yield* barrier.wait()) told[round]++;
        expect(arrived[round]).toBe(PARTIES);
      }
    });
    const main = body(function* main(): Goroutine<void> {
      const barrier = new Barrier(PARTIES);
      const workers = Array.from({ length: PARTIES }, (_, number) => spawn(worker, barrier, number));
      for (const handle of workers) yield* handle;
    });
    await singleMachine().run(main);
    expect(told).toEqual([1, 1, 1, 1, 1]);
  });

  test("of one party never waits", async () => {
    const barrier = await made(singleMachine(), 1);
    expect([await barrier.wait(), await barrier.wait()]).toEqual([true, true]);
  });

  test("does not count one that is cancelled", async () => {
    const runtime = singleMachine();
    const barrier = await made(runtime, 3);
    const waiting = body(function* waiting(it: Barrier): Goroutine<boolean> {
      return yield* it.wait();
    });
    const start = (): Promise<unknown> => runtime.host.run(waiting as never, [barrier]);
    const first = start();
    await runtime.settle();
    const second = start();
    await runtime.settle();
    expect(reasons(runtime)).toEqual(["sync.Barrier.Wait", "sync.Barrier.Wait"]);
    expect(interrupt(runtime, "sync.Barrier.Wait", new Error("cancelled"))).toBe(true);
    await runtime.settle();
    await expect(first).rejects.toThrow("cancelled");
    const third = start();
    await runtime.settle();
    expect(reasons(runtime).length).toBe(2);
    const fourth = start();
    await runtime.settle();
    expect([await second, await third, await fourth]).toEqual([false, false, true]);
  });

  test("lets one through that was let through before it was cancelled", async () => {
    const runtime = singleMachine();
    const barrier = await made(runtime, 2);
    const waiting = body(function* waiting(it: Barrier): Goroutine<boolean> {
      return yield* it.wait();
    });
    const outcome = runtime.host.run(waiting as never, [barrier]);
    await runtime.settle();
    expect(await barrier.wait()).toBe(true);
    expect(interrupt(runtime, "sync.Barrier.Wait", new Error("cancelled"))).toBe(false);
    await runtime.settle();
    expect(await outcome).toBe(false);
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 31, "2" as never])("refuses %s parties", async (parties) => {
    singleMachine();
    expect(() => new Barrier(parties)).toThrow(
      new RangeError(`Barrier: parties must be an integer from 1 to 2147483647, not ${show(parties)}`),
    );
  });

  test("travels by reference, nested in objects", async () => {
    const worker = body(function* worker({ at }: { at: Set<Barrier> }): Goroutine<boolean> {
      const [barrier] = at;
      return yield* barrier.wait();
    });
    const main = body(function* main(): Goroutine<boolean[]> {
      const barrier = new Barrier(2);
      const other = spawn(worker, { at: new Set([barrier]) });
      return [yield* barrier.wait(), yield* other].sort();
    });
    expect(await singleMachine().run(main)).toEqual([false, true]);
  });
});
