import { SingleBar } from "cli-progress";

export interface Progress {
  readonly update: (done: number) => void;
  readonly close: () => void;
}

/** A bar on a terminal; elsewhere nothing. */
export function openProgress(label: string, total: number): Progress {
  if (!process.stderr.isTTY) return { update: () => {}, close: () => {} };
  const bar = new SingleBar({
    format: `${label.padEnd(8)} {bar} {value}/{total} files`,
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(total, 0);
  return { update: (done) => bar.update(done), close: () => bar.stop() };
}
