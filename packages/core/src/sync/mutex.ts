/** Mutex: the public class and its operation. How it works: mutex-protocol.ts. */

import { printsAs } from "../base/printing.ts";
import { REASON_MUTEX_LOCK, type WaitReason, waitReasonName } from "../goroutine/wait-reason.ts";
import { MUTEX_USE } from "../memory/layout.ts";
import type { Frame } from "../scheduler/frames/frame.ts";
import type { Suspension } from "../scheduler/frames/suspension.ts";
import type { Op } from "../scheduler/frames/types.ts";
import { ambientThread } from "../scheduler/thread/ambient.ts";
import { Operation, usedTwice } from "../scheduler/thread/operation.ts";
import { type ObjectTable, objectKind, objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import type { ReferenceKind } from "../values/references.ts";
import type { LockGuard } from "./lock-owner.ts";
import { isAbandoned, isAbandonedUse, LockWait, takeFree, unlock, unlockUse } from "./mutex-protocol.ts";

/** The number of this kind, in values and records. */
export const MUTEX_KIND = 4;

/**
 * A mutual exclusion lock. Go's sync.Mutex.
 *
 * It belongs to nobody: any goroutine may unlock what another has locked, and a goroutine that locks it twice waits for itself. Who runs may take a free lock before those that wait, which is what makes
 * it fast; but once somebody has waited for more than a millisecond, the lock is handed over in the order in which they came.
 *
 * Travels by reference: a Mutex among a goroutine's arguments, or deep inside them, is the same Mutex there.
 *
 * @example
 * ```ts
 * const deposit = goroutine(import.meta, function* deposit(mu: Mutex, account: Int32Array): Goroutine<void> {
 *   using _ = yield* mu.lock();
 *   account[0] += 1;
 * });
 * ```
 */
export class Mutex {
  /** @internal */
  readonly table: ObjectTable;
  /** @internal */
  readonly index: number;
  readonly #base: number;
  /** The last locking. */
  #locking: Locking;

  /** @throws `NoRuntimeError` without an ambient runtime, `MemoryLimitError` when there are too many sync objects */
  constructor();
  /** @internal */
  constructor(table: ObjectTable, index: number);
  constructor(table: ObjectTable = objectsOf(ambientThread()), index?: number) {
    this.table = table;
    this.index = index ?? table.create(MUTEX_KIND, 0);
    this.#base = table.baseOf(this.index);
    this.#locking = new Locking(this);
    if (index !== undefined) return;
    // What the record's last owner left of it; the number of uses may go on from there.
    table.i32[this.#base + MUTEX_USE] = 0;
    table.watch(this);
  }

  /** @internal */
  static is(value: object): value is Mutex {
    return #base in value;
  }

  /** @internal */
  get base(): number {
    return this.#base;
  }

  /** @internal */
  take(): number {
    const { i32, thread } = this.table;
    return takeFree(i32, this.#base, thread.ownerMark());
  }

  /**
   * Waits until nobody holds the lock, and takes it. The outcome unlocks when it is disposed of, at the end of the scope with `using`: once, and only if this locking has not been undone by `unlock` already.
   *
   * If a goroutine is lost with its thread while it holds the lock, the lock goes to the next in the queue, whose guard has `abandoned: true`: what the lock guards may be half changed.
   *
   * A goroutine that is cancelled while it waits leaves the queue and is thrown its cancellation; it does not hold the lock then.
   *
   * @example
   * ```ts
   * using guard = yield* mu.lock();
   * if (guard.abandoned) rebuild(index);
   * ```
   */
  lock(): Op<LockGuard> {
    if (!this.#locking.renew()) this.#locking = new Locking(this);
    return this.#locking;
  }

  /**
   * Whether the lock was taken from a goroutine that was lost with its thread while it held it. So it stays until whoever holds it next has unlocked it: for a holder without a guard, after `tryLock`, or after `Cond.wait`, during
   * which others may have held the lock.
   */
  get abandoned(): boolean {
    return isAbandoned(this.table.i32, this.#base);
  }

  /** Takes the lock if nobody holds it. True if it did. Never waits. `abandoned` tells whether it came from one who was lost with it. */
  tryLock(): boolean {
    return this.take() !== 0;
  }

  /**
   * Gives the lock up. Never waits, and may be called outside goroutines.
   *
   * @throws `MisuseError` "sync: unlock of unlocked mutex"
   */
  unlock(): void {
    unlock(this.table.thread, this.#base);
  }
}

/** One locking of a mutex. It is also what the iterator that takes the lock returns, with itself as the value: one object less for each locking. */
class MutexGuard implements LockGuard, IteratorReturnResult<LockGuard> {
  // Declared, and assigned in the constructor: V8 takes twice as long over an object with field initialisers.
  declare private readonly mutex: Mutex;
  declare private readonly use: number;

  constructor(mutex: Mutex, use: number) {
    this.mutex = mutex;
    this.use = use;
  }

  get done(): true {
    return true;
  }

  get value(): LockGuard {
    return this;
  }

  get abandoned(): boolean {
    return isAbandonedUse(this.use);
  }

  [Symbol.dispose](): void {
    const { mutex } = this;
    unlockUse(mutex.table.thread, mutex.base, this.use);
  }
}

/**
 * `lock()`: small, since mostly the lock is free. What it takes to wait is made when somebody has to.
 *
 * One that has taken the lock at once has done its work, and serves the mutex's next locking. (A program that goes on using it, which is an error, may then not be told, but take the lock in the place of whoever asked for it.)
 */
class Locking implements Op<LockGuard> {
  declare private readonly mutex: Mutex;
  /** `null` once the lock was taken at once. */
  declare private operation: LockOperation | null | undefined;

  constructor(mutex: Mutex) {
    this.mutex = mutex;
    this.operation = undefined;
  }

  [Symbol.iterator](): Iterator<Suspension, LockGuard, unknown> {
    return this;
  }

  /** Makes it ready for another locking, if it has taken the lock at once. */
  renew(): boolean {
    if (this.operation !== null) return false;
    this.operation = undefined;
    return true;
  }

  next(): IteratorResult<Suspension, LockGuard> {
    if (this.operation !== undefined) return this.compete().next();
    const { mutex } = this;
    const use = mutex.take();
    if (use === 0) return this.compete().next();
    this.operation = null;
    return new MutexGuard(mutex, use);
  }

  then<A = LockGuard, B = never>(
    onFulfilled?: ((value: LockGuard) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.compete().then(onFulfilled, onRejected);
  }

  block(): LockGuard {
    return this.compete().block();
  }

  private compete(): LockOperation {
    if (this.operation === null) throw usedTwice();
    this.operation ??= new LockOperation(this.mutex);
    return this.operation;
  }
}

/** A goroutine's wait for a mutex. */
class LockOperation extends Operation<LockGuard> {
  readonly reason: WaitReason = REASON_MUTEX_LOCK;
  /** Held, so that the record lives as long as somebody waits. */
  private readonly mutex: Mutex;
  private readonly wait: LockWait;

  constructor(mutex: Mutex) {
    super(mutex.table.thread);
    this.mutex = mutex;
    this.wait = new LockWait(this.thread, mutex.base);
  }

  attempt(): boolean {
    return this.wait.attempt();
  }

  enqueue(goroutine: number, base: number): boolean {
    return this.wait.enqueue(goroutine, base);
  }

  override resume(interrupt: Error | undefined): boolean {
    return this.wait.resume(interrupt);
  }

  abandon({ base }: Frame): boolean {
    return this.wait.abandon(base);
  }

  finish(): LockGuard {
    return new MutexGuard(this.mutex, this.wait.use);
  }
}

printsAs(Mutex.prototype, ({ index }) => `Mutex(${index})`);
printsAs(MutexGuard.prototype, ({ abandoned }) => `LockGuard { abandoned: ${abandoned} }`);
printsAs(Locking.prototype, () => `Op { ${waitReasonName(REASON_MUTEX_LOCK)} }`);

/** How Mutexes travel in values. */
export function mutexKind(thread: Thread): ReferenceKind<Mutex> {
  return objectKind(thread, MUTEX_KIND, Mutex.prototype, Mutex.is, (table, index) => new Mutex(table, index));
}
