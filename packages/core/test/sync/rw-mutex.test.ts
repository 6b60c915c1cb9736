import { describe, expect, test } from "vitest";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { RWMutex } from "../../src/sync/rw-mutex.ts";
import { body, type SingleMachine, singleMachine } from "../support/single-machine.ts";
import { interrupt, reasons } from "./parked.ts";

/** A mutex made in a goroutine, for the host to use. */
async function made(runtime: SingleMachine): Promise<RWMutex> {
  const make = body(function* make(): Goroutine<RWMutex> {
    return new RWMutex();
  });
  return (await runtime.run(make)) as RWMutex;
}

describe("a reader/writer mutex", () => {
  test("has any number of readers, or one writer", async () => {
    const rw = await made(singleMachine());
    expect([rw.tryRLock(), rw.tryRLock(), rw.tryLock()]).toEqual([true, true, false]);
    rw.runlock();
    expect(rw.tryLock()).toBe(false);
    rw.runlock();
    expect([rw.tryLock(), rw.tryLock(), rw.tryRLock()]).toEqual([true, false, false]);
    rw.unlock();
    expect(rw.tryRLock()).toBe(true);
  });

  test("refuses to end what has not begun, and is none the worse", async () => {
    const rw = await made(singleMachine());
    expect(() => rw.runlock()).toThrow("sync: RUnlock of unlocked RWMutex");
    expect(() => rw.unlock()).toThrow("sync: Unlock of unlocked RWMutex");
    rw.tryRLock();
    expect(() => rw.unlock()).toThrow("sync: Unlock of unlocked RWMutex");
    rw.runlock();
    rw.tryLock();
    expect(() => rw.runlock()).toThrow("sync: RUnlock of unlocked RWMutex");
    rw.unlock();
    expect(rw.tryLock()).toBe(true);
  });

  test("lets a waiting writer hold off new readers, and all readers in when a writer leaves", async () => {
    const runtime = singleMachine();
    const rw = await made(runtime);
    const order: string[] = [];
    const reader = body(function* reader(mu: RWMutex, name: string): Goroutine<void> {
      using _ = yield* mu.rlock();
      order.push(name);
      yield* gosched();
      order.push(`${name} ends`);
    });
    const writer = body(function* writer(mu: RWMutex, name: string): Goroutine<void> {
      using _ = yield* mu.lock();
      order.push(name);
      yield* gosched();
      order.push(`${name} ends`);
    });
    const start = async (f: unknown, name: string): Promise<void> => {
      void runtime.host.run(f as never, [rw, name]);
      await runtime.settle();
    };
    rw.tryRLock();
    await start(writer, "w1");
    expect(rw.tryRLock()).toBe(false);
    await start(reader, "r1");
    await start(writer, "w2");
    await start(reader, "r2");
    expect(reasons(runtime).sort()).toEqual([
      "sync.RWMutex.Lock",
      "sync.RWMutex.Lock",
      "sync.RWMutex.RLock",
      "sync.RWMutex.RLock",
    ]);
    rw.runlock();
    await runtime.settle();
    expect(order.slice(0, 2)).toEqual(["w1", "w1 ends"]);
    expect(order.slice(2, 4).sort()).toEqual(["r1", "r2"]);
    expect(order.slice(4, 6).sort()).toEqual(["r1 ends", "r2 ends"]);
    expect(order.slice(6)).toEqual(["w2", "w2 ends"]);
    expect(rw.tryLock()).toBe(true);
  });

  test("lets the readers in that a cancelled writer held off", async () => {
    const runtime = singleMachine();
    const rw = await made(runtime);
    rw.tryRLock();
    const writing = rw.lock().then(() => "wrote");
    const reading = rw.rlock().then(() => "read");
    await runtime.settle();
    const writer = body(function* writer(mu: RWMutex): Goroutine<void> {
      yield* mu.lock();
    });
    const cancelled = runtime.host.run(writer as never, [rw]);
    await runtime.settle();
    expect(interrupt(runtime, "sync.RWMutex.Lock", new Error("cancelled"))).toBe(true);
    await runtime.settle();
    await expect(cancelled).rejects.toThrow("cancelled");
    rw.runlock();
    await runtime.settle();
    expect(await writing).toBe("wrote");
    rw.unlock();
    await runtime.settle();
    expect(await reading).toBe("read");
  });

  test("lets readers in at once when the only waiting writer is cancelled", async () => {
    const runtime = singleMachine();
    const rw = await made(runtime);
    rw.tryRLock();
    const writer = body(function* writer(mu: RWMutex): Goroutine<void> {
      yield* mu.lock();
    });
    const cancelled = runtime.host.run(writer as never, [rw]);
    await runtime.settle();
    const reading = rw.rlock().then(() => "read");
    await runtime.settle();
    expect(interrupt(runtime, "sync.RWMutex.Lock", new Error("cancelled"))).toBe(true);
    await runtime.settle();
    await expect(cancelled).rejects.toThrow("cancelled");
    expect(await reading).toBe("read");
    expect([rw.tryRLock(), rw.tryLock()]).toEqual([true, false]);
  });

  test("travels by reference, nested in objects", async () => {
    const worker = body(function* worker({ locks }: { locks: [RWMutex] }): Goroutine<boolean> {
      return locks[0].tryLock();
    });
    const main = body(function* main(): Goroutine<boolean> {
      const rw = new RWMutex();
      using _ = yield* rw.rlock();
      return yield* spawn(worker, { locks: [rw] });
    });
    expect(await singleMachine().run(main)).toBe(false);
  });
});

describe("its guards", () => {
  test("end a writing once, and never somebody else's", async () => {
    const rw = await made(singleMachine());
    const first = await rw.lock();
    rw.unlock();
    const second = await rw.lock();
    first[Symbol.dispose]();
    expect(rw.tryRLock()).toBe(false);
    second[Symbol.dispose]();
    expect(rw.tryRLock()).toBe(true);
  });

  test("end a reading once", async () => {
    const rw = await made(singleMachine());
    const [first, second] = [await rw.rlock(), await rw.rlock()];
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(rw.tryLock()).toBe(false);
    second[Symbol.dispose]();
    expect(rw.tryLock()).toBe(true);
  });
});
