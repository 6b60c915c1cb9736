/** How much of a sweep is done and left, counted in runs of a side. */
export interface SweepProgress {
  readonly elapsedMs: number;
  readonly limitMs: number;
  /** Runs of a side so far. */
  readonly done: number;
  /** Sides that are left; in each round each of them runs once. */
  readonly sidesLeft: number;
}

/**
 * In how many rounds, at most `wanted` and at least one, the cases that are left can take turns so that the sweep
 * ends in time, if a run goes on to take what it took so far. It is asked before each case, so that expensive ones
 * cost those after them a round, and cheap ones give it back.
 */
export function roundsThatFit(wanted: number, progress: SweepProgress): number {
  const { elapsedMs, limitMs, done, sidesLeft } = progress;
  if (done === 0) return wanted;
  const runsThatFit = (limitMs - elapsedMs) / (elapsedMs / done);
  return Math.max(1, Math.min(wanted, Math.floor(runsThatFit / sidesLeft)));
}
