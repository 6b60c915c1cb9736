/** Random numbers for the order in which select looks at its cases: fast and even, not unguessable. */

let state = (Math.random() * 0xffff_fffe + 1) | 0 || 1;

/** Begins another sequence: the same for the same seed. For tests. */
export function seedOrder(seed: number): void {
  state = seed | 1;
}

/** A number from 0 to `bound` - 1, for bounds up to 65,536: all equally likely within 1 in 65,536. */
export function randomBelow(bound: number): number {
  // xorshift32; its upper half has the better bits.
  let x = state;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  state = x;
  return ((x >>> 16) * bound) >>> 16;
}
