/**
 * Sees to it that the end of a thread is the end of what lived on it, and of nothing else.
 *
 * When a machine's thread is over, core's `Repair` puts right what it left, in two parts: what is known to be its own at once, the rest in a sweep for which all machines are held for a moment. When that may be, is decided here: all
 * machines are asked to come by a safe point, and only when all have, they are asked to stop there. If one does not come, the others go on after a while, and it is tried again later.
 *
 * A lost machine's number is free again after the sweep; a new thread is started in its place when there is work for it.
 */

import {
  type Condemned,
  CorruptMemoryError,
  DeadlineExceededError,
  describeGoroutine,
  type HeddleError,
  type Holdings,
  type HostThread,
  holdingsIn,
  MachineLostError,
  Repair,
  setDoubt,
  takeCondemned,
} from "@heddle/core";
import type { MachinePool } from "./machine-pool.ts";
import { type PanicMessage, panicMessage } from "./panic-message.ts";

/** What the runtime is told. */
export interface SupervisorEvents {
  /** A goroutine that nobody has a handle of was lost. */
  panic(message: PanicMessage): void;
  /** There is no going on. */
  fail(error: HeddleError): void;
}

/** Threads that may end one after the other before any has got as far as to take part: then something keeps all of them from starting. A guess. */
const MAX_FAILED_STARTS = 3;
/** Between two looks whether all machines have come by: the first and the longest. */
const FIRST_LOOK_MS = 1;
const LAST_LOOK_MS = 32;
/** How long all are asked to stop, at most. Longer than it takes machines that are not held up by anything; shorter than their patience. */
const STOP_MS = 15;

export class Supervisor {
  private readonly host: HostThread;
  private readonly events: SupervisorEvents;
  private readonly pool: MachinePool;
  private readonly repair: Repair;
  private readonly started = new Set<number>();
  /** Machines whose thread was ended for a goroutine that defied its cancellation, and what whoever lived there is told. */
  private readonly condemned = new Map<number, DeadlineExceededError>();
  private failedStarts = 0;
  private failedMonitors = 0;
  private timer: NodeJS.Timeout | undefined = undefined;
  private delay = FIRST_LOOK_MS;
  private stopped = false;
  private busy = false;

  constructor(host: HostThread, pool: MachinePool, events: SupervisorEvents) {
    this.host = host;
    this.pool = pool;
    this.events = events;
    this.repair = new Repair(host, {
      panic: (base, error) => events.panic(panicMessage(describeGoroutine(host, base), error)),
      holdingsOf: (machine) => this.holdingsOf(machine),
    });
    setDoubt(host.i32, (holder) => this.doubt(holder));
  }

  /** This thread waits for a lock for long. If its holder is dead, nobody else will release it: the news of that death waits in this thread's event loop. */
  private doubt(holder: number): void {
    if (this.pool.isDead(holder)) this.repair.releaseLocks(holder);
  }

  /** Whether something of a dead thread is still to be put right: the runtime only looks deadlocked until then. */
  get isBusy(): boolean {
    return this.repair.isSweepDue;
  }

  /** A machine has got so far that it takes part. */
  machineStarted(machine: number): void {
    this.started.add(machine);
    this.failedStarts = 0;
  }

  /** Whether a machine has a thread that takes part. */
  hasStarted(machine: number): boolean {
    return this.started.has(machine);
  }

  /** Ends the threads of goroutines that go on though their time is over and they were cancelled for that. */
  endAllCondemned(): void {
    for (const condemned of takeCondemned(this.host)) this.endCondemned(condemned);
  }

  private endCondemned({ machine, base, timeoutMs, killAfterMs }: Condemned): void {
    const { id, name } = describeGoroutine(this.host, base);
    const sentence =
      `its thread was ended for goroutine ${id} (${name}), which went on for ${killAfterMs} ms after ` +
      `it had been cancelled for its timeout of ${timeoutMs} ms`;
    if (this.pool.kill(machine)) this.condemned.set(machine, new DeadlineExceededError(sentence));
  }

  /** A machine's thread is over, though nobody asked it to end. */
  machineLost(machine: number, ending: unknown): void {
    const sentence = this.condemned.get(machine);
    this.condemned.delete(machine);
    const cause = sentence ?? ending;
    const reason = sentence?.message ?? reasonOf(cause);
    const failedToStart = !this.started.delete(machine) && !isKill(ending);
    if (failedToStart && ++this.failedStarts === MAX_FAILED_STARTS) {
      const what = `${this.failedStarts} threads ended one after the other before they could do anything`;
      this.events.fail(new MachineLostError(`${what}; the last: ${reason}`, { cause }));
      return;
    }
    const loss = { machine, reason, cause, killed: isKill(ending) };
    this.repairing(() => this.repair.machineLost(loss, this.holdingsOf(machine)));
    this.sweepSoon();
  }

  /** Takes a step of the repair. If it finds that the memory makes no sense, the alarm has been rung, which ends the runtime. If it fails in any other way, nobody knows what is left undone, and the runtime ends as well. */
  private repairing(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (error instanceof CorruptMemoryError) return;
      const what = error instanceof Error ? error.message : String(error);
      this.events.fail(
        new CorruptMemoryError(`what a lost thread had left could not be put right: ${what}`, {
          cause: error,
        }),
      );
    }
  }

  private holdingsOf(machine: number): Holdings | undefined {
    const written = this.pool.holdingsOf(machine);
    return written && holdingsIn(this.host.memory, written);
  }

  /** sysmon's thread is over, though nobody asked it to end. True if another is to be started. */
  sysmonLost(cause: unknown): boolean {
    let tookPart = false;
    this.repairing(() => {
      tookPart = this.repair.sysmonLost();
    });
    this.failedMonitors = tookPart ? 0 : this.failedMonitors + 1;
    this.sweepSoon();
    if (this.failedMonitors < MAX_FAILED_STARTS) return true;
    const reason = reasonOf(cause);
    this.events.fail(new MachineLostError(`the sysmon thread cannot be started: ${reason}`, { cause }));
    return false;
  }

  /** The runtime has ended. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  // ── the sweep ──

  private sweepSoon(): void {
    this.delay = FIRST_LOOK_MS;
    if (this.busy) return;
    this.busy = true;
    this.repair.stop.rollCall();
    this.lookLater();
  }

  private lookLater(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => this.repairing(() => this.look()), this.delay).unref();
    this.delay = Math.min(LAST_LOOK_MS, this.delay * 2);
  }

  private look(): void {
    this.repair.seeToWork();
    this.repair.condemnOverdue();
    this.endAllCondemned();
    if (!this.repair.stop.haveAllPassed()) {
      this.lookLater();
      return;
    }
    this.repair.stop.ask();
    this.holdUntil(performance.now() + STOP_MS);
  }

  private holdUntil(end: number): void {
    if (this.stopped) {
      this.repair.stop.release();
      return;
    }
    // What has come in belongs to nobody's hands while nothing moves.
    this.host.drain();
    if (this.repair.stop.tryHold()) {
      this.sweep();
      return;
    }
    if (performance.now() < end) {
      setImmediate(() => this.repairing(() => this.holdUntil(end)));
      return;
    }
    this.repair.stop.release();
    this.repair.stop.rollCall();
    this.lookLater();
  }

  private sweep(): void {
    try {
      this.repair.sweep();
    } finally {
      this.busy = false;
      this.repair.stop.release();
    }
    this.repair.seeToWork();
  }
}

/** Whether the thread was ended by this side. */
function isKill(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "AbortError";
}

/** Why a thread ended, in words. */
function reasonOf(cause: unknown): string {
  if (cause === undefined) return "it left without being asked to";
  if (!(cause instanceof Error)) return typeof cause === "string" ? cause : "it threw what is no error";
  const exit = /^worker exited with code: (-?\d+)$/.exec(cause.message);
  if (exit !== null) return `process.exit(${exit[1]}) was called there`;
  return isKill(cause) ? "it was killed" : `${cause.name}: ${cause.message}`;
}
