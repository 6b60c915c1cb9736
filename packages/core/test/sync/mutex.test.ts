import { describe, expect, test } from "vitest";
import { MisuseError } from "../../src/base/errors.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine, Op } from "../../src/scheduler/frames/types.ts";
import { Mutex } from "../../src/sync/mutex.ts";
import { body, singleMachine } from "../support/single-machine.ts";
import { interrupt, reasons } from "./parked.ts";

const UNLOCKED = "sync: unlock of unlocked mutex";

describe("a mutex", () => {
  test("is held by one at a time", async () => {
    let inside = 0;
    let most = 0;
    const worker = body(function* worker(mu: Mutex): Goroutine<void> {
      for (let i = 0; i < 20; i++) {
        using _ = yield* mu.lock();
        most = Math.max(most, ++inside);
        yield* gosched();
        inside--;
      }
    });
    const main = body(function* main(): Goroutine<number> {
      const mu = new Mutex();
      const workers = Array.from({ length: 5 }, () => spawn(worker, mu));
      for (const handle of workers) yield* handle;
      return most;
    });
    expect(await singleMachine().run(main)).toBe(1);
  });

  test("goes to those that wait in the order in which they came", async () => {
    const order: number[] = [];
    const worker = body(function* worker(mu: Mutex, number: number): Goroutine<void> {
      using _ = yield* mu.lock();
      order.push(number);
    });
    const main = body(function* main(): Goroutine<void> {
      const mu = new Mutex();
      yield* mu.lock();
      const workers = [];
      for (let number = 0; number < 5; number++) {
        workers.push(spawn(worker, mu, number));
        yield* gosched();
      }
      mu.unlock();
      for (const handle of workers) yield* handle;
    });
    await singleMachine().run(main);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  test("may be unlocked by another goroutine, from outside goroutines, and by nobody twice", async () => {
    const runtime = singleMachine();
    const unlocking = body(function* unlocking(mu: Mutex): Goroutine<void> {
      mu.unlock();
    });
    const main = body(function* main(): Goroutine<Mutex> {
      const mu = new Mutex();
      yield* mu.lock();
      yield* spawn(unlocking, mu);
      expect(() => mu.unlock()).toThrow(new MisuseError(UNLOCKED));
      expect(mu.tryLock()).toBe(true);
      return mu;
    });
    const mu = (await runtime.run(main)) as Mutex;
    mu.unlock();
    expect(() => mu.unlock()).toThrow(UNLOCKED);
    expect(mu.tryLock()).toBe(true);
  });

  test("tryLock takes it only when nobody holds it, and a failed unlock changes nothing", async () => {
    const main = body(function* main(): Goroutine<void> {
      const mu = new Mutex();
      expect(() => mu.unlock()).toThrow(UNLOCKED);
      expect(mu.tryLock()).toBe(true);
      expect(mu.tryLock()).toBe(false);
      mu.unlock();
      using _ = yield* mu.lock();
      expect(mu.tryLock()).toBe(false);
    });
    await singleMachine().run(main);
  });

  test("travels by reference, nested in objects", async () => {
    const worker = body(function* worker({ locks }: { locks: Map<string, Mutex> }): Goroutine<boolean> {
      return (locks.get("a") as Mutex).tryLock();
    });
    const main = body(function* main(): Goroutine<boolean[]> {
      const mu = new Mutex();
      const first = yield* spawn(worker, { locks: new Map([["a", mu]]) });
      const second = yield* spawn(worker, { locks: new Map([["a", mu]]) });
      return [first, second, mu.tryLock()];
    });
    expect(await singleMachine().run(main)).toEqual([true, false, false]);
  });
});

describe("the guard of a locking", () => {
  test("unlocks at the end of the scope, on throw too", async () => {
    const main = body(function* main(): Goroutine<boolean> {
      const mu = new Mutex();
      try {
        using _ = yield* mu.lock();
        throw new Error("inside");
      } catch {
        return mu.tryLock();
      }
    });
    expect(await singleMachine().run(main)).toBe(true);
  });

  test("undoes its own locking once, and never somebody else's", async () => {
    const main = body(function* main(): Goroutine<void> {
      const mu = new Mutex();
      const first = yield* mu.lock();
      first[Symbol.dispose]();
      const second = yield* mu.lock();
      first[Symbol.dispose]();
      expect(mu.tryLock()).toBe(false);
      mu.unlock();
      using third = yield* mu.lock();
      second[Symbol.dispose]();
      expect(mu.tryLock()).toBe(false);
      third[Symbol.dispose]();
      expect(mu.tryLock()).toBe(true);
    });
    await singleMachine().run(main);
  });

  test("of a locking that had to wait is as good", async () => {
    const waiting = body(function* waiting(mu: Mutex): Goroutine<boolean> {
      const guard = yield* mu.lock();
      const held = !mu.tryLock();
      guard[Symbol.dispose]();
      guard[Symbol.dispose]();
      return held;
    });
    const main = body(function* main(): Goroutine<unknown[]> {
      const mu = new Mutex();
      yield* mu.lock();
      const other = spawn(waiting, mu);
      yield* gosched();
      mu.unlock();
      return [yield* other, mu.tryLock()];
    });
    expect(await singleMachine().run(main)).toEqual([true, true]);
  });
});

describe("lock()", () => {
  test("does nothing until it is used, and is used once", async () => {
    const main = body(function* main(): Goroutine<boolean> {
      const mu = new Mutex();
      const op: Op<Disposable> = mu.lock();
      expect(mu.tryLock()).toBe(true);
      mu.unlock();
      using _ = yield* op;
      try {
        yield* op;
      } catch (error) {
        return error instanceof MisuseError;
      }
      return false;
    });
    expect(await singleMachine().run(main)).toBe(true);
  });

  test("is awaited by async bodies and on the host", async () => {
    const runtime = singleMachine();
    const worker = body(async function worker(mu: Mutex): Promise<boolean> {
      using _ = await mu.lock();
      return mu.tryLock();
    });
    const main = body(function* main(): Goroutine<Mutex> {
      const mu = new Mutex();
      yield* mu.lock();
      return mu;
    });
    const mu = (await runtime.run(main)) as Mutex;
    const other = runtime.host.run(worker as never, [mu]);
    const here = mu.lock().then((guard) => guard[Symbol.dispose]());
    await runtime.settle();
    expect(mu.tryLock()).toBe(false);
    mu.unlock();
    await runtime.settle();
    expect(await other).toBe(false);
    await here;
    expect(mu.tryLock()).toBe(true);
  });

  test("of a goroutine that is cancelled throws, and the queue goes on without it", async () => {
    const runtime = singleMachine();
    const worker = body(function* worker(mu: Mutex): Goroutine<string> {
      using _ = yield* mu.lock();
      return "got it";
    });
    const main = body(function* main(): Goroutine<Mutex> {
      const mu = new Mutex();
      yield* mu.lock();
      return mu;
    });
    const mu = (await runtime.run(main)) as Mutex;
    const [first, second] = [0, 1].map(() => runtime.host.run(worker as never, [mu]));
    await runtime.settle();
    expect(reasons(runtime)).toEqual(["sync.Mutex.Lock", "sync.Mutex.Lock"]);
    expect(interrupt(runtime, "sync.Mutex.Lock", new Error("cancelled"))).toBe(true);
    await runtime.settle();
    await expect(first).rejects.toThrow("cancelled");
    mu.unlock();
    await runtime.settle();
    expect(await second).toBe("got it");
    expect(mu.tryLock()).toBe(true);
  });

  test("that was served before the cancellation goes through", async () => {
    const runtime = singleMachine();
    const worker = body(function* worker(mu: Mutex): Goroutine<string> {
      using _ = yield* mu.lock();
      return "got it";
    });
    const mu = (await runtime.run(
      body(function* main(): Goroutine<Mutex> {
        return new Mutex();
      }),
    )) as Mutex;
    mu.tryLock();
    const outcome = runtime.host.run(worker as never, [mu]);
    await runtime.settle();
    mu.unlock();
    expect(interrupt(runtime, "sync.Mutex.Lock", new Error("cancelled"))).toBe(false);
    await runtime.settle();
    expect(await outcome).toBe("got it");
  });
});

describe("fairness", () => {
  test("a hog gives way to one that has waited for more than a millisecond", async () => {
    let now = 1000;
    let stolen = 0;
    let stop = false;
    const hog = body(function* hog(mu: Mutex): Goroutine<void> {
      while (!stop) {
        // Between the end of this scope and the next lock nobody else runs: without hand-over the other never gets it.
        using _ = yield* mu.lock();
        stolen++;
        now += 0.3;
        yield* gosched();
      }
    });
    const victim = body(function* victim(mu: Mutex): Goroutine<number> {
      yield* gosched();
      let most = 0;
      for (let i = 0; i < 10; i++) {
        const before = stolen;
        using _ = yield* mu.lock();
        most = Math.max(most, stolen - before);
      }
      stop = true;
      return most;
    });
    const main = body(function* main(): Goroutine<number> {
      const mu = new Mutex();
      const other = spawn(hog, mu);
      const outcome = yield* spawn(victim, mu);
      yield* other;
      return outcome;
    });
    // A millisecond is four of the hog's rounds; then one until the victim runs and says so.
    expect(await singleMachine({ clock: () => now }).run(main)).toBeLessThanOrEqual(6);
  });
});
