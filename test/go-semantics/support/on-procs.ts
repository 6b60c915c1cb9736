/** Runs tests on one processor and on four. */

import { type Runtime, start } from "heddle";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";

/** Few processors share a thread's cache and order of events, many do not: rules must hold for both. */
const PROCS = [1, 4];

/** Declares tests that run on a runtime of one processor, and again on one of four. After each of them, no goroutine may be left. */
export function onProcs(title: string, tests: (runtime: () => Runtime) => void): void {
  describe.each(PROCS)(`${title}, procs %d`, (procs) => {
    let runtime: Runtime;
    beforeAll(async () => {
      runtime = await start({ procs });
    });
    afterEach(() => noneLeft(runtime));
    afterAll(() => runtime.close({ graceMs: 0 }));
    tests(() => runtime);
  });
}

/** Waits until every goroutine has ended; fails if the runtime has. */
export async function noneLeft(runtime: Runtime): Promise<void> {
  await until(() => runtime.closed || runtime.numGoroutine() === 0);
  expect(runtime.closed).toBe(false);
}

/** Turns the event loop until a condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
