import { AtomicInt, type Goroutine, goroutine, spawn, start } from "heddle";
import { countFile, type FileCount } from "../count.ts";
import type { Side } from "../side.ts";
import { addFile, emptyTally, type Tally } from "../tally.ts";
import { THREAD_LIMITS } from "../threads.ts";

/** How often the host looks at the counter for the progress bar. */
const PROGRESS_MS = 100;

/** One file. `done` is one counter in shared memory, whichever machine this runs on. */
const countOne = goroutine(import.meta, function countOne(path: string, done: AtomicInt): FileCount {
  const count = countFile(path);
  done.add(1);
  return count;
});

/** A goroutine per file, joined and merged in the order of the list. */
const countAll = goroutine(
  import.meta,
  function* countAll(paths: readonly string[], done: AtomicInt): Goroutine<Tally> {
    const files = paths.map((path) => ({ path, count: spawn(countOne, path, done) }));
    const tally = emptyTally();
    for (const { path, count } of files) addFile(tally, path, yield* count);
    return tally;
  },
);

/** A goroutine per file on a runtime with a P per core. */
export async function openHeddle(): Promise<Side> {
  const runtime = await start({ resourceLimits: THREAD_LIMITS });
  return {
    async count(paths, progress) {
      const done = runtime.enter(() => new AtomicInt());
      const watch = setInterval(() => progress(done.load()), PROGRESS_MS);
      try {
        return await runtime.run(countAll, paths, done);
      } finally {
        clearInterval(watch);
      }
    },
    [Symbol.asyncDispose]: () => runtime.close(),
  };
}
