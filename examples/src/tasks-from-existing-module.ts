/** The exported functions of a module as bodies, with no change to that module and no guard in this one. */
import { start, tasks } from "heddle";
import type * as primes from "./primes.ts";

const { countPrimes } = tasks<typeof primes>(new URL("./primes.js", import.meta.url));

const STEP = 100_000;

await using runtime = await start();
const parts = await Promise.all(
  Array.from({ length: 20 }, (_, i) => runtime.run(countPrimes, i * STEP, (i + 1) * STEP)),
);
const found = parts.reduce((sum, part) => sum + part, 0);
console.log(`${found} primes below ${20 * STEP}`); // 148933
