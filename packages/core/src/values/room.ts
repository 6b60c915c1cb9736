/** Room for values in the slab. */

import { MemoryLimitError } from "../base/errors.ts";
import type { Slab } from "../memory/slab.ts";

/** A block of so many bytes: where it begins. Throws `MemoryLimitError` when there is none. */
export function takeRoom(slab: Slab, bytes: number): number {
  const at = slab.take(bytes);
  if (at !== 0) return at;
  throw new MemoryLimitError(
    `no room for a value of ${bytes} bytes: the memory for values, ${slab.maxBytes} bytes, is in use`,
  );
}
