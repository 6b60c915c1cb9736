/**
 * Keeps a core busy for a number of steps of a xorshift generator. A task is an amount of work and not a time
 * on the clock: two tasks that share a core must take twice as long, and no side may gain by sharing.
 */
export function burn(steps: number): number {
  let x = 2463534242 | 0;
  for (let i = 0; i < steps; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  return x;
}

/**
 * How many steps are a microsecond here. The best of several tries: a try can only be disturbed into being
 * slower.
 */
export function measureStepsPerUs(): number {
  const steps = 2_000_000;
  let bestMs = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 20; attempt++) {
    const began = performance.now();
    burn(steps);
    bestMs = Math.min(bestMs, performance.now() - began);
  }
  return steps / (bestMs * 1000);
}
