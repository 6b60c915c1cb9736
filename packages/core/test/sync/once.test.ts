import { describe, expect, test } from "vitest";
import { MisuseError } from "../../src/base/errors.ts";
import { chan } from "../../src/channel/channel.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { Mutex } from "../../src/sync/mutex.ts";
import { Once } from "../../src/sync/once.ts";
import { body, type SingleMachine, singleMachine } from "../support/single-machine.ts";
import { interrupt, reasons } from "./parked.ts";

async function made(runtime: SingleMachine): Promise<Once> {
  const make = body(function* make(): Goroutine<Once> {
    return new Once();
  });
  return (await runtime.run(make)) as Once;
}

/** A mutex that is held, for calls to park on. */
async function held(runtime: SingleMachine): Promise<Mutex> {
  const make = body(function* make(): Goroutine<Mutex> {
    return new Mutex();
  });
  const mu = (await runtime.run(make)) as Mutex;
  mu.tryLock();
  return mu;
}

describe("once", () => {
  test("makes one call, a plain function", async () => {
    const runtime = singleMachine();
    let calls = 0;
    const main = body(function* main(): Goroutine<void> {
      const once = new Once();
      for (let i = 0; i < 3; i++) yield* once.do(() => void calls++);
    });
    await runtime.run(main);
    expect(calls).toBe(1);
  });

  test("the others wait until the call has ended", async () => {
    let calls = 0;
    let ended = false;
    const worker = body(function* worker(once: Once): Goroutine<boolean> {
      yield* once.do(function* () {
        calls++;
        for (let i = 0; i < 5; i++) yield* gosched();
        ended = true;
      });
      return ended;
    });
    const main = body(function* main(): Goroutine<boolean[]> {
      const once = new Once();
      const workers = [0, 1, 2].map(() => spawn(worker, once));
      const outcomes: boolean[] = [];
      for (const handle of workers) outcomes.push(yield* handle);
      return outcomes;
    });
    expect(await singleMachine().run(main)).toEqual([true, true, true]);
    expect(calls).toBe(1);
  });

  test("does nothing until it is used, and is used once", async () => {
    let calls = 0;
    const main = body(function* main(): Goroutine<void> {
      const op = new Once().do(() => void calls++);
      expect(calls).toBe(0);
      yield* op;
      expect(() => op[Symbol.iterator]().next()).toThrow(MisuseError);
      expect(() => op.block()).toThrow(MisuseError);
    });
    await singleMachine().run(main);
    expect(calls).toBe(1);
  });

  test.each(["plain", "generator", "async"])(
    "is done even if a %s call throws, which goes to the one who made it",
    async (kind) => {
      const runtime = singleMachine();
      const fail = (): void => {
        throw new Error("the call failed");
      };
      const calls: Record<string, () => unknown> = {
        plain: fail,
        generator: function* () {
          yield* gosched();
          fail();
        },
        async: async () => {
          await Promise.resolve();
          fail();
        },
      };
      const worker = body(function* worker(once: Once): Goroutine<string> {
        try {
          yield* once.do(calls[kind] as () => void);
          return "went on";
        } catch (error) {
          return (error as Error).message;
        }
      });
      const main = body(function* main(): Goroutine<string[]> {
        const once = new Once();
        const workers = [0, 1, 2].map(() => spawn(worker, once));
        const outcomes: string[] = [];
        for (const handle of workers) outcomes.push(yield* handle);
        return outcomes.sort();
      });
      expect(await runtime.run(main)).toEqual(["the call failed", "went on", "went on"]);
    },
  );

  test("a call that asks for the same Once waits for itself", async () => {
    const runtime = singleMachine();
    const once = await made(runtime);
    const main = body(function* main(it: Once): Goroutine<void> {
      yield* it.do(function* () {
        yield* it.do(() => {});
      });
    });
    void runtime.host.run(main as never, [once]);
    await runtime.settle();
    expect(reasons(runtime)).toEqual(["sync.Once.Do"]);
  });

  test("refuses what is no function", async () => {
    const once = await made(singleMachine());
    expect(() => once.do(1 as never)).toThrow(new TypeError("Once.do: call must be a function, not number"));
    expect(() => once.do(null as never)).toThrow(new TypeError("Once.do: call must be a function, not null"));
  });

  test("one that is cancelled while it waits leaves; the call goes on", async () => {
    const runtime = singleMachine();
    const once = await made(runtime);
    const gate = await held(runtime);
    let calls = 0;
    const worker = body(function* worker(it: Once, lock: Mutex): Goroutine<void> {
      yield* it.do(function* () {
        calls++;
        yield* lock.lock();
      });
    });
    const calling = runtime.host.run(worker as never, [once, gate]);
    await runtime.settle();
    const waiting = runtime.host.run(worker as never, [once, gate]);
    await runtime.settle();
    expect(interrupt(runtime, "sync.Once.Do", new Error("cancelled"))).toBe(true);
    await runtime.settle();
    await expect(waiting).rejects.toThrow("cancelled");
    gate.unlock();
    await runtime.settle();
    await calling;
    expect(calls).toBe(1);
  });

  test("one that is cancelled in its call is thrown it there, and it is done", async () => {
    const runtime = singleMachine();
    const once = await made(runtime);
    const mu = await held(runtime);
    let cleaned = false;
    const worker = body(function* worker(it: Once, lock: Mutex): Goroutine<void> {
      yield* it.do(function* () {
        try {
          yield* lock.lock();
        } finally {
          cleaned = true;
        }
      });
    });
    const outcome = runtime.host.run(worker as never, [once, mu]);
    await runtime.settle();
    expect(interrupt(runtime, "sync.Mutex.Lock", new Error("cancelled"))).toBe(true);
    await runtime.settle();
    await expect(outcome).rejects.toThrow("cancelled");
    expect(cleaned).toBe(true);
    await once.do(() => expect.unreachable());
  });

  test("travels by reference, nested in objects", async () => {
    let calls = 0;
    const worker = body(function* worker({ once }: { once: Once }): Goroutine<void> {
      yield* once.do(() => void calls++);
    });
    const main = body(function* main(): Goroutine<void> {
      const once = new Once();
      for (let i = 0; i < 3; i++) yield* spawn(worker, { once });
    });
    await singleMachine().run(main);
    expect(calls).toBe(1);
  });
});

describe("a generator call without a goroutine of its own", () => {
  const runs = (log: string[], from: { recv(): unknown }): (() => Goroutine<void>) =>
    function* () {
      const ch = from as ReturnType<typeof chan<string>>;
      yield* gosched();
      log.push((yield* ch.recv()) as string);
      log.push((yield* ch.recv()) as string);
    };

  test("is driven by an async body", async () => {
    const log: string[] = [];
    const worker = body(async function worker(
      once: Once,
      ch: ReturnType<typeof chan<string>>,
    ): Promise<void> {
      await once.do(runs(log, ch));
      log.push("done");
    });
    const main = body(function* main(): Goroutine<void> {
      const ch = chan<string>();
      const handle = spawn(worker, new Once(), ch);
      yield* ch.send("one");
      yield* ch.send("two");
      yield* handle;
    });
    await singleMachine().run(main);
    expect(log).toEqual(["one", "two", "done"]);
  });

  test("is driven on the host", async () => {
    const runtime = singleMachine();
    const log: string[] = [];
    const make = body(function* make(): Goroutine<unknown> {
      return [new Once(), chan<string>()];
    });
    const [once, ch] = (await runtime.run(make)) as [Once, ReturnType<typeof chan<string>>];
    const sender = body(function* sender(it: ReturnType<typeof chan<string>>): Goroutine<void> {
      yield* it.send("one");
      yield* it.send("two");
    });
    const outcome = Promise.resolve(
      once.do(function* () {
        log.push((yield* ch.recv()) as string);
        log.push((yield* ch.recv()) as string);
      }),
    );
    void runtime.host.run(sender as never, [ch]);
    await runtime.settle();
    await outcome;
    expect(log).toEqual(["one", "two"]);
  });

  test("that yields something of its own is told so", async () => {
    const worker = body(async function worker(): Promise<string> {
      try {
        await new Once().do(function* () {
          yield 1 as never;
        });
        return "nothing thrown";
      } catch (error) {
        return (error as Error).message;
      }
    });
    const main = body(function* main(): Goroutine<string> {
      return yield* spawn(worker);
    });
    expect(await singleMachine().run(main)).toMatch("may not yield values");
  });

  test("is cancelled with the async body that waits for it", async () => {
    const runtime = singleMachine();
    const once = await made(runtime);
    const mu = await held(runtime);
    let cleaned = false;
    const worker = body(async function worker(it: Once, lock: Mutex): Promise<void> {
      await it.do(function* () {
        try {
          yield* lock.lock();
        } finally {
          cleaned = true;
        }
      });
    });
    const outcome = runtime.host.run(worker as never, [once, mu]);
    await runtime.settle();
    expect(interrupt(runtime, "sync.Mutex.Lock", new Error("cancelled"))).toBe(true);
    await runtime.settle();
    await expect(outcome).rejects.toThrow("cancelled");
    expect(cleaned).toBe(true);
    mu.unlock();
    expect(mu.tryLock()).toBe(true);
  });

  test("does not take an async call in block()", async () => {
    const worker = body(function worker(once: Once): void {
      once.do(async () => {}).block();
    });
    const main = body(function* main(): Goroutine<void> {
      yield* spawn(worker, new Once());
    });
    await expect(singleMachine().run(main)).rejects.toThrow("Once.do: block() cannot wait for an async call");
  });
});
