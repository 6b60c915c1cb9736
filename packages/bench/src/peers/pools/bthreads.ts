/** bthreads' pool, a thread per core. */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import threads from "bthreads";
import type { Pool } from "../pool.ts";

export function open(): Pool {
  const pool = new threads.Pool(fileURLToPath(new URL("../workers/bthreads.js", import.meta.url)), {
    size: availableParallelism(),
  });
  return {
    run: <R>(name: string, argument: unknown) => pool.call(name, [argument]) as Promise<R>,
    async [Symbol.asyncDispose]() {
      await pool.close();
    },
  };
}
