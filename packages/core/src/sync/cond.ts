/**
 * Cond: goroutines wait for a change of what a mutex guards.
 *
 * A waiter queues before it unlocks the mutex. So whoever changes the condition under the mutex, and signals afterwards, with or without the mutex held, finds it in the queue: no signal is lost between the unlock and the wait.
 */

import { MisuseError } from "../base/errors.ts";
import { printsAs } from "../base/printing.ts";
import {
  dequeueWaiter,
  drainWaiters,
  enqueueWaiter,
  goroutineOf,
  ownWaiter,
  removeWaiter,
} from "../goroutine/wait-queue.ts";
import { REASON_COND_WAIT, REASON_MUTEX_LOCK, type WaitReason } from "../goroutine/wait-reason.ts";
import { COND_MUTEX, COND_WAITERS, G_WAITER, O_LOCK } from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import type { Frame } from "../scheduler/frames/frame.ts";
import type { Op } from "../scheduler/frames/types.ts";
import { Operation } from "../scheduler/thread/operation.ts";
import { type ObjectTable, objectKind, objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import type { ReferenceKind } from "../values/references.ts";
import { Mutex } from "./mutex.ts";
import { continueUse, currentUse, isLocked, LockWait, unlock } from "./mutex-protocol.ts";

/** The number of this kind, in values and records. */
export const COND_KIND = 7;

/**
 * Where goroutines wait for a condition to come true that a mutex guards. Go's sync.Cond.
 *
 * Those that wait are woken in the order in which they came. Between being woken and holding the mutex again others may have held it, so the condition is checked in a loop.
 * When a thread dies that used the condition, all are woken, since the one that was signalled last may be lost.
 *
 * Travels by reference, and takes its mutex along: `cond.mutex` is the same mutex there.
 *
 * @example
 * ```ts
 * using _ = yield* cond.mutex.lock();
 * while (queue.isEmpty()) yield* cond.wait();
 * return queue.take();
 * ```
 */
export class Cond {
  /** The mutex that guards the condition. Go's L. */
  readonly mutex: Mutex;
  /** @internal */
  readonly table: ObjectTable;
  /** @internal */
  readonly index: number;
  readonly #base: number;

  /**
   * @param mutex guards the condition
   * @throws `TypeError` if that is no Mutex; `MemoryLimitError` when there are too many sync objects
   */
  constructor(mutex: Mutex);
  /** @internal */
  constructor(mutex: Mutex, index: number);
  constructor(mutex: Mutex, index?: number) {
    if (mutex === null || typeof mutex !== "object" || !Mutex.is(mutex)) {
      throw new TypeError(`Cond: mutex must be a Mutex, not ${mutex === null ? "null" : typeof mutex}`);
    }
    const { table } = mutex;
    this.mutex = mutex;
    this.table = table;
    this.index = index ?? table.create(COND_KIND, 0);
    this.#base = table.baseOf(this.index);
    if (index !== undefined) return;
    // The record's own reference: the mutex lives as long as the condition, whoever holds that.
    table.retain(mutex.index);
    table.i32[this.#base + COND_MUTEX] = mutex.index;
    table.watch(this);
  }

  /** @internal */
  static is(value: object): value is Cond {
    return #base in value;
  }

  /** @internal */
  get base(): number {
    return this.#base;
  }

  /**
   * Unlocks the mutex, which must be held, waits for a signal, and locks the mutex again before it goes on.
   *
   * A goroutine that is cancelled while it waits is thrown its cancellation, after it has locked the mutex again, as `finally` blocks and `using` expect; it takes no signal away from the others then.
   *
   * @throws `MisuseError` "sync: unlock of unlocked mutex"
   */
  wait(): Op<void> {
    return new CondWait(this);
  }

  /** Wakes the one that has waited longest, if any. The mutex may be held, but need not be. Never waits. */
  signal(): void {
    const { thread, i32 } = this.table;
    const base = this.#base;
    // A plain look does: a waiter that this must not miss queued before it unlocked the mutex, and the caller has locked it since.
    if (i32[base + COND_WAITERS] === 0) return;
    acquire(i32, base + O_LOCK, thread.number);
    const waiter = dequeueWaiter(i32, base + COND_WAITERS, thread.descriptors);
    release(i32, base + O_LOCK);
    if (waiter !== 0) thread.ready(goroutineOf(i32, waiter));
  }

  /** Wakes all that wait. The mutex may be held, but need not be. Never waits. */
  broadcast(): void {
    const { thread, i32 } = this.table;
    const base = this.#base;
    if (i32[base + COND_WAITERS] === 0) return; // as in signal
    acquire(i32, base + O_LOCK, thread.number);
    const woken = drainWaiters(i32, base + COND_WAITERS, thread.descriptors);
    release(i32, base + O_LOCK);
    thread.readyAll(woken);
  }
}

/** Waits for the signal, then for the mutex. The second wait cannot be cancelled: whoever waited holds the mutex in the end. */
class CondWait extends Operation<void> {
  reason: WaitReason = REASON_COND_WAIT;
  /** Held, so that the record lives as long as somebody waits. */
  private readonly cond: Cond;
  private readonly lock: LockWait;
  private locking = false;
  /** The use in which the mutex was held, and will be. */
  private heldIn = 0;
  /** The mutex was not held. */
  private misuse: unknown = undefined;
  /** The cancellation, to be thrown when the mutex is held again. */
  private interrupt: Error | undefined = undefined;

  constructor(cond: Cond) {
    super(cond.table.thread);
    this.cond = cond;
    this.lock = new LockWait(this.thread, cond.mutex.base);
  }

  attempt(): boolean {
    if (this.locking) return this.lock.attempt();
    if (!isLocked(this.thread.i32, this.cond.mutex.base))
      throw new MisuseError("sync: unlock of unlocked mutex");
    return false;
  }

  enqueue(goroutine: number, base: number): boolean {
    if (this.locking) return this.lock.enqueue(goroutine, base);
    const { i32, number } = this.thread;
    const cond = this.cond.base;
    acquire(i32, cond + O_LOCK, number);
    enqueueWaiter(i32, cond + COND_WAITERS, ownWaiter(i32, base, goroutine));
    release(i32, cond + O_LOCK);
    this.heldIn = currentUse(i32, this.cond.mutex.base);
    try {
      unlock(this.thread, this.cond.mutex.base);
    } catch (error) {
      // Somebody else unlocked it just now. If a signal has come already, its wake-up must be waited for.
      this.misuse = error;
      return !this.leave(base);
    }
    return true;
  }

  override resume(interrupt: Error | undefined): boolean {
    if (this.misuse !== undefined) return true;
    this.interrupt ??= interrupt;
    if (!this.locking) {
      this.locking = true;
      this.reason = REASON_MUTEX_LOCK;
      return this.lock.attempt();
    }
    // A cancellation on the way to the mutex waits until it is held.
    return interrupt === undefined && this.lock.resume(undefined);
  }

  abandon({ base }: Frame): boolean {
    return !this.locking && this.leave(base);
  }

  private leave(base: number): boolean {
    const { i32, number } = this.thread;
    const cond = this.cond.base;
    acquire(i32, cond + O_LOCK, number);
    const found = removeWaiter(i32, cond + COND_WAITERS, base + G_WAITER);
    release(i32, cond + O_LOCK);
    return found;
  }

  finish(): void {
    if (this.misuse !== undefined) throw this.misuse;
    continueUse(this.thread.i32, this.cond.mutex.base, this.heldIn);
    if (this.interrupt !== undefined) throw this.interrupt;
  }
}

printsAs(Cond.prototype, ({ index }) => `Cond(${index})`);

/** How Conds travel in values. */
export function condKind(thread: Thread): ReferenceKind<Cond> {
  const table = objectsOf(thread);
  table.disposeWith(COND_KIND, (base) => table.release(table.i32[base + COND_MUTEX]));
  return objectKind(thread, COND_KIND, Cond.prototype, Cond.is, (_table, index) => {
    const mutex = table.i32[table.baseOf(index) + COND_MUTEX];
    table.retain(mutex);
    return new Cond(
      table.adopt(mutex, (_, known) => new Mutex(table, known)),
      index,
    );
  });
}
