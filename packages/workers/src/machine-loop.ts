/**
 * Drives a machine from its thread's event loop.
 *
 * `Machine.run` returns whenever the event loop should turn; here it is called again: after a turn, after the microtasks, or when the machine's park word is notified.
 */

import {
  EventLoopSleeper,
  LEAVE_CLOSED,
  LEAVE_EVENTS,
  LEAVE_MICROTASKS,
  type Machine,
  machineRecord,
  type SharedMemory,
  wake,
} from "@heddle/core";

export class MachineLoop {
  /** Resolves when the runtime is closed. */
  readonly closed: Promise<void>;
  private readonly i32: Int32Array;
  private readonly record: number;
  private readonly sleeper: EventLoopSleeper;
  private machine: Machine | undefined;
  private asleep = false;
  private due = false;
  /** Immediates of this loop that are set or running: they count among the thread's active resources. */
  immediates = 0;
  private resolveClosed!: () => void;

  constructor(memory: SharedMemory, number: number) {
    this.i32 = memory.i32;
    this.record = machineRecord(memory, number);
    this.sleeper = new EventLoopSleeper(this.i32, this.record, () => this.turn());
    this.closed = new Promise((resolve) => {
      this.resolveClosed = resolve;
    });
  }

  /** Runs the machine from now on. */
  start(machine: Machine): void {
    this.machine = machine;
    this.turn();
  }

  /** The machine should run soon. */
  requestRun(): void {
    if (this.asleep) wake(this.i32, this.record);
    if (this.due) return;
    this.due = true;
    queueMicrotask(() => {
      if (this.due) this.turn();
    });
  }

  private turn(): void {
    if (this.machine === undefined) return;
    this.due = false;
    this.asleep = false;
    const why = this.machine.run();
    if (why === LEAVE_CLOSED) this.resolveClosed();
    else if (why === LEAVE_EVENTS) this.sleep();
    else this.turnLater(why);
  }

  private turnLater(why: number): void {
    this.due = true;
    const turn = (): void => {
      if (this.due) this.turn();
    };
    if (why === LEAVE_MICROTASKS) {
      queueMicrotask(turn);
      return;
    }
    this.immediates++;
    setImmediate(() => {
      turn();
      this.immediates--;
    });
  }

  private sleep(): void {
    this.asleep = true;
    this.sleeper.sleep();
  }
}
