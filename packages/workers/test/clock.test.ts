import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { processClock } from "../src/clock.ts";

const built = new URL("../dist/clock.js", import.meta.url);

/** How far a thread's clock is from the one that all threads share, in milliseconds: the best of many looks. */
const measure = `
  const apart = () => {
    const before = Number(process.hrtime.bigint()) / 1e6;
    const shown = clock();
    const after = Number(process.hrtime.bigint()) / 1e6;
    return Math.max(before - shown, shown - after, 0);
  };
  Math.min(...Array.from({ length: 1000 }, apart));`;

test("every thread's clock shows the same, to the microsecond", async () => {
  // oxlint-disable-next-line typescript/no-implied-eval -- the same text runs on this thread and on others
  const here = new Function("clock", `${measure.replace("Math.min", "return Math.min")}`) as (
    clock: () => number,
  ) => number;
  expect(here(processClock())).toBeLessThan(0.002);
  const program = `
    const { parentPort } = require("node:worker_threads");
    import(${JSON.stringify(built.href)}).then(({ processClock }) => {
      const clock = processClock();
      parentPort.postMessage(eval(${JSON.stringify(measure)}));
    });`;
  for (let thread = 0; thread < 3; thread++) {
    const worker = new Worker(program, { eval: true });
    const [apart] = (await once(worker, "message")) as [number];
    expect(apart).toBeLessThan(0.002);
    await worker.terminate();
  }
});

test("it goes on while the thread does nothing, and shows fractions", () => {
  const clock = processClock();
  const began = clock();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1.5);
  expect(clock() - began).toBeGreaterThanOrEqual(1.4);
  expect(Array.from({ length: 20 }, clock).some((time) => !Number.isInteger(time))).toBe(true);
});
