/**
 * Sizes of the slab's small blocks.
 *
 * Two sizes to each power of two, so that a block wastes a quarter of itself on average at most, from one
 * unit to 32 KiB. What is larger takes whole chunks. The runs that a class is cut from hold eight blocks or
 * more: fewer would take the lock of the chunks too often, many more would keep memory from the other
 * classes.
 */

import { SLAB_CHUNK_UNITS, SLAB_CLASSES, SLAB_UNIT_WORDS } from "./layout.ts";
import { POOL_BATCH } from "./record-pool.ts";

/** Bytes of a unit. */
export const UNIT_BYTES: number = SLAB_UNIT_WORDS * 4;

/** Units of a block of each class. */
export const CLASS_UNITS: readonly number[] = [
  1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512,
];

/** Largest block that has a class. */
export const MAX_CLASS_BYTES: number = 512 * UNIT_BYTES;

const BLOCKS_PER_RUN = 8;
/**
 * Most bytes of a class that one cache moves at once: caches of large blocks would otherwise hold megabytes.
 * A guess.
 */
const BATCH_BYTES = 64 * 1024;

const classOfUnits = new Uint8Array(CLASS_UNITS[SLAB_CLASSES - 1] + 1);
for (let units = 1, sizeClass = 0; units < classOfUnits.length; units++) {
  if (units > CLASS_UNITS[sizeClass]) sizeClass++;
  classOfUnits[units] = sizeClass;
}

/** The smallest class with room for so many bytes, 0 < `bytes` ≤ MAX_CLASS_BYTES. */
export function classFor(bytes: number): number {
  return classOfUnits[(bytes + 63) >>> 6];
}

/** Chunks of a run that a class is cut from. */
export function runChunks(sizeClass: number): number {
  return Math.ceil((CLASS_UNITS[sizeClass] * BLOCKS_PER_RUN) / SLAB_CHUNK_UNITS);
}

/** Blocks of a run. */
export function runBlocks(sizeClass: number): number {
  return Math.floor((runChunks(sizeClass) * SLAB_CHUNK_UNITS) / CLASS_UNITS[sizeClass]);
}

/** Blocks that move between a cache and the list behind at once. */
export function classBatch(sizeClass: number): number {
  const affordable = Math.floor(BATCH_BYTES / (CLASS_UNITS[sizeClass] * UNIT_BYTES));
  return Math.max(2, Math.min(POOL_BATCH, affordable));
}
