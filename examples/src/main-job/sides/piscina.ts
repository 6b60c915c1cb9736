import { availableParallelism } from "node:os";
import { Piscina } from "piscina";
import type { FileCount } from "../count.ts";
import type { Side } from "../side.ts";
import { addFile, emptyTally } from "../tally.ts";
import { THREAD_LIMITS } from "../threads.ts";

/** A task per file on a pool with a thread per core, set up as suits a list of work: see the settings. */
export async function openPiscina(): Promise<Side> {
  const threads = availableParallelism();
  const pool = new Piscina<string, FileCount>({
    filename: new URL("./piscina-task.js", import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 2, // the next file is at the thread before it has answered for the last
    recordTiming: false,
    resourceLimits: THREAD_LIMITS,
  });
  return {
    async count(paths, progress) {
      const tally = emptyTally();
      let done = 0;
      await Promise.all(
        paths.map(async (path) => {
          addFile(tally, path, await pool.run(path));
          progress(++done);
        }),
      );
      return tally;
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}
