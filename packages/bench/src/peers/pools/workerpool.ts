/** workerpool, with a thread per core from the start. */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import workerpool from "workerpool";
import type { Pool } from "../pool.ts";

export function open(): Pool {
  const pool = workerpool.pool(fileURLToPath(new URL("../workers/workerpool.js", import.meta.url)), {
    workerType: "thread",
    minWorkers: availableParallelism(),
    maxWorkers: availableParallelism(),
  });
  return {
    run: async (name, argument) => await pool.exec(name, [argument]),
    async [Symbol.asyncDispose]() {
      await pool.terminate();
    },
  };
}
