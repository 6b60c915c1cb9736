/**
 * Comlink is no pool: it calls functions in one thread as if they were here. So there is one of it per core, and
 * the calls go to them in turn.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { wrap } from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import type { Pool } from "../pool.ts";
import type { burnSteps, echo } from "../tasks.ts";

export function open(): Pool {
  const file = new URL("../workers/comlink.js", import.meta.url);
  const workers = Array.from({ length: availableParallelism() }, () => new Worker(file));
  const remotes = workers.map((worker) =>
    wrap<{ echo: typeof echo; burnSteps: typeof burnSteps }>(nodeEndpoint(worker)),
  );
  let turn = 0;
  return {
    run<R>(name: string, argument: unknown) {
      const remote = remotes[turn++ % remotes.length] as unknown as Record<
        string,
        (value: unknown) => Promise<R>
      >;
      return (remote[name] as (value: unknown) => Promise<R>)(argument);
    },
    async [Symbol.asyncDispose]() {
      for (const worker of workers) await worker.terminate();
    },
  };
}
