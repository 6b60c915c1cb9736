/** Looks for deadlocks, from the host, while all processors are idle and somebody waits for a result. */

import {
  askForEvents,
  type DeadlockError,
  findDeadlock,
  type HostThread,
  liveGoroutines,
  movements,
} from "@heddle/core";

/** How long all must be idle before the first look, and between the last ones: a look reads every descriptor, and idle moments are frequent in a busy program. */
const FIRST_MS = 10;
const LAST_MS = 1000;

export class DeadlockWatch {
  private readonly host: HostThread;
  private readonly isWanted: () => boolean;
  private readonly found: (error: DeadlockError) => void;
  private timer: NodeJS.Timeout | undefined = undefined;
  private delay = FIRST_MS;
  /** `movements` at the last look. */
  private seen = -1;

  /** `isWanted` says whether anybody would be told. */
  constructor(host: HostThread, isWanted: () => boolean, found: (error: DeadlockError) => void) {
    this.host = host;
    this.isWanted = isWanted;
    this.found = found;
  }

  /** To be called at every wake-up of the host. */
  woken(): void {
    if (!this.host.idle.takeAllIdle()) return;
    // A machine that was asked for its events rings, too, though nothing has moved.
    if (this.delay > FIRST_MS && movements(this.host) !== this.seen) {
      this.delay = FIRST_MS;
      this.stop();
    }
    this.timer ??= this.lookLater();
  }

  /** No more looks. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private lookLater(): NodeJS.Timeout {
    return setTimeout(() => this.look(), this.delay).unref();
  }

  private look(): void {
    this.timer = undefined;
    const { host } = this;
    if (!this.isWanted() || !host.idle.allIdle() || liveGoroutines(host.memory) === 0) return;
    const deadlock = findDeadlock(host);
    if (deadlock !== undefined) {
      this.found(deadlock);
      return;
    }
    // Something outside the scheduler is pending, or was when its machine fell asleep, or a machine was still awake. It may come to rest without another word.
    askForEvents(host);
    this.seen = movements(host);
    this.delay = Math.min(LAST_MS, this.delay * 2);
    this.timer = this.lookLater();
  }
}
