/** Durations as callers give them. */

import { show } from "../base/show.ts";

/** Milliseconds from a caller; more than any clock will show is as good as for ever. Throws `TypeError` or `RangeError` for what is no duration. */
export function durationMs(where: string, ms: number): number {
  if (typeof ms !== "number") {
    throw new TypeError(`${where}: ms must be a number of milliseconds, not ${describe(ms)}`);
  }
  if (Number.isNaN(ms)) throw new RangeError(`${where}: ms must be a number of milliseconds, not NaN`);
  return ms;
}

function describe(value: unknown): string {
  return typeof value === "string" ? show(value) : `${show(value)} (${typeof value})`;
}
