/**
 * Visits 0 … count-1 once each, in an order that looks random and costs no memory: a random start and a random step that shares no factor with the count.
 * Thieves that search at the same time thus do not all fall upon the same victim. Go's randomOrder.
 */

export class RandomOrder {
  private readonly count: number;
  private readonly steps: readonly number[];
  private state: number;
  private left = 0;
  private at = 0;
  private step = 0;

  constructor(count: number, seed: number) {
    this.count = count;
    this.steps = coprimesOf(count);
    this.state = seed | 1;
  }

  /** Begins a new round. */
  start(): void {
    this.left = this.count;
    this.at = this.random() % this.count;
    this.step = this.steps[this.random() % this.steps.length] as number;
  }

  /** The next place, -1 after the last. */
  next(): number {
    if (this.left === 0) return -1;
    this.left--;
    const { at } = this;
    this.at = (at + this.step) % this.count;
    return at;
  }

  /** xorshift32: the order need only differ, not be unguessable. */
  private random(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }
}

/** Makes an order over `count` places; the same seed gives the same sequence of rounds. */
export function randomOrder(count: number, seed: number): RandomOrder {
  return new RandomOrder(count, seed);
}

function coprimesOf(count: number): number[] {
  const found: number[] = [];
  for (let step = 1; step <= count; step++) if (greatestCommonDivisor(step, count) === 1) found.push(step);
  return found;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
