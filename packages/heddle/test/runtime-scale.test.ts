/** Many goroutines. */

import { AtomicInt } from "heddle";
import { describe, expect, test } from "vitest";
import * as scale from "./fixtures/scale-bodies.mjs";
import { PROCS, withRuntime } from "./support/runtimes.ts";

const sumBelow = (count: number): number => (count * (count - 1)) / 2;

function bitsIn(bitmap: SharedArrayBuffer): number {
  let bits = 0;
  for (let word of new Uint32Array(bitmap)) for (; word !== 0; word &= word - 1) bits++;
  return bits;
}

/** Spawns and joins; every goroutine must have run, none of them twice. */
async function spawnAndJoin(procs: number, count: number): Promise<void> {
  await withRuntime({ procs }, async (runtime) => {
    const bitmap = new SharedArrayBuffer(4 * Math.ceil(count / 32));
    const doubled = runtime.enter(() => new AtomicInt());
    expect(await runtime.run(scale.marksAll, bitmap, count, doubled, 16)).toBe(sumBelow(count));
    expect(bitsIn(bitmap)).toBe(count);
    expect(doubled.load()).toBe(0);
    expect(runtime.numGoroutine()).toBe(0);
    expect(runtime.stats().spawned).toBe(count + 16 + 1);
  });
}

test("a million goroutines spawned and joined over 4 machines: none lost, none run twice", async () => {
  await spawnAndJoin(4, 1_000_000);
});

test("a hundred thousand on one", async () => {
  await spawnAndJoin(1, 100_000);
});

test("a hundred thousand over 16, many more than there are cores", async () => {
  await spawnAndJoin(16, 100_000);
});

describe.each(PROCS)("on %i processors", (procs) => {
  test("fib with a goroutine per call, from inside goroutines", async () => {
    await withRuntime({ procs }, async (runtime) => {
      expect(await runtime.run(scale.fib, 20)).toBe(6765);
      expect(runtime.stats().spawned).toBe(21_891);
    });
  });

  test("fib with async bodies, and with bodies that block their threads", async () => {
    await withRuntime({ procs, maxMachines: 100 }, async (runtime) => {
      expect(await runtime.run(scale.fibAwaiting, 12)).toBe(144);
      expect(await runtime.run(scale.fibBlocking, 6)).toBe(8);
    });
  });

  test("fifty thousand alive at once, parked and let go together", async () => {
    await withRuntime({ procs }, async (runtime) => {
      expect(await runtime.run(scale.parksMany, 50_000)).toBe(sumBelow(50_000));
    });
  });

  test("what the host submits, a few or many at once", async () => {
    await withRuntime({ procs }, async (runtime) => {
      for (let i = 0; i < 500; i++) expect(await runtime.run(scale.identity, i)).toBe(i);
      const many = Array.from({ length: 20_000 }, (_, i) => i);
      expect(await Promise.all(many.map((i) => runtime.run(scale.identity, i)))).toEqual(many);
    });
  });

  test("many that give way to each other", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const all = Array.from({ length: 20 }, () => runtime.run(scale.yieldsOften, 2000));
      expect(await Promise.all(all)).toEqual(all.map(() => 2000));
    });
  });
});

describe("a host that awaits results", () => {
  test("hears of them while every processor goes on computing", async () => {
    await withRuntime({ procs: 2 }, async (runtime) => {
      for (let round = 0; round < 10; round++) {
        const words = new Int32Array(new SharedArrayBuffer(8));
        // The last two keep both processors until the host has had all other results.
        let missing = 200 - 2;
        const tasks = Array.from({ length: 200 }, async (_, i) => {
          const result = await runtime.run(scale.computesLast, 50_000, i, words.buffer, 200 - 2);
          if (result !== "told" && --missing === 0) Atomics.store(words, 1, 1);
          return result;
        });
        const results = await Promise.all(tasks);
        expect(results.filter((result, i) => result !== i)).toEqual(["told", "told"]);
      }
    });
  });

  test("that starts one after the other keeps the processors busy all the same", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      const next = async (first: number): Promise<number> => {
        let sum = 0;
        for (let i = first; i < 200; i += 2) sum += await runtime.run(scale.computes, 20_000, i);
        return sum;
      };
      expect((await Promise.all([next(0), next(1)])).reduce((a, b) => a + b)).toBe(sumBelow(200));
    });
  });
});
