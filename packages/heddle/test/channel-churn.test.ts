/** Channels that are made and dropped: their records and what they hold are found again, without help from the program. */

import { availableParallelism } from "node:os";
import { chan, type Runtime, start } from "heddle";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as bodies from "./channel-bodies.mjs";

/** More than there are records. */
const MANY = 1_500_000;
const MB = 1e6;

let rt: Runtime;
beforeAll(async () => {
  rt = await start({ procs: Math.min(2, availableParallelism()) });
});
afterAll(() => rt.close({ graceMs: 0 }));

test.each(["made", "sent", "left", "travelled"])("1.5 million channels in one loop, %s", async (use) => {
  const before = (await rt.run(bodies.churn, 150_000, use)) as number;
  const after = (await rt.run(bodies.churn, MANY, use)) as number;
  expect(after - before).toBeLessThan(150 * MB);
});

test("on the host, in a loop without a pause", () => {
  const before = process.memoryUsage().rss;
  for (let i = 0; i < MANY; i++) chan<number>(1).trySend(i);
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * MB);
});

test("a chain of channels, each in the buffer of the next, is freed to its end", async () => {
  for (let round = 0; round < 6; round++) expect(await rt.run(bodies.chain, 200_000)).toBe(200_000);
});

test("3 GB of values left in dropped channels do not fill the memory for values", async () => {
  expect(await rt.run(bodies.leaveMuch, 3000)).toBe(3000);
});
