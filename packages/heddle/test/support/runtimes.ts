/** Runtimes for tests against the build. */

import { type Runtime, type RuntimeOptions, start } from "heddle";

/** Numbers of processors that a test is repeated with: alone, and more than there may be cores. HEDDLE_TEST_PROCS="2,16" has it otherwise. */
export const PROCS: readonly number[] = (process.env["HEDDLE_TEST_PROCS"] ?? "1,4").split(",").map(Number);

/** Runs `use` with a runtime of its own, which is closed afterwards. */
export async function withRuntime<T>(
  options: RuntimeOptions,
  use: (runtime: Runtime) => Promise<T>,
): Promise<T> {
  const runtime = await start(options);
  try {
    return await use(runtime);
  } finally {
    await runtime.close({ graceMs: 0 });
  }
}

/** What a promise rejects with. */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("the promise was fulfilled");
}

/** What a call throws. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** Waits in the event loop until something is true. The test's time limit is the only bound. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
