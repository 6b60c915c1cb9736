/** Mutex: the public class and its operation. How it works: mutex-protocol.ts. */

import { REASON_MUTEX_LOCK, type WaitReason } from "../goroutine/wait-reason.ts";
import { ambientThread } from "../scheduler/ambient.ts";
import type { Frame } from "../scheduler/frame.ts";
import { FRESH, Operation, proceed, type Suspension, USED } from "../scheduler/operation.ts";
import { type ObjectTable, objectKind, objectsOf, type SharedObject } from "../scheduler/shared-object.ts";
import type { Thread } from "../scheduler/thread.ts";
import type { Op } from "../scheduler/types.ts";
import type { ReferenceKind } from "../values/references.ts";
import { LockWait, tryTake, unlock, unlockUse } from "./mutex-protocol.ts";

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
export class Mutex implements SharedObject {
  /** @internal */
  readonly table: ObjectTable;
  /** @internal */
  readonly index: number;
  readonly #base: number;

  /** @throws `NoRuntimeError` without an ambient runtime, `MemoryLimitError` when there are too many sync objects */
  constructor();
  /** @internal */
  constructor(table: ObjectTable, index: number);
  constructor(table: ObjectTable = objectsOf(ambientThread()), index?: number) {
    this.table = table;
    this.index = index ?? table.create(MUTEX_KIND, 0);
    this.#base = table.baseOf(this.index);
    if (index === undefined) table.watch(this);
  }

  /** @internal */
  static is(value: object): value is Mutex {
    return #base in value;
  }

  /** @internal */
  get base(): number {
    return this.#base;
  }

  /**
   * Waits until nobody holds the lock, and takes it. The outcome unlocks when it is disposed of, at the end of the scope with `using`: once, and only if this locking has not been undone by `unlock` already.
   *
   * A goroutine that is cancelled while it waits leaves the queue and is thrown its cancellation; it does not hold the lock then.
   */
  lock(): Op<Disposable> {
    return new LockOperation(this, this.#base);
  }

  /** Takes the lock if nobody holds it. True if it did. Never waits. */
  tryLock(): boolean {
    return tryTake(this.table.i32, this.#base) !== 0;
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

/** One locking of a mutex. */
class MutexGuard implements Disposable {
  private readonly mutex: Mutex;
  private readonly use: number;

  constructor(mutex: Mutex, use: number) {
    this.mutex = mutex;
    this.use = use;
  }

  [Symbol.dispose](): void {
    const { mutex } = this;
    unlockUse(mutex.table.thread, mutex.base, this.use);
  }
}

class LockOperation extends Operation<Disposable> {
  /** Held, so that the record lives as long as somebody waits. */
  private readonly mutex: Mutex;
  private readonly base: number;
  /** The use in which the first attempt took the lock; 0 if it did not. */
  private taken = 0;
  /** Made when the first attempt has failed: few do. */
  private wait: LockWait | undefined = undefined;

  constructor(mutex: Mutex, base: number) {
    super(mutex.table.thread);
    this.mutex = mutex;
    this.base = base;
  }

  get reason(): WaitReason {
    return REASON_MUTEX_LOCK;
  }

  /** A free lock is taken here, before the way that all operations share: an uncontended lock is one compare-and-swap and little else. */
  override next(): IteratorResult<Suspension, Disposable> {
    if (this.state === FRESH) {
      const use = tryTake(this.thread.i32, this.base);
      if (use !== 0) {
        this.state = USED;
        return proceed<Disposable>(new MutexGuard(this.mutex, use));
      }
    }
    return super.next();
  }

  attempt(): boolean {
    if (this.wait !== undefined) return this.wait.attempt();
    this.taken = tryTake(this.thread.i32, this.base);
    return this.taken !== 0;
  }

  enqueue(goroutine: number, base: number): boolean {
    this.wait ??= new LockWait(this.thread, this.base);
    return this.wait.enqueue(goroutine, base);
  }

  override resume(interrupt: Error | undefined): boolean {
    return (this.wait as LockWait).resume(interrupt);
  }

  abandon({ base }: Frame): boolean {
    return (this.wait as LockWait).abandon(base);
  }

  finish(): Disposable {
    return new MutexGuard(this.mutex, this.wait?.use ?? this.taken);
  }
}

/** How Mutexes travel in values. */
export function mutexKind(thread: Thread): ReferenceKind<Mutex> {
  return objectKind(thread, MUTEX_KIND, Mutex.prototype, Mutex.is, (table, index) => new Mutex(table, index));
}
