/** A clock that stands still until a test moves it. */

/** Monotonic time under a test's control, in milliseconds. */
export class FakeClock {
  private timeMs: number;

  constructor(startMs = 0) {
    this.timeMs = requireFinite("fakeClock", startMs);
  }

  /** The present time. Bound to the clock, so that it can be handed over in place of `performance.now`. */
  readonly now = (): number => this.timeMs;

  /** Lets `ms` pass, a fraction allowed. Throws a RangeError if it is negative: a monotonic clock never goes back. */
  advance(ms: number): void {
    if (requireFinite("advance", ms) < 0) throw new RangeError(`advance: ${ms} ms would turn the clock back`);
    this.timeMs += ms;
  }

  /** Goes on to `timeMs`. Throws a RangeError if that time has passed. */
  advanceTo(timeMs: number): void {
    this.advance(requireFinite("advanceTo", timeMs) - this.timeMs);
  }
}

/** A clock that shows `startMs` (default 0) until it is advanced. */
export function fakeClock(startMs = 0): FakeClock {
  return new FakeClock(startMs);
}

function requireFinite(operation: string, ms: number): number {
  if (!Number.isFinite(ms)) throw new RangeError(`${operation}: ${ms} is no time in milliseconds`);
  return ms;
}
