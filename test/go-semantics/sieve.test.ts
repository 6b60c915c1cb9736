import { expect, test } from "vitest";
import { primes, primesAsync, primesOnHost, primesPlain } from "./sieve.mjs";
import { onProcs } from "./support/on-procs.ts";

const FIRST_25 = [
  2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
];

onProcs("prime sieve", (runtime) => {
  test.each([
    ["generator", primes],
    ["async", primesAsync],
  ])("25 primes, %s bodies", async (_kind, sieve) => {
    expect(await runtime().run(sieve, 25)).toEqual(FIRST_25);
  });

  test("10 primes, plain bodies that block a thread each", async () => {
    expect(await runtime().run(primesPlain, 10)).toEqual(FIRST_25.slice(0, 10));
  });

  test("25 primes, read by the host", async () => {
    expect(await runtime().enter(() => primesOnHost(25))).toEqual(FIRST_25);
  });

  test("1000 primes", async () => {
    const found = await runtime().run(primes, 1000);
    expect(found).toHaveLength(1000);
    expect(found.at(-1)).toBe(7919);
    expect(found.every(isPrime)).toBe(true);
  });
});

function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}
