/**
 * The host's event loop side: when to look into the inbox.
 *
 * After something was submitted the loop polls: one look per turn of the event loop, which goes on serving everything else, for a bounded time after the last result. Machines need not ring meanwhile, and a
 * short task's result is there in a few microseconds. Then it sleeps: announces so, and waits for the doorbell, the notify of its park word.
 */

import {
  EventLoopSleeper,
  type HostPlatform,
  type HostThread,
  machineRecord,
  type SharedMemory,
} from "@heddle/core";
import { rejectWithSite } from "./call-site.ts";

/** How long to poll after the last sign of activity. A few times the cost of a doorbell (10–40 µs); a guess at what an idle host may burn once. */
const POLL_MS = 0.25;
/** Turns between two looks at the clock. */
const CLOCK_EVERY = 8;

export class HostLoop implements HostPlatform {
  private readonly sleeper: EventLoopSleeper;
  private readonly keeper: NodeJS.Timeout;
  private readonly woken: () => void;
  private readonly pollOnce: () => void = () => this.poll();
  private host: HostThread | undefined = undefined;
  private polling = false;
  private pollUntil = 0;
  private untilClock = CLOCK_EVERY;
  private stopped = false;

  /** `woken` is called at every wake-up, for whatever else the doorbell may mean. */
  constructor(memory: SharedMemory, woken: () => void) {
    this.woken = woken;
    this.sleeper = new EventLoopSleeper(memory.i32, machineRecord(memory, 0), () => this.ring());
    this.keeper = setInterval(() => {}, 2 ** 30);
    this.keeper.unref();
  }

  /** Begins to look after the host's inbox. */
  attach(host: HostThread): void {
    this.host = host;
    this.poll();
  }

  /** Ends: nothing of this keeps the process alive afterwards. */
  stop(): void {
    this.stopped = true;
    clearInterval(this.keeper);
  }

  keepAlive(pending: boolean): void {
    if (pending) this.keeper.ref();
    else this.keeper.unref();
  }

  expectResults(): void {
    if (this.polling || this.host === undefined) return;
    this.polling = true;
    this.host.stayAwake();
    this.pollUntil = performance.now() + POLL_MS;
    setImmediate(this.pollOnce);
  }

  rejectWithSite(resolve: (value: unknown) => void, error: unknown): void {
    rejectWithSite(resolve, error);
  }

  private ring(): void {
    if (!this.polling) this.poll();
  }

  private poll(): void {
    const { host } = this;
    if (host === undefined || this.stopped) return;
    this.woken();
    if (host.drain()) {
      this.pollUntil = performance.now() + POLL_MS;
      this.untilClock = CLOCK_EVERY;
    } else if (!host.hasPending || this.timeIsUp()) {
      if (host.announceSleep()) {
        this.polling = false;
        // Once more: a machine that rang between the look above and the announcement was not heard.
        this.woken();
        this.sleeper.sleep();
        return;
      }
    }
    this.polling = true;
    setImmediate(this.pollOnce);
  }

  private timeIsUp(): boolean {
    if (--this.untilClock > 0) return false;
    this.untilClock = CLOCK_EVERY;
    return performance.now() > this.pollUntil;
  }
}
