/** Piscina with a thread per core from the start and no timing of its own. */
import { forWork, openPiscina } from "../piscina.ts";
import type { Pool } from "../pool.ts";

export function open(): Pool {
  return openPiscina(forWork);
}
