/**
 * The host's event loop side: when to look into the inbox.
 *
 * After something was submitted the loop polls: one look per turn of the event loop, which goes on serving everything else, for a bounded time after the last result. Machines need not ring meanwhile, and a
 * short task's result is there in a few microseconds. Then it sleeps: announces so, and waits for the doorbell, the notify of its park word.
 *
 * Where that is always in vain, because machines have no core to run on before the host sleeps, it polls for a few turns only (see SpinPatience in core).
 *
 * A host that polls takes a core, and while every processor has work of its own that may be a core that a machine would compute on. So when results are few among many looks, and no processor is idle, it naps instead, for a
 * millisecond at a time: machines do not ring for results meanwhile, unless one of them runs out of work. (Not while no more promises wait than there are processors: then each result may be what the next task waits for.) 2000 tasks of 100 µs on two cores: the host takes 6 ms of CPU time instead of 58.
 */

import {
  CorruptMemoryError,
  corruption,
  EventLoopSleeper,
  forgetLocks,
  type HostPlatform,
  type HostThread,
  hasLocks,
  machineRecord,
  NAPPING,
  type SharedMemory,
  SpinPatience,
} from "@heddle/core";
import { rejectWithSite } from "./call-site.ts";

/** How long to poll after the last sign of activity. A few times the cost of a doorbell (10–40 µs); a guess at what an idle host may burn once. */
const POLL_MS = 0.25;
/** Turns between two looks at the clock. */
const CLOCK_EVERY = 8;
/** How long to nap: as short as the event loop's timers go. */
const NAP_MS = 1;
/** Turns without a result before the first nap, about a tenth of a millisecond, and how many more each turn with one is worth. Guesses: tiny tasks, whose results come with every other turn, never bring on a nap. */
const PATIENCE = 100;
const PATIENCE_BACK = 16;
/** Turns after a nap that brought results, without another, before the next one. */
const PATIENCE_AFTER_NAP = 2;

export class HostLoop implements HostPlatform {
  private readonly sleeper: EventLoopSleeper;
  private readonly keeper: NodeJS.Timeout;
  private readonly napTimer: NodeJS.Timeout;
  private readonly woken: () => void;
  private readonly pollOnce: () => void = () => this.poll();
  private host: HostThread | undefined = undefined;
  private polling = false;
  private pollUntil = 0;
  /** Whether it has not polled beyond a brief look, the turns before the first look at the clock. */
  private brief = true;
  private readonly pollPatience = new SpinPatience();
  private untilClock = CLOCK_EVERY;
  private patience = PATIENCE;
  private napping = false;
  private stopped = false;

  /** `woken` is called at every wake-up, for whatever else the doorbell may mean. */
  constructor(memory: SharedMemory, woken: () => void) {
    this.woken = woken;
    this.sleeper = new EventLoopSleeper(memory.i32, machineRecord(memory, 0), () => this.ring());
    this.keeper = setInterval(() => {}, 2 ** 30);
    this.keeper.unref();
    this.napTimer = setTimeout(() => this.napIsOver(), NAP_MS);
    this.napTimer.unref();
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
    clearTimeout(this.napTimer);
  }

  keepAlive(pending: boolean): void {
    if (pending) this.keeper.ref();
    else this.keeper.unref();
  }

  expectResults(): void {
    if (this.polling || this.host === undefined) return;
    this.polling = true;
    if (!this.napping) this.patience = PATIENCE;
    this.napping = false;
    this.host.stayAwake();
    this.beginPolling(performance.now());
    setImmediate(this.pollOnce);
  }

  rejectWithSite(resolve: (value: unknown) => void, error: unknown): void {
    rejectWithSite(resolve, error);
  }

  private beginPolling(now: number): void {
    this.brief = true;
    this.untilClock = CLOCK_EVERY;
    this.pollUntil = now + POLL_MS;
  }

  private ring(): void {
    if (!this.polling) this.poll();
  }

  /** The alarm is rung by who finds that the memory makes no sense, and has stopped this loop then. */
  private poll(): void {
    try {
      this.pollOnceMore();
    } catch (error) {
      if (!(error instanceof CorruptMemoryError)) throw error;
    }
  }

  private pollOnceMore(): void {
    const { host } = this;
    if (host === undefined || this.stopped) return;
    if (hasLocks(host.i32)) {
      // Otherwise the machines would wait for it.
      forgetLocks();
      throw corruption(host.i32, "the host's stack overflowed inside the runtime, which had a lock");
    }
    this.woken();
    const { napping } = this;
    this.napping = false;
    if (host.drain()) {
      const now = performance.now();
      if (this.polling && !this.brief && now <= this.pollUntil) this.pollPatience.succeeded();
      this.beginPolling(now);
      // What came during a nap says nothing of how fast results come.
      this.patience = napping ? PATIENCE_AFTER_NAP : Math.min(PATIENCE, this.patience + PATIENCE_BACK);
    } else if (!host.hasPending || this.timeIsUp(host)) {
      if (host.announceSleep()) {
        this.polling = false;
        // Once more: a machine that rang between the look above and the announcement was not heard.
        this.woken();
        this.sleeper.sleep();
        return;
      }
    } else if (--this.patience <= 0 && this.nap()) {
      return;
    }
    this.polling = true;
    setImmediate(this.pollOnce);
  }

  private nap(): boolean {
    if (this.host?.announceNap() !== true) return false;
    this.polling = false;
    this.napping = true;
    this.napTimer.refresh();
    this.sleeper.sleep(NAPPING);
    return true;
  }

  /** Also called for a nap that ended otherwise; then the present one, if any, ends early. */
  private napIsOver(): void {
    if (!this.napping) return;
    this.host?.stayAwake();
    // Unless something has come, this is the end of the polling.
    this.untilClock = 1;
    this.poll();
  }

  private timeIsUp(host: HostThread): boolean {
    if (--this.untilClock > 0) return false;
    this.untilClock = CLOCK_EVERY;
    const { brief } = this;
    this.brief = false;
    // While many wait, patience is left to the naps, which take no core.
    if (brief && host.fewPending && !this.pollPatience.mayGoOn()) return true;
    return performance.now() > this.pollUntil;
  }
}
