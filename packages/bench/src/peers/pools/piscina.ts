/** Piscina as it comes. */
import { openPiscina } from "../piscina.ts";
import type { Pool } from "../pool.ts";

export function open(): Pool {
  return openPiscina();
}
