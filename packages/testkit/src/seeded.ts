/** Random numbers that a seed repeats: a failing test prints its seed, and the seed brings the failure back. */

/** A stream of random numbers. Equal seeds give equal streams, on every platform. */
export class SeededRandom {
  /** What the stream was made from. */
  readonly seed: number;
  private readonly state: Uint32Array<ArrayBuffer>;

  constructor(seed: number) {
    if (!Number.isInteger(seed)) throw new RangeError(`seeded: the seed must be an integer, not ${seed}`);
    this.seed = seed;
    this.state = spreadOut(seed);
  }

  /** The next 32 bits, as an unsigned integer. The generator is xoshiro128**, by Blackman and Vigna. */
  next(): number {
    const { state } = this;
    let [a, b, c, d] = state as unknown as [number, number, number, number];
    const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    state.set([a, b, c, d]);
    return scrambled;
  }

  /** A number in [0, 1). */
  fraction(): number {
    return this.next() / 2 ** 32;
  }

  /** An integer in [0, bound); the bound is at most 2^32. Its bias is below one in 2^32 / bound, which no test notices. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** One of the items, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** The items in a random order, in a new array. */
  shuffled<T>(items: readonly T[]): T[] {
    const mixed = [...items];
    for (let last = mixed.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [mixed[last], mixed[other]] = [mixed[other] as T, mixed[last] as T];
    }
    return mixed;
  }
}

/** A random number stream for `seed`, any integer; its low 32 bits count. */
export function seeded(seed: number): SeededRandom {
  return new SeededRandom(seed);
}

/** Four words from one, so that neighbouring seeds start far apart: a counter, each value of it mixed through. */
function spreadOut(seed: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(4);
  for (let i = 0; i < 4; i++) {
    let mixed = (seed + Math.imul(i + 1, 0x9e3779b9)) | 0;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    words[i] = mixed ^ (mixed >>> 16);
  }
  // The mixing is one to one and the counter's values differ, so the state is never all zeros, where the generator would stay.
  return words;
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
