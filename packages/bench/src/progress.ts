import { SingleBar } from "cli-progress";

export interface Progress {
  readonly step: (label: string) => void;
  readonly close: () => void;
}

/** A bar on a terminal, nothing elsewhere. Repeated rounds let it grow. */
export function openProgress(steps: number): Progress {
  if (!process.stderr.isTTY) return { step: () => {}, close: () => {} };
  let done = 0;
  const bar = new SingleBar({
    format: "{bar} {value}/{total} {eta_formatted} {label}",
    stream: process.stderr,
    clearOnComplete: true,
  });
  bar.start(steps, 0, { label: "" });
  return {
    step(label) {
      done += 1;
      if (done > bar.getTotal()) bar.setTotal(done);
      bar.update(done, { label });
    },
    close: () => bar.stop(),
  };
}
