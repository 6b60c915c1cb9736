import { describe, expect, test } from "vitest";
import { MisuseError } from "../../src/base/errors.ts";
import { show } from "../../src/base/show.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { Semaphore } from "../../src/sync/semaphore.ts";
import { body, type SingleMachine, singleMachine } from "../support/single-machine.ts";
import { interrupt, reasons } from "./parked.ts";

async function made(runtime: SingleMachine, permits: number): Promise<Semaphore> {
  const make = body(function* make(n: number): Goroutine<Semaphore> {
    return new Semaphore(n);
  });
  return (await runtime.run(make, permits)) as Semaphore;
}

describe("a semaphore", () => {
  test("gives out as many permits as there are", async () => {
    const semaphore = await made(singleMachine(), 3);
    expect([semaphore.tryAcquire(2), semaphore.tryAcquire(2), semaphore.tryAcquire()]).toEqual([
      true,
      false,
      true,
    ]);
    expect(semaphore.tryAcquire(0)).toBe(true);
    semaphore.release(3);
    expect(semaphore.tryAcquire(3)).toBe(true);
  });

  test("lets no more in than there are permits", async () => {
    let inside = 0;
    let most = 0;
    const worker = body(function* worker(semaphore: Semaphore): Goroutine<void> {
      for (let i = 0; i < 10; i++) {
        yield* semaphore.acquire();
        most = Math.max(most, ++inside);
        yield* gosched();
        inside--;
        semaphore.release();
      }
    });
    const main = body(function* main(): Goroutine<number> {
      const semaphore = new Semaphore(3);
      const workers = Array.from({ length: 8 }, () => spawn(worker, semaphore));
      for (const handle of workers) yield* handle;
      return most;
    });
    expect(await singleMachine().run(main)).toBe(3);
  });

  test("serves in order: a large request is not overtaken by smaller ones, nor by tryAcquire", async () => {
    const runtime = singleMachine();
    const semaphore = await made(runtime, 3);
    const served: number[] = [];
    await semaphore.acquire(2);
    const requests = [3, 1, 2].map((n) => semaphore.acquire(n).then(() => served.push(n)));
    await runtime.settle();
    expect([semaphore.tryAcquire(), semaphore.tryAcquire(0)]).toEqual([false, false]);
    semaphore.release(1);
    await runtime.settle();
    expect(served).toEqual([]);
    semaphore.release(1);
    await runtime.settle();
    expect(served).toEqual([3]);
    semaphore.release(3);
    await Promise.all(requests);
    expect(served).toEqual([3, 1, 2]);
    expect(semaphore.tryAcquire()).toBe(false);
  });

  test("takes no more back than it gave out", async () => {
    const runtime = singleMachine();
    const semaphore = await made(runtime, 2);
    expect(() => semaphore.release()).toThrow(new MisuseError("semaphore: released more than held"));
    semaphore.tryAcquire(2);
    expect(() => semaphore.release(3)).toThrow("semaphore: released more than held");
    const waiting = semaphore.acquire(2);
    const served = waiting.then(() => true);
    await runtime.settle();
    expect(() => semaphore.release(2 ** 31 - 1)).toThrow("semaphore: released more than held");
    semaphore.release(2);
    expect(await served).toBe(true);
  });

  test("leaves a request for more than there are waiting, without holding off others", async () => {
    const runtime = singleMachine();
    const semaphore = await made(runtime, 2);
    const greedy = body(function* greedy(it: Semaphore): Goroutine<void> {
      yield* it.acquire(3);
    });
    const outcome = runtime.host.run(greedy as never, [semaphore]);
    await runtime.settle();
    expect(reasons(runtime)).toEqual(["semacquire"]);
    await semaphore.acquire(2);
    semaphore.release(2);
    await runtime.settle();
    expect(reasons(runtime)).toEqual(["semacquire"]);
    expect(interrupt(runtime, "semacquire", new Error("cancelled"))).toBe(true);
    await runtime.settle();
    await expect(outcome).rejects.toThrow("cancelled");
  });

  test("serves those behind a request that is cancelled", async () => {
    const runtime = singleMachine();
    const semaphore = await made(runtime, 2);
    await semaphore.acquire(1);
    const large = body(function* large(it: Semaphore): Goroutine<void> {
      yield* it.acquire(2);
    });
    const outcome = runtime.host.run(large as never, [semaphore]);
    await runtime.settle();
    const small = semaphore.acquire(1).then(() => "served");
    await runtime.settle();
    expect(interrupt(runtime, "semacquire", new Error("cancelled"))).toBe(true);
    await runtime.settle();
    expect(await small).toBe("served");
    await expect(outcome).rejects.toThrow("cancelled");
    semaphore.release(2);
    expect(semaphore.tryAcquire(2)).toBe(true);
  });

  test("keeps the permits with one that was served before it was cancelled", async () => {
    const runtime = singleMachine();
    const semaphore = await made(runtime, 1);
    semaphore.tryAcquire();
    const taking = body(function* taking(it: Semaphore): Goroutine<string> {
      yield* it.acquire();
      return "served";
    });
    const outcome = runtime.host.run(taking as never, [semaphore]);
    await runtime.settle();
    semaphore.release();
    expect(interrupt(runtime, "semacquire", new Error("cancelled"))).toBe(false);
    await runtime.settle();
    expect(await outcome).toBe("served");
    expect(semaphore.tryAcquire()).toBe(false);
  });

  test("may have no permits, or as many as a 32-bit word counts", async () => {
    const runtime = singleMachine();
    expect((await made(runtime, 0)).tryAcquire()).toBe(false);
    const many = await made(runtime, 2 ** 31 - 1);
    expect(many.tryAcquire(2 ** 31 - 1)).toBe(true);
    expect(many.tryAcquire()).toBe(false);
    many.release(2 ** 31 - 1);
    expect(() => many.release()).toThrow("semaphore: released more than held");
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 31, Number.POSITIVE_INFINITY, "1" as never])(
    "refuses %s permits",
    async (n) => {
      const semaphore = await made(singleMachine(), 1);
      const text = `must be an integer from 0 to 2147483647, not ${show(n)}`;
      expect(() => new Semaphore(n)).toThrow(new RangeError(`Semaphore: permits ${text}`));
      expect(() => semaphore.acquire(n)).toThrow(new RangeError(`Semaphore.acquire: n ${text}`));
      expect(() => semaphore.tryAcquire(n)).toThrow(new RangeError(`Semaphore.tryAcquire: n ${text}`));
      expect(() => semaphore.release(n)).toThrow(new RangeError(`Semaphore.release: n ${text}`));
    },
  );

  test("travels by reference, nested in objects", async () => {
    const worker = body(function* worker([{ semaphore }]: [{ semaphore: Semaphore }]): Goroutine<boolean> {
      return semaphore.tryAcquire(2);
    });
    const main = body(function* main(): Goroutine<boolean[]> {
      const semaphore = new Semaphore(3);
      const taken = yield* spawn(worker, [{ semaphore }] as [{ semaphore: Semaphore }]);
      return [taken, semaphore.tryAcquire(2), semaphore.tryAcquire()];
    });
    expect(await singleMachine().run(main)).toEqual([true, false, true]);
  });
});
