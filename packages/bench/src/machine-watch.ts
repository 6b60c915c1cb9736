import { cpus } from "node:os";

/** Says how much of the machine others took since it began to watch. */
export interface MachineWatch {
  /** Processor time that was the watcher's own, beside that of this process. */
  own(cpuMs: number): void;
  /** The share of all cores that went to processes that are none of ours. */
  foreignShare(): number;
}

export function watchMachine(): MachineWatch {
  const began = performance.now();
  const busyBefore = busyMs();
  const mine = process.cpuUsage();
  let ownMs = 0;
  return {
    own(cpuMs) {
      ownMs += cpuMs;
    },
    foreignShare() {
      const { user, system } = process.cpuUsage(mine);
      const foreignMs = busyMs() - busyBefore - ownMs - (user + system) / 1000;
      const availableMs = (performance.now() - began) * cpus().length;
      return Math.max(0, foreignMs / availableMs);
    },
  };
}

function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}
