/** Sync primitives between real threads. */

import { type Mutex, type Runtime, start } from "heddle";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as bodies from "./sync-bodies.mjs";

/** Raises the numbers of a long run. */
const SCALE = Number(process.env["HEDDLE_STRESS"] ?? 1);

let rt: Runtime;
beforeAll(async () => {
  rt = await start({ procs: 4 });
});
afterAll(() => rt.close({ graceMs: 0 }));

describe("a mutex between threads", () => {
  test.each([
    [Array(8).fill("count")],
    [Array(8).fill("countAsync")],
    [Array(4).fill("countBlocking")],
    // Not async and blocking bodies together: a thread that is blocked cannot go on with an async body that lives on it and holds the lock.
    [["count", "count", "countTrying", "countTrying", "countBlocking", "countBlocking"]],
    [["count", "count", "countTrying", "countTrying", "countAsync", "countAsync"]],
  ])("loses no addition: %s", async (names: string[]) => {
    const times = 3000 * SCALE;
    expect(await rt.run(bodies.countTogether, names, times)).toBe(names.length * times);
  });

  test("keeps nobody out for long, beside a hog", async () => {
    // Ten times at most: the wait until it starves, what the hog works meanwhile, and a wake-up.
    expect(await rt.run(bodies.besideHog)).toBeLessThan(1000);
  });

  test("loses neither the lock nor anybody when some are cancelled while they wait", async () => {
    expect(await rt.run(bodies.cancelSome, 30 * SCALE)).toEqual([0, true]);
  });

  test("is locked by the host, too", async () => {
    const mu = (await rt.run(bodies.makeMutex)) as Mutex;
    const counts = new Int32Array(new SharedArrayBuffer(8));
    const workers = [0, 1].map(() => rt.run(bodies.count, mu, counts, 1000));
    for (let i = 0; i < 200; i++) {
      const guard = await mu.lock();
      counts[0]++;
      guard[Symbol.dispose]();
    }
    await Promise.all(workers);
    expect(counts[0]).toBe(2200);
  });
});

test("a reader/writer mutex never has a writer and somebody else inside, and has several readers", async () => {
  const times = 1000 * SCALE;
  const outcome = (await rt.run(bodies.readAndWrite, times)) as { wrong: number; most: number };
  expect(outcome).toMatchObject({ wrong: 0, written: 3 * times, free: true });
  expect(outcome.most).toBeGreaterThan(1);
});

test("conditions carry a bounded buffer: nothing is lost, nothing comes twice", async () => {
  const times = 500 * SCALE;
  expect(await rt.run(bodies.boundedBuffer, times)).toEqual(Array.from({ length: 4 * times }, (_, i) => i));
});

test("a cancelled wait for a condition throws with the mutex held", async () => {
  const [outcomes, free, error] = (await rt.run(bodies.cancelWaiters)) as [string[], boolean, unknown];
  expect(outcomes).toEqual(Array(8).fill("CanceledError true"));
  expect([free, error]).toEqual([true, undefined]);
});

test.each([3, 5, 7])("a semaphore of %i permits never gives out more, and gets all back", async (permits) => {
  const [most, free] = (await rt.run(bodies.shareSome, permits, 1000 * SCALE)) as [number, boolean];
  expect(most).toBeLessThanOrEqual(permits);
  expect(free).toBe(true);
});

test.each([2, 4, 9])(
  "a barrier of %i parties lets nobody into a round early, and tells one",
  async (parties) => {
    const times = 500 * SCALE;
    expect(await rt.run(bodies.roundsTogether, parties, times)).toEqual([times, 0]);
  },
);

test.each(["callOnce", "callOnceAsync", "callOnceBlocking"])(
  "one call, first asked for by %s; nobody goes on before it has ended",
  async (first) => {
    for (let round = 0; round < 20; round++) expect(await rt.run(bodies.callTogether, first)).toEqual([1, 0]);
  },
);
