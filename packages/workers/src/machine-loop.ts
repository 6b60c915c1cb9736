/**
 * Drives a machine from its thread's event loop.
 *
 * `Machine.run` returns whenever the event loop should turn; here it is called again: after a turn, after the microtasks, or when the machine's park word is notified.
 *
 * It is never called from a microtask, always from an immediate or a `process.nextTick`: the engine runs no microtask inside another, and a body that blocks the thread in there would hold up the async
 * bodies that live on it. A thread that blocks runs nextTicks, too, so a turn may come while `run` is on the stack; it is dropped, since that `run` looks at everything before it leaves.
 */

import {
  CorruptMemoryError,
  EventLoopSleeper,
  hasLocks,
  LEAVE_CLOSED,
  LEAVE_EVENTS,
  LEAVE_MICROTASKS,
  type Machine,
  machineRecord,
  type SharedMemory,
  wake,
} from "@heddle/core";

/**
 * Ends the thread if a stack that overflowed has left one of the runtime's locks taken: what it guards is in the middle of a change, which the repair of dead threads finishes or takes back. To be asked where no call of the runtime's is
 * under way.
 *
 * @throws Error that nobody catches
 */
export function requireNoLocks(i32: Int32Array): void {
  if (hasLocks(i32)) throw new Error("a body's stack overflowed inside the runtime");
}

export class MachineLoop {
  /** Resolves when the runtime is closed. */
  readonly closed: Promise<void>;
  private readonly i32: Int32Array;
  private readonly record: number;
  private readonly sleeper: EventLoopSleeper;
  private readonly turnIfDue: () => void = () => {
    if (this.due) this.turn();
  };
  private machine: Machine | undefined;
  private asleep = false;
  private due = false;
  private running = false;
  /** Immediates of this loop that are set: they count among the thread's active resources until they run. */
  immediates = 0;
  private resolveClosed!: () => void;

  constructor(memory: SharedMemory, number: number) {
    this.i32 = memory.i32;
    this.record = machineRecord(memory, number);
    this.sleeper = new EventLoopSleeper(this.i32, this.record, () => {
      this.due = true;
      process.nextTick(this.turnIfDue);
    });
    this.closed = new Promise((resolve) => {
      this.resolveClosed = resolve;
    });
  }

  /** Runs the machine from now on. */
  start(machine: Machine): void {
    this.machine = machine;
    this.due = true;
    process.nextTick(this.turnIfDue);
  }

  /** The machine should run soon. */
  requestRun(): void {
    if (this.asleep) wake(this.i32, this.record);
    if (this.due) return;
    this.due = true;
    process.nextTick(this.turnIfDue);
  }

  private turn(): void {
    this.due = false;
    if (this.machine === undefined || this.running) return;
    this.asleep = false;
    this.running = true;
    let why: number;
    try {
      why = this.machine.run();
    } catch (error) {
      if (!(error instanceof CorruptMemoryError)) throw error;
      // The alarm has been rung: this thread touches nothing any more, and is ended by the host.
      this.machine = undefined;
      return;
    } finally {
      this.running = false;
    }
    requireNoLocks(this.i32);
    if (why === LEAVE_CLOSED) this.resolveClosed();
    else if (why === LEAVE_EVENTS) this.sleep();
    else this.turnLater(why);
  }

  private turnLater(why: number): void {
    this.due = true;
    if (why === LEAVE_MICROTASKS) {
      // Behind the microtasks that are there. (A nextTick from here would come before them.)
      queueMicrotask(() => process.nextTick(this.turnIfDue));
      return;
    }
    this.immediates++;
    setImmediate(() => {
      this.immediates--;
      this.turnIfDue();
    });
  }

  private sleep(): void {
    this.asleep = true;
    this.sleeper.sleep();
  }
}
