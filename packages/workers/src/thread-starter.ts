/**
 * When the threads that the scheduler asks for are started.
 *
 * A machine asks the host for one more thread when work was published and a processor is idle. But a thread takes tens of milliseconds of a core to start, and most work is taken before that by a machine that was busy just
 * then. So only a runtime without any thread gets one at once. After that one is started if work still waits some time after it was asked for; if none does, the request is withdrawn.
 *
 * No work is left lying. Submitter: (1) publishes work, (2) finds as many threads on their way as there are idle processors, and relies on them. Here: (1) the requests are withdrawn, which takes them out of that
 * count, (2) the queues are looked through once more. If the submitter read the count before it changed, its work was published before the second look, which finds it; if it read it after, it asks again.
 */

import type { HostThread } from "@heddle/core";

/** How long work must have waited for a thread. Short beside the start of a thread, long beside what a machine needs to come by. A guess. */
const PATIENCE_MS = 2;

export class ThreadStarter {
  private readonly host: HostThread;
  private readonly start: (machine: number) => void;
  private readonly anyThread: () => boolean;
  private readonly asked: number[] = [];
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(host: HostThread, start: (machine: number) => void, anyThread: () => boolean) {
    this.host = host;
    this.start = start;
    this.anyThread = anyThread;
  }

  /** Sees to the threads that were asked for since the last call. */
  serve(): void {
    for (const machine of this.host.idle.takeWanted()) {
      if (this.anyThread()) this.asked.push(machine);
      else this.start(machine);
    }
    if (this.asked.length > 0) this.timer ??= setTimeout(() => this.decide(), PATIENCE_MS).unref();
  }

  /** No more threads. */
  stop(): void {
    clearTimeout(this.timer);
    this.asked.length = 0;
  }

  private decide(): void {
    this.timer = undefined;
    const asked = this.asked.splice(0);
    const { host } = this;
    if (host.isWorkSomewhere()) {
      for (const machine of asked) this.start(machine);
      return;
    }
    for (const machine of asked) host.idle.withdraw(machine);
    if (host.isWorkSomewhere()) host.idle.wakeOneIfIdle();
  }
}
