/**
 * A map with a goroutine per item, in one file. Machines import this module for its bodies and must not run
 * the program again, hence the guard at the end; hello.ts shows the two-file form, which needs none.
 */
import { createHash } from "node:crypto";
import { isMainThread } from "node:worker_threads";
import { type GoFunction, type Goroutine, goroutine, run, spawn } from "heddle";

/** Called inline by a body, `yield* parallelMap(items, fn)`: results in the order of the items. */
function* parallelMap<T, R>(items: readonly T[], fn: GoFunction<[T], R>): Goroutine<R[]> {
  const handles = items.map((item) => spawn(fn, item));
  const results: R[] = [];
  for (const handle of handles) results.push(yield* handle);
  return results;
}

/**
 * Hashes a text over and over: some milliseconds of plain work. A body that never parks can be a plain
 * function.
 */
const stretch = goroutine(import.meta, function stretch(text: string): string {
  let digest = text;
  for (let round = 0; round < 2000; round++) digest = createHash("sha256").update(digest).digest("hex");
  return digest;
});

const stretchAll = goroutine(import.meta, function* stretchAll(texts: readonly string[]): Goroutine<
  string[]
> {
  return yield* parallelMap(texts, stretch);
});

if (isMainThread) {
  const texts = Array.from({ length: 100 }, (_, i) => `text ${i}`);
  const digests = await run(stretchAll, texts);
  console.log(`${digests.length} digests, the last one ${digests.at(-1)}`);
}
