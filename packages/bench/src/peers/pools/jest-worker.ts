/** jest-worker with threads instead of processes, one per core. */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker as JestWorker } from "jest-worker";
import type { Pool } from "../pool.ts";

export function open(): Pool {
  const pool = new JestWorker(fileURLToPath(new URL("../tasks.js", import.meta.url)), {
    enableWorkerThreads: true,
    numWorkers: availableParallelism(),
    exposedMethods: ["echo", "burnSteps"],
  });
  const methods = pool as unknown as Record<string, (argument: unknown) => Promise<never>>;
  return {
    run: (name, argument) => (methods[name] as (value: unknown) => Promise<never>)(argument),
    async [Symbol.asyncDispose]() {
      await pool.end();
    },
  };
}
