/** Starts runtimes that schedule at random. */

import { RING_PLACES } from "@heddle/core";
import type { RuntimeOptions } from "./options.ts";
import { startChaotically } from "./runtime.ts";
import type { Runtime } from "./runtime-types.ts";

/** How a chaotic runtime differs. */
export interface ChaosOptions {
  /** What all decisions come from, an integer: the same seed, the same decisions. */
  readonly seed: number;
  /** Places in a processor's run queue: a power of two from 2 to 1024. Default: drawn from the seed, mostly tiny. */
  readonly ringSize?: number;
}

/** Sizes to choose from. */
const RING_SIZES = [2, 4, 4, 8, 16, RING_PLACES];

/**
 * `start` in chaos mode: machines make their choices at random, give way where they need not, and lose their cores at bad moments. Everything that is promised holds all the same. What goes
 * wrong is a bug in the program, a race that a quiet machine hides, or one in Heddle. Programs run several times slower than they would.
 *
 * Decisions repeat with the seed; what the operating system does in between does not.
 *
 * @throws what `start` throws; `RangeError` for a seed or a ring size out of bounds
 *
 * @example
 * ```ts
 * for (let seed = 1; seed <= 100; seed++) {
 *   await using rt = await startWithChaos({ seed });
 *   expect(await rt.run(transferMoney)).toBe(0);
 * }
 * ```
 */
export function startWithChaos(chaos: ChaosOptions, options?: RuntimeOptions): Promise<Runtime> {
  const { seed, ringSize = RING_SIZES[Math.abs(seed) % RING_SIZES.length] as number } = chaos;
  if (!Number.isInteger(seed))
    throw new RangeError(`startWithChaos: the seed must be an integer, not ${String(seed)}`);
  if (!(Number.isInteger(Math.log2(ringSize)) && ringSize >= 2 && ringSize <= RING_PLACES)) {
    throw new RangeError(
      `startWithChaos: ringSize must be a power of two from 2 to ${RING_PLACES}, not ${String(ringSize)}`,
    );
  }
  // 0 means off: it stands for another seed.
  return startChaotically(options, { chaosSeed: seed | 0 || 0x7fffffff, ringSize });
}
