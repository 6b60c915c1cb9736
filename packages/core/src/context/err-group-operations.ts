/** What goroutines wait for at an ErrGroup: that a member has started, and that all have ended. */

import { enqueueWaiter, ownWaiter, removeWaiter } from "../goroutine/wait-queue.ts";
import { REASON_ERRGROUP, type WaitReason } from "../goroutine/wait-reason.ts";
import { E_STARTERS, E_WAITERS, G_WAITER, W_RESULT } from "../memory/layout.ts";
import type { Frame } from "../scheduler/frames/frame.ts";
import { Operation } from "../scheduler/thread/operation.ts";
import type { Group } from "./err-group-record.ts";

/** Waits in one of a group's queues. */
abstract class InGroup extends Operation<void> {
  readonly reason: WaitReason = REASON_ERRGROUP;
  protected readonly group: Group;
  protected abstract readonly queue: number;
  /** Keeps the group's record while somebody waits. */
  protected readonly holder: object;

  constructor(group: Group, holder: object) {
    super(group.thread);
    this.group = group;
    this.holder = holder;
  }

  abstract isReady(): boolean;
  protected abstract ticket(): number;

  attempt(): boolean {
    return this.group.locked(() => this.isReady());
  }

  enqueue(goroutine: number, base: number): boolean {
    const { group, thread } = this;
    return group.locked(() => {
      if (this.isReady()) return false;
      const waiter = ownWaiter(thread.i32, base, goroutine);
      thread.i32[waiter + W_RESULT] = this.ticket();
      enqueueWaiter(thread.i32, group.base + this.queue, waiter);
      return true;
    });
  }

  abandon({ base }: Frame): boolean {
    const { group, thread } = this;
    return group.locked(() => removeWaiter(thread.i32, group.base + this.queue, base + G_WAITER));
  }
}

/** Waits until the member with a ticket has started. */
export class StartedOperation extends InGroup {
  protected readonly queue: number = E_STARTERS;
  private readonly number: number;

  constructor(group: Group, number: number, holder: object) {
    super(group, holder);
    this.number = number;
  }

  isReady(): boolean {
    return this.group.hasStarted(this.number);
  }

  protected ticket(): number {
    return this.number;
  }

  finish(): void {}
}

/** Waits until all members have ended. */
export class FinishedOperation extends InGroup {
  protected readonly queue: number = E_WAITERS;

  isReady(): boolean {
    return this.group.isOver();
  }

  protected ticket(): number {
    return 0;
  }

  finish(): void {
    this.group.settle();
  }
}
