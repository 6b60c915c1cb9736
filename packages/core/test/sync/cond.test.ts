import { describe, expect, test } from "vitest";
import { MisuseError } from "../../src/base/errors.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { Cond } from "../../src/sync/cond.ts";
import { Mutex } from "../../src/sync/mutex.ts";
import { body, type SingleMachine, singleMachine } from "../support/single-machine.ts";
import { interrupt, reasons } from "./parked.ts";

async function made(runtime: SingleMachine): Promise<Cond> {
  const make = body(function* make(): Goroutine<Cond> {
    return new Cond(new Mutex());
  });
  return (await runtime.run(make)) as Cond;
}

/** Starts waiters one after the other; each notes its number when it goes on. */
async function waiters(
  runtime: SingleMachine,
  cond: Cond,
  count: number,
  order: number[],
): Promise<Promise<unknown>[]> {
  const waiter = body(function* waiter(it: Cond, number: number): Goroutine<void> {
    using _ = yield* it.mutex.lock();
    yield* it.wait();
    expect(it.mutex.tryLock()).toBe(false);
    order.push(number);
  });
  const started: Promise<unknown>[] = [];
  for (let number = 0; number < count; number++) {
    started.push(runtime.host.run(waiter as never, [cond, number]));
    await runtime.settle();
  }
  return started;
}

describe("a condition", () => {
  test("signal wakes one, the one that has waited longest", async () => {
    const runtime = singleMachine();
    const cond = await made(runtime);
    const order: number[] = [];
    void (await waiters(runtime, cond, 3, order));
    expect(reasons(runtime)).toEqual(["sync.Cond.Wait", "sync.Cond.Wait", "sync.Cond.Wait"]);
    for (let number = 0; number < 3; number++) {
      cond.signal();
      await runtime.settle();
      expect(order).toEqual([0, 1, 2].slice(0, number + 1));
    }
    cond.signal();
    cond.broadcast();
  });

  test("broadcast wakes all, in order", async () => {
    const runtime = singleMachine();
    const cond = await made(runtime);
    const order: number[] = [];
    const started = await waiters(runtime, cond, 4, order);
    cond.broadcast();
    await runtime.settle();
    await Promise.all(started);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  test("a signal with the mutex held lets the waiter go on when it is free", async () => {
    const runtime = singleMachine();
    const cond = await made(runtime);
    const order: number[] = [];
    void (await waiters(runtime, cond, 1, order));
    expect(cond.mutex.tryLock()).toBe(true);
    cond.signal();
    await runtime.settle();
    expect(order).toEqual([]);
    expect(reasons(runtime)).toEqual(["sync.Mutex.Lock"]);
    cond.mutex.unlock();
    await runtime.settle();
    expect(order).toEqual([0]);
  });

  test("a signal before the wait is not kept", async () => {
    const runtime = singleMachine();
    const cond = await made(runtime);
    cond.signal();
    const order: number[] = [];
    void (await waiters(runtime, cond, 1, order));
    expect(order).toEqual([]);
  });

  test("carries a bounded buffer between producers and consumers", async () => {
    const buffer: number[] = [];
    const consumed: number[] = [];
    const producer = body(function* producer(notFull: Cond, notEmpty: Cond, first: number): Goroutine<void> {
      for (let i = 0; i < 25; i++) {
        using _ = yield* notFull.mutex.lock();
        while (buffer.length === 3) yield* notFull.wait();
        buffer.push(first + i);
        notEmpty.signal();
      }
    });
    const consumer = body(function* consumer(notFull: Cond, notEmpty: Cond): Goroutine<void> {
      for (let i = 0; i < 25; i++) {
        using _ = yield* notEmpty.mutex.lock();
        while (buffer.length === 0) yield* notEmpty.wait();
        consumed.push(buffer.shift() as number);
        notFull.signal();
        yield* gosched();
      }
    });
    const main = body(function* main(): Goroutine<void> {
      const mu = new Mutex();
      const [notFull, notEmpty] = [new Cond(mu), new Cond(mu)];
      const all = [0, 1].flatMap((n) => [
        spawn(consumer, notFull, notEmpty),
        spawn(producer, notFull, notEmpty, n * 100),
      ]);
      for (const handle of all) yield* handle;
    });
    await singleMachine().run(main);
    const expected = Array.from({ length: 25 }, (_, i) => [i, 100 + i]).flat();
    expect([...consumed].sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b));
    for (const first of [0, 100]) {
      const own = consumed.filter((n) => Math.floor(n / 100) * 100 === first);
      expect(own).toEqual([...own].sort((a, b) => a - b));
    }
  });

  test("wants its mutex held", async () => {
    const runtime = singleMachine();
    const cond = await made(runtime);
    const main = body(function* main(it: Cond): Goroutine<void> {
      yield* it.wait();
    });
    await expect(runtime.run(main, cond)).rejects.toThrow(new MisuseError("sync: unlock of unlocked mutex"));
    await expect(Promise.resolve(cond.wait())).rejects.toThrow("sync: unlock of unlocked mutex");
    expect(cond.mutex.tryLock()).toBe(true);
    expect(() => new Cond({} as Mutex)).toThrow(new TypeError("Cond: mutex must be a Mutex, not object"));
    expect(() => new Cond(undefined as never)).toThrow(
      new TypeError("Cond: mutex must be a Mutex, not undefined"),
    );
  });

  test("is waited for on the host and in async bodies", async () => {
    const runtime = singleMachine();
    const cond = await made(runtime);
    const worker = body(async function worker(it: Cond): Promise<boolean> {
      using _ = await it.mutex.lock();
      await it.wait();
      return it.mutex.tryLock();
    });
    const other = runtime.host.run(worker as never, [cond]);
    await runtime.settle();
    await cond.mutex.lock();
    const here = cond.wait().then(() => {
      const locked = cond.mutex.tryLock();
      cond.mutex.unlock();
      return locked;
    });
    await runtime.settle();
    expect(cond.mutex.tryLock()).toBe(true);
    cond.broadcast();
    cond.mutex.unlock();
    await runtime.settle();
    expect(await other).toBe(false);
    expect(await here).toBe(false);
  });
});

describe("a cancelled wait", () => {
  test("throws with the mutex held, once it is free", async () => {
    const runtime = singleMachine();
    const cond = await made(runtime);
    let held: boolean | undefined;
    const waiter = body(function* waiter(it: Cond): Goroutine<void> {
      using _ = yield* it.mutex.lock();
      try {
        yield* it.wait();
      } finally {
        held = !it.mutex.tryLock();
      }
    });
    const outcome = runtime.host.run(waiter as never, [cond]);
    await runtime.settle();
    cond.mutex.tryLock();
    expect(interrupt(runtime, "sync.Cond.Wait", new Error("cancelled"))).toBe(true);
    await runtime.settle();
    expect(held).toBe(undefined);
    expect(interrupt(runtime, "sync.Mutex.Lock", new Error("again"))).toBe(false);
    cond.mutex.unlock();
    await runtime.settle();
    await expect(outcome).rejects.toThrow("cancelled");
    expect(held).toBe(true);
    expect(cond.mutex.tryLock()).toBe(true);
  });

  test("leaves its turn to the next", async () => {
    const runtime = singleMachine();
    const cond = await made(runtime);
    const order: number[] = [];
    const [first] = await waiters(runtime, cond, 2, order);
    expect(interrupt(runtime, "sync.Cond.Wait", new Error("cancelled"))).toBe(true);
    cond.signal();
    await runtime.settle();
    await expect(first).rejects.toThrow("cancelled");
    expect(order).toEqual([1]);
  });

  test("that was signalled before goes through", async () => {
    const runtime = singleMachine();
    const cond = await made(runtime);
    const order: number[] = [];
    void (await waiters(runtime, cond, 1, order));
    cond.signal();
    expect(interrupt(runtime, "sync.Cond.Wait", new Error("cancelled"))).toBe(false);
    await runtime.settle();
    expect(order).toEqual([0]);
  });
});

describe("a condition that travels", () => {
  test("takes its mutex along, which is the same as the one sent beside it", async () => {
    const worker = body(function* worker(it: { cond: Cond; mu: Mutex }): Goroutine<boolean[]> {
      return [it.cond.mutex === it.mu, it.cond.mutex.tryLock(), it.mu.tryLock()];
    });
    const main = body(function* main(): Goroutine<unknown[]> {
      const mu = new Mutex();
      const cond = new Cond(mu);
      const there = yield* spawn(worker, { cond, mu });
      return [...there, mu.tryLock()];
    });
    expect(await singleMachine().run(main)).toEqual([true, true, false, false]);
  });
});
