/** Finds goroutines that outlived what they were started for. */

import { formatGoroutines, type GoroutineInfo, HeddleError, show } from "@heddle/core";
import type { Runtime } from "./runtime-types.ts";

/** Goroutines were left. */
export class LeakError extends HeddleError {
  override readonly code: string = "ERR_HEDDLE_LEAK";
  /** What was left. */
  readonly goroutines: readonly GoroutineInfo[];

  constructor(goroutines: readonly GoroutineInfo[]) {
    super(`found unexpected goroutines:\n\n${formatGoroutines(goroutines)}`);
    this.goroutines = goroutines;
  }
}
Object.defineProperty(LeakError.prototype, "name", {
  value: "LeakError",
  writable: true,
  configurable: true,
});

/** Options of `leakCheck`. */
export interface LeakCheckOptions {
  /** Goroutines that were there before and may stay: what `runtime.goroutines()` said then. */
  readonly baseline?: readonly GoroutineInfo[];
  /** Whether a goroutine may stay. */
  readonly ignore?: (goroutine: GoroutineInfo) => boolean;
  /** How long goroutines that are about to end may take, in milliseconds; default 1000. */
  readonly withinMs?: number;
}

/** Between two looks, at first and at most. */
const FIRST_LOOK_MS = 1;
const LAST_LOOK_MS = 100;

/**
 * Rejects with `LeakError` if goroutines of a runtime are left, apart from those that may stay: with function, starter and what each waits for. Looks again, for a while, as long as there are some. The role of
 * Go's goleak.
 *
 * @throws `LeakError`; `RangeError` for a `withinMs` that is no number of milliseconds
 *
 * @example
 * ```ts
 * afterEach(() => leakCheck(rt));
 * ```
 */
export async function leakCheck(runtime: Runtime, options: LeakCheckOptions = {}): Promise<void> {
  const { baseline = [], ignore = () => false, withinMs = 1000 } = options;
  if (!(typeof withinMs === "number" && withinMs >= 0)) {
    throw new RangeError(
      `leakCheck: options.withinMs must be a number of milliseconds from 0, not ${show(withinMs)}`,
    );
  }
  const known = new Set(baseline.map(({ id }) => id));
  const left = (): GoroutineInfo[] =>
    runtime.goroutines().filter((goroutine) => !known.has(goroutine.id) && !ignore(goroutine));
  const until = performance.now() + withinMs;
  let found = left();
  for (
    let delay = FIRST_LOOK_MS;
    found.length > 0 && performance.now() < until;
    delay = Math.min(LAST_LOOK_MS, delay * 2)
  ) {
    await new Promise((resolve) => setTimeout(resolve, delay));
    found = left();
  }
  if (found.length > 0) throw new LeakError(found);
}
