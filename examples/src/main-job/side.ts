import type { Tally } from "./tally.ts";

/** One way of doing the job. It is opened before the clock starts and closed after it has stopped. */
export interface Side extends AsyncDisposable {
  /** Counts all files; `progress` hears now and then how many are done. */
  count(paths: readonly string[], progress: (done: number) => void): Promise<Tally>;
}

export type OpenSide = () => Promise<Side>;
