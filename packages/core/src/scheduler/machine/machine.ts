/**
 * A machine: a thread that runs goroutines while it holds a processor.
 *
 * `run` is called from the thread's event loop and returns to it: every few milliseconds (promises, finalizers and the inspector live there), when an async body waits for its microtasks, and
 * when there is nothing to do but something pending that only the event loop can bring on. With nothing pending it sleeps inside, in `Atomics.wait`.
 */

import { M_IN_LOOP, P_CURRENT, P_GIVE_UP, SCHED_CLOSING } from "../../memory/layout.ts";
import { CLOSED } from "../idle/idle-coordinator.ts";
import { enterWorld } from "../idle/world-stop.ts";
import { BlockingMachine } from "./blocking.ts";
import { LEAVE_CLOSED, LEAVE_TURN } from "./processor-holding.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const GIVE_UP = P_GIVE_UP;
const CURRENT = P_CURRENT;

/** How long a machine runs before it returns to its event loop. */
const TURN_MS = 4;
/** Goroutines between two looks at the clock, at most: short enough that a change of pace is noticed within a slice or so. */
const MAX_CLOCK_STRIDE = 64;
/** Goroutines that may run between an async body's step and its microtasks. */
const MICROTASKS_AFTER = 32;

export class Machine extends BlockingMachine {
  /**
   * Runs goroutines until there is a reason to return to the event loop: one of the `LEAVE_` values. To be called from the event loop itself, not from a microtask: what it runs may block the thread, and
   * then the thread's async bodies must be able to go on (see `runMicrotasks`).
   */
  run(): number {
    if (Atomics.load(this.i32, SCHED_CLOSING) === CLOSED) return LEAVE_CLOSED;
    if (!this.arrived) this.enter();
    this.running = true;
    Atomics.store(this.i32, this.machineRecord + M_IN_LOOP, 0);
    this.lastClock = this.clock();
    this.turnEnds = this.lastClock + TURN_MS;
    this.untilClock = this.clockStride;
    try {
      this.runTimers(this.processor, this.lastClock);
      return this.runLoop();
    } finally {
      this.running = false;
      // Between turns nothing runs that sysmon could ask to give way.
      if (this.processor >= 0) this.i32[this.processorBase + CURRENT] = 0;
    }
  }

  /** Takes part from now on, unless all are stopped just now. */
  private enter(): void {
    enterWorld(this.i32, this.machineRecord);
    this.pauseIfAsked();
  }

  protected runLoop(): number {
    for (;;) {
      if (this.processor < 0 || this.listed) {
        const leave = this.obtainProcessor();
        if (leave !== 0) return leave;
      }
      if (this.i32[this.processorBase + GIVE_UP] !== 0 && this.giveUpProcessor()) continue;
      let goroutine = this.pick();
      if (goroutine === 0) {
        if (this.microtasksDue > 0) {
          const leave = this.serveMicrotasks();
          if (leave !== 0) return leave;
          continue;
        }
        goroutine = this.search();
        if (goroutine === 0) continue;
      }
      this.runOne(goroutine);
      if (this.microtasksDue > 0 && ++this.microtasksDue > MICROTASKS_AFTER) {
        const leave = this.serveMicrotasks();
        if (leave !== 0) return leave;
      }
      if (--this.untilClock === 0 && this.turnIsOver()) return LEAVE_TURN;
    }
  }

  /** Looks at the clock, rarely: after as many goroutines as, at the present pace, use half of what is left of the turn. */
  protected turnIsOver(): boolean {
    const now = this.clock();
    this.runTimers(this.processor, now);
    const left = this.turnEnds - now;
    const each = this.notePace(now);
    this.clockStride = Math.max(1, Math.min(MAX_CLOCK_STRIDE, Math.floor(left / 2 / each)));
    this.untilClock = this.clockStride;
    if (left > 0) return Atomics.load(this.i32, SCHED_CLOSING) === CLOSED;
    this.clockStride = Math.max(1, Math.min(MAX_CLOCK_STRIDE, Math.floor(TURN_MS / 2 / each)));
    this.ranSinceTurn = false;
    return true;
  }
}
