import { describe, expect, test } from "vitest";
import { MisuseError } from "../../src/base/errors.ts";
import { numGoroutine, spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { WaitGroup } from "../../src/sync/wait-group.ts";
import { body, type SingleMachine, singleMachine } from "../support/single-machine.ts";
import { interrupt, reasons } from "./parked.ts";

async function made(runtime: SingleMachine): Promise<WaitGroup> {
  const make = body(function* make(): Goroutine<WaitGroup> {
    return new WaitGroup();
  });
  return (await runtime.run(make)) as WaitGroup;
}

describe("a wait group", () => {
  test("lets all that wait go on when the counter is 0, in order, and those at once that come later", async () => {
    const runtime = singleMachine();
    const wg = await made(runtime);
    const order: number[] = [];
    const waiter = body(function* waiter(it: WaitGroup, number: number): Goroutine<void> {
      yield* it.wait();
      order.push(number);
    });
    wg.add(2);
    for (let number = 0; number < 3; number++) {
      void runtime.host.run(waiter as never, [wg, number]);
      await runtime.settle();
    }
    expect(reasons(runtime)).toEqual(Array(3).fill("sync.WaitGroup.Wait"));
    wg.done();
    await runtime.settle();
    expect(order).toEqual([]);
    wg.done();
    await runtime.settle();
    expect(order).toEqual([0, 1, 2]);
    await wg.wait();
  });

  test("is reused: who waits for the next round is not woken by this one", async () => {
    const rounds: number[] = [];
    const worker = body(function* worker(wg: WaitGroup): Goroutine<void> {
      yield* gosched();
      wg.done();
    });
    const main = body(function* main(): Goroutine<void> {
      const wg = new WaitGroup();
      for (let round = 0; round < 3; round++) {
        wg.add(2);
        spawn(worker, wg);
        spawn(worker, wg);
        yield* wg.wait();
        rounds.push(round);
      }
    });
    await singleMachine().run(main);
    expect(rounds).toEqual([0, 1, 2]);
  });

  test("go counts its goroutine until it has ended", async () => {
    let ran = 0;
    const worker = body(function* worker(): Goroutine<void> {
      yield* gosched();
      ran++;
    });
    const main = body(function* main(): Goroutine<number[]> {
      const wg = new WaitGroup();
      for (let i = 0; i < 5; i++) wg.go(worker);
      yield* wg.wait();
      return [ran, numGoroutine()];
    });
    expect(await singleMachine().run(main)).toEqual([5, 1]);
  });

  test("go that throws leaves the counter as it was", async () => {
    const runtime = singleMachine();
    const wg = await made(runtime);
    const worker = body(function* worker(_f: unknown): Goroutine<void> {});
    expect(() => wg.go(worker, () => {})).toThrow("args[0]");
    await wg.wait();
  });

  test("a counter below zero is refused, and stays", async () => {
    const wg = await made(singleMachine());
    expect(() => wg.done()).toThrow(new MisuseError("sync: negative WaitGroup counter"));
    wg.add(1);
    expect(() => wg.add(-2)).toThrow("sync: negative WaitGroup counter");
    wg.done();
    await wg.wait();
  });

  test("a counter that one done too many brings below zero is the panic of the goroutine that ends", async () => {
    const runtime = singleMachine();
    const worker = body(function* worker(wg: WaitGroup): Goroutine<void> {
      wg.done();
    });
    const main = body(function* main(): Goroutine<void> {
      const wg = new WaitGroup();
      wg.go(worker, wg);
      yield* gosched();
    });
    await runtime.run(main);
    expect(runtime.panics).toEqual([new MisuseError("sync: negative WaitGroup counter")]);
  });

  test.each([0.5, Number.NaN, 2 ** 31, "1" as never])("refuses to add %s", async (delta) => {
    const wg = await made(singleMachine());
    expect(() => wg.add(delta)).toThrow(RangeError);
    wg.add(2 ** 31 - 1);
    expect(() => wg.add(1)).toThrow("WaitGroup.add: the counter would be 2147483648");
  });

  test("a wait that is cancelled leaves the others waiting", async () => {
    const runtime = singleMachine();
    const wg = await made(runtime);
    wg.add(1);
    const waiter = body(function* waiter(it: WaitGroup): Goroutine<string> {
      yield* it.wait();
      return "went on";
    });
    const [first, second] = [0, 1].map(() => runtime.host.run(waiter as never, [wg]));
    await runtime.settle();
    expect(interrupt(runtime, "sync.WaitGroup.Wait", new Error("cancelled"))).toBe(true);
    await runtime.settle();
    await expect(first).rejects.toThrow("cancelled");
    wg.done();
    await runtime.settle();
    expect(await second).toBe("went on");
  });
});
