/**
 * What chaos mode decides by: a stream of random numbers for each thread, from one seed.
 *
 * A thread asks in the order of its own steps, so a thread that takes the same steps is told the same. What the operating system does between the threads is not repeated; the decisions are.
 */

/** A word that nobody notifies: waiting on it is a sleep. */
const nap = new Int32Array(new SharedArrayBuffer(4));

/** The longest nap. Long enough that another thread is through with whatever it is at. A guess. */
const LONGEST_NAP_MS = 0.5;

export class Decisions {
  private state: number;

  constructor(seed: number, thread: number) {
    // Multiplied and mixed, so that neighbouring threads and seeds begin far apart.
    let mixed = Math.imul(seed ^ Math.imul(thread + 1, 0x9e3779b1), 0x85ebca6b);
    mixed ^= mixed >>> 13;
    mixed = Math.imul(mixed, 0xc2b2ae35);
    this.state = (mixed ^ (mixed >>> 16)) | 0 || 1;
  }

  /** A number from 0 to `bound` - 1, for bounds up to 65,536. */
  below(bound: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return ((x >>> 16) * bound) >>> 16;
  }

  /** True once in so many times, on average. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** Now and then the thread loses its core for a moment, as the operating system might decide. */
  pause(times: number): void {
    if (this.oneIn(times)) Atomics.wait(nap, 0, 0, ((this.below(16) + 1) / 16) * LONGEST_NAP_MS);
  }
}
