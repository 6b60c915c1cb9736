/** tinypool, with a thread per core from the start. */
import { availableParallelism } from "node:os";
import { Tinypool } from "tinypool";
import type { Pool } from "../pool.ts";

export function open(): Pool {
  const pool = new Tinypool({
    filename: new URL("../tasks.js", import.meta.url).href,
    minThreads: availableParallelism(),
    maxThreads: availableParallelism(),
  });
  return {
    run: (name, argument) => pool.run(argument, { name }),
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}
