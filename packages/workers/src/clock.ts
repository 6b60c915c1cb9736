/**
 * One clock for all threads of a process.
 *
 * `performance.now()` counts from the start of the thread. `process.hrtime()` counts from the same moment on every thread, but makes an array, or a
 * bigint, each time. Both stand on the same steady clock of the operating system, so their difference on one thread is a constant:
 * it is taken once, and added from then on.
 */

/** Readings from which the difference is taken. The two clocks are read one after the other; the pair with the least time in between counts. */
const READINGS = 16;

/** Milliseconds, with fractions, since the same moment on all threads of the process. */
export function processClock(): () => number {
  const offset = clockOffset();
  return () => performance.now() + offset;
}

function clockOffset(): number {
  let offset = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < READINGS; i++) {
    const sinceBoot = Number(process.hrtime.bigint()) / 1e6;
    // Read second, it is late by the time in between: the largest difference has the least of it.
    offset = Math.max(offset, sinceBoot - performance.now());
  }
  return offset;
}
