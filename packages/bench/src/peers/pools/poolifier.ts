/** poolifier's pool of a fixed size, a thread per core. */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { FixedThreadPool } from "poolifier";
import type { Pool } from "../pool.ts";

export function open(): Pool {
  const pool = new FixedThreadPool<unknown, unknown>(
    availableParallelism(),
    fileURLToPath(new URL("../workers/poolifier.js", import.meta.url)),
  );
  return {
    run: <R>(name: string, argument: unknown) => pool.execute(argument, name) as Promise<R>,
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}
