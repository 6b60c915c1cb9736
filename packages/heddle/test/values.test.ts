import { deepStrictEqual } from "node:assert";
import { AtomicInt, afterFunc, CloneError, chan, Ticker, WaitGroup } from "heddle";
import { describe, expect, test } from "vitest";
import * as fixture from "./fixtures/value-bodies.mjs";
import { PROCS, rejection, thrownBy, withRuntime } from "./support/runtimes.ts";

type Echo = (value: unknown) => unknown;
const names = Object.keys(fixture.values) as (keyof typeof fixture.values)[];
const MIB = 2 ** 20;

/** What structured clone makes of a value is what must arrive; but errors, which keep more here. */
function expectCopy(arrived: unknown, value: unknown): void {
  if (value instanceof Error) {
    expect(arrived).toBeInstanceOf(value.constructor);
    expect(arrived).toEqual(value);
    expect(Object.entries(arrived as object)).toEqual(Object.entries(value));
    return;
  }
  if (value instanceof Date && Number.isNaN(value.getTime())) expect((arrived as Date).getTime()).toBeNaN();
  else deepStrictEqual(arrived, structuredClone(value));
}

describe.each(PROCS)("on %i processors", (procs) => {
  test("a value of each kind there and back, through every kind of body", async () => {
    await withRuntime({ procs }, async (runtime) => {
      for (const body of [fixture.echoPlain, fixture.echoGenerator, fixture.echoAsync, fixture.echoByOther]) {
        for (const name of names) {
          const arrived = await runtime.run(body as Echo, fixture.values[name]);
          expectCopy(arrived, fixture.values[name]);
        }
      }
    });
  });

  test("all of them at once, as many arguments", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const all = names.map((name) => fixture.values[name] as unknown);
      const arrived = (await runtime.run(
        fixture.echoAll as (...values: unknown[]) => unknown,
        ...all,
      )) as unknown[];
      arrived.forEach((value, i) => expectCopy(value, all[i]));
    });
  });

  test("thrown, and as the cause of an error", async () => {
    await withRuntime({ procs }, async (runtime) => {
      for (const name of names) {
        expectCopy(
          await rejection(runtime.run(fixture.throwsValue as Echo, fixture.values[name])),
          fixture.values[name],
        );
        const error = (await rejection(
          runtime.run(fixture.throwsInside as Echo, fixture.values[name]),
        )) as Error;
        expectCopy(error.cause, fixture.values[name]);
      }
    });
  });

  test("is a copy, whoever keeps the original", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const original = { list: [1, 2, 3] };
      const pending = runtime.run(fixture.echoGenerator as Echo, original);
      original.list.push(4);
      const arrived = (await pending) as typeof original;
      expect(arrived.list).toEqual([1, 2, 3]);
      expect(arrived).not.toBe(original);
    });
  });

  test("sync objects, handles and shared buffers are the same ones wherever they are, however deep", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const { counter, group } = runtime.enter(() => ({ counter: new AtomicInt(), group: new WaitGroup() }));
      group.add(1);
      const shared = new SharedArrayBuffer(8);
      const handle = runtime.spawn(fixture.echoGenerator, "joined");
      const nested = { list: [new Map([["counter", counter]]), new Error("e", { cause: { shared } })] };
      const things = { counter, group, handle, shared, nested };
      const { sameCounter, sameBuffer, joined, back } = await runtime.run(fixture.touches, things);
      await group.wait();
      expect({ sameCounter, sameBuffer, joined }).toEqual({
        sameCounter: true,
        sameBuffer: true,
        joined: "joined",
      });
      expect(counter.load()).toBe(11);
      expect([...new Int32Array(shared)]).toEqual([1, 5]);
      back.counter.add(1);
      expect(counter.load()).toBe(12);
      expect(back.shared).toBe(shared);
      expect(await back.handle).toBe("joined");
    });
  });

  test("those that a goroutine made work at the host, and outlive it", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const { counter, group, shared, handle, deep } = await runtime.run(fixture.makesReferences);
      expect(counter).toBeInstanceOf(AtomicInt);
      expect(group).toBeInstanceOf(WaitGroup);
      expect(await runtime.run(fixture.addsTo, deep[0][0][0].counter, 2)).toBe(7);
      expect(counter.load()).toBe(7);
      expect(shared.byteLength).toBe(8);
      expect(await handle).toBe("from inside");
    });
  });

  test("in errors, too", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const counter = runtime.enter(() => new AtomicInt(1));
      const error = await rejection(runtime.run(fixture.throwsReference, counter));
      (error as { counter: AtomicInt }).counter.add(1);
      expect(counter.load()).toBe(2);
    });
  });

  test("a shared buffer reaches threads that have never seen it", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const fans = 64;
      const marks = Array.from({ length: fans }, (_, i) => i + 1);
      expect(await runtime.run(fixture.spreadsBuffer, fans)).toEqual(marks);
    });
  });
});

describe("64 MiB", () => {
  test("of bytes, both ways", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      const data = fixture.patterned(64 * MIB);
      const { length, intact, data: back } = await runtime.run(fixture.checksLarge, data);
      expect([length, intact]).toEqual([16 * MIB, true]);
      expect(fixture.isPatterned(back)).toBe(true);
    });
  });

  test("of text, both ways", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      const text = `<${"字".repeat(32 * MIB - 2)}>`;
      const { length, first, last, text: back } = await runtime.run(fixture.checksLongText, text);
      expect([length, first, last]).toEqual([32 * MIB, "<".charCodeAt(0), ">".charCodeAt(0)]);
      expect(back === text).toBe(true);
    });
  });

  test("many times over: what was received is freed", async () => {
    await withRuntime({ procs: 2 }, async (runtime) => {
      const data = fixture.patterned(16 * MIB);
      for (let i = 0; i < 40; i++) {
        const back = (await runtime.run(fixture.echoPlain, data)) as Uint32Array;
        expect(back.length).toBe(data.length);
      }
    });
  });
});

describe("what cannot be copied is refused at the caller, with its place, and nothing is sent", () => {
  const cases = Object.entries(fixture.refused) as [keyof typeof fixture.refused, [unknown, string]][];

  test.each(cases)("%s", async (name, [value, path]) => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      await runtime.run(fixture.echoPlain, 1);
      const before = runtime.stats().spawned;
      const expectRefused = (error: unknown, where: string): void => {
        expect(error).toBeInstanceOf(CloneError);
        expect((error as Error).message).toContain(`${where}${path}`);
      };
      expectRefused(
        thrownBy(() => runtime.spawn(fixture.echoPlain as Echo, value)),
        "args[0]",
      );
      expectRefused(
        thrownBy(() => runtime.go(fixture.echoAll as Echo, ...([1, value] as unknown as [unknown]))),
        "args[1]",
      );
      expectRefused(await rejection(runtime.run(fixture.echoPlain as Echo, value)), "args[0]");
      const many = [1, 2, 3, 4, 5, value] as unknown as [unknown];
      expectRefused(
        thrownBy(() => runtime.spawn(fixture.echoAll as Echo, ...many)),
        "args[5]",
      );
      expect(runtime.stats().spawned).toBe(before);
      expect(runtime.numGoroutine()).toBe(0);

      const inside = (await runtime.run(fixture.spawnsRefused, name)) as {
        name: string;
        message: string;
        next: number;
      };
      expect(inside).toMatchObject({ name: "CloneError", next: 7 });
      expect(inside.message).toContain(`args[0]${path}`);
      expectRefused(await rejection(runtime.run(fixture.returnsRefused, name)), "result");
    });
  });

  test("arguments before it are given back: refusing many costs nothing", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      const large = "x".repeat(MIB);
      for (let i = 0; i < 3000; i++) {
        const args = [large, () => {}] as unknown as [unknown];
        expect(thrownBy(() => runtime.spawn(fixture.echoAll as Echo, ...args))).toBeInstanceOf(CloneError);
      }
      expect(await runtime.run(fixture.echoPlain as Echo, large)).toBe(large);
    });
  });

  test("what stays on its thread is named: operations, timers, tickers, runtimes", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      const staying = runtime.enter(() => {
        const ticker = new Ticker(60_000);
        ticker.stop();
        const timer = afterFunc(60_000, fixture.echoPlain as Echo, 1);
        timer.stop();
        return { "an operation": chan().recv(), "a Ticker": ticker, "a Timer": timer, "a Runtime": runtime };
      });
      for (const [words, value] of Object.entries(staying)) {
        const error = await rejection(runtime.run(fixture.echoPlain as Echo, { list: [value] }));
        expect(error).toBeInstanceOf(CloneError);
        expect((error as Error).message).toMatch(new RegExp(`^args\\[0\\]\\.list\\[0\\]: ${words}\\b`));
      }
    });
  });

  test("an object of another runtime", async () => {
    await withRuntime({ procs: 1 }, async (one) => {
      await withRuntime({ procs: 1 }, async (other) => {
        const counter = one.enter(() => new AtomicInt());
        const handle = one.spawn(fixture.echoPlain, 1);
        for (const foreign of [counter, handle]) {
          const error = await rejection(other.run(fixture.echoPlain as Echo, { foreign }));
          expect(error).toBeInstanceOf(CloneError);
          expect((error as Error).message).toMatch(/another runtime/);
        }
        expect(await handle).toBe(1);
      });
    });
  });
});
