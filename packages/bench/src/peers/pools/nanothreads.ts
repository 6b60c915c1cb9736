/** nanothreads' pool, a thread per core. */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { ThreadPool } from "nanothreads";
import type { Pool } from "../pool.ts";

export function open(): Pool {
  const pool = new ThreadPool({
    task: fileURLToPath(new URL("../workers/nanothreads.js", import.meta.url)),
    count: availableParallelism(),
  });
  return {
    run: <R>(name: string, argument: unknown) => pool.exec(name, argument) as Promise<R>,
    [Symbol.asyncDispose]: () => pool.terminate(),
  };
}
