/** Collecting garbage at once, for the kernel when it runs out of records (see core's watch-list.ts). */

import { setFlagsFromString } from "node:v8";
import { createContext, runInContext, runInNewContext } from "node:vm";

/** Bound to this thread's heap. `undefined` until needed: a context costs some milliseconds and a megabyte. */
let collector: (() => void) | undefined;

/** Collects all that cannot be reached from this thread, also what WeakRefs were made for since the present job began. */
export function collectGarbage(): void {
  collector ??= makeCollector();
  collector();
}

function makeCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // Contexts of this kind run their microtasks when a script ends. With that the engine lets go of what it kept for the job, as it does after every job.
  const job = createContext({}, { microtaskMode: "afterEvaluate" });
  return () => {
    runInContext("0", job);
    collect();
  };
}
