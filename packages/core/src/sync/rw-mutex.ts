/** RWMutex: the public class and its operations. How it works: rw-mutex-protocol.ts. */

import { printsAs } from "../base/printing.ts";
import { REASON_RWMUTEX_LOCK, REASON_RWMUTEX_RLOCK, type WaitReason } from "../goroutine/wait-reason.ts";
import { G_WAITER, RW_ABANDONED, RW_OWNER, RW_READERS, RW_USE, W_RESULT } from "../memory/layout.ts";
import type { Frame } from "../scheduler/frames/frame.ts";
import type { Op } from "../scheduler/frames/types.ts";
import { ambientThread } from "../scheduler/thread/ambient.ts";
import { Operation } from "../scheduler/thread/operation.ts";
import { type ObjectTable, objectKind, objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import type { ReferenceKind } from "../values/references.ts";
import { type LockGuard } from "./lock-owner.ts";
import {
  abandonRead,
  abandonWrite,
  endRead,
  endWrite,
  endWriteUse,
  isAbandoned,
  queueReader,
  queueWriter,
  tryRead,
  tryWrite,
} from "./rw-mutex-protocol.ts";

/** The number of this kind, in values and records. */
export const RW_MUTEX_KIND = 5;

/**
 * A lock that any number of readers or one writer can hold. Go's sync.RWMutex.
 *
 * A writer that waits holds off new readers; a writer that leaves lets in all readers that wait. So neither starves, and a goroutine must not take the lock for reading while it holds it for
 * reading: a writer may have come to wait in between.
 *
 * It belongs to nobody: any goroutine may give back what another took. Travels by reference.
 *
 * @example
 * ```ts
 * function* lookUp(mu: RWMutex, table: SharedTable, key: string): Goroutine<number> {
 *   using _ = yield* mu.rlock();
 *   return table.get(key);
 * }
 * ```
 */
export class RWMutex {
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
    this.index = index ?? table.create(RW_MUTEX_KIND, 0);
    this.#base = table.baseOf(this.index);
    if (index !== undefined) return;
    table.i32[this.#base + RW_READERS] = 0;
    table.i32[this.#base + RW_READERS + 1] = 0;
    table.i32[this.#base + RW_OWNER] = 0;
    table.i32[this.#base + RW_ABANDONED] = 0;
    table.watch(this);
  }

  /** @internal */
  static is(value: object): value is RWMutex {
    return #base in value;
  }

  /** @internal */
  get base(): number {
    return this.#base;
  }

  /**
   * Waits until nobody reads or writes, and takes the lock for writing. The outcome unlocks when it is disposed of: once, and only if this locking has not been undone by `unlock` already.
   *
   * If a goroutine is lost with its thread while it writes, the lock is passed on, and the guards of those who get it, up to and including the next who writes, have `abandoned: true`: what the lock guards may be half changed.
   *
   * A goroutine that is cancelled while it waits leaves the queue and is thrown its cancellation; it does not hold the lock then.
   */
  lock(): Op<LockGuard> {
    return new WriteOperation(this);
  }

  /**
   * Whether the last writer was lost with its thread while it held the lock. So it stays until the next one has unlocked it: for a holder without a guard, after `tryLock` or `tryRLock`.
   */
  get abandoned(): boolean {
    return isAbandoned(this.table.i32, this.#base);
  }

  /** Takes the lock for writing if it is free. True if it did. Never waits. `abandoned` tells whether the last writer was lost with it. */
  tryLock(): boolean {
    return tryWrite(this.table.i32, this.#base, this.table.thread.ownerMark());
  }

  /**
   * Ends a writing. Never waits.
   *
   * @throws `MisuseError` "sync: Unlock of unlocked RWMutex"
   */
  unlock(): void {
    endWrite(this.table.thread, this.#base);
  }

  /**
   * Waits until nobody writes or waits to write, and takes the lock for reading. The outcome ends this reading when it is first disposed of. Readers are not told apart: after `runlock` do not dispose of it, too.
   *
   * A reading ends with the thread on which it was begun, if that is lost, also if another goroutine was to end it.
   *
   * A goroutine that is cancelled while it waits leaves the queue and is thrown its cancellation; it does not hold the lock then.
   */
  rlock(): Op<LockGuard> {
    return new ReadOperation(this);
  }

  /** Takes the lock for reading unless somebody writes or waits to write. True if it did. Never waits. */
  tryRLock(): boolean {
    const read = tryRead(this.table.i32, this.#base);
    if (read) this.countReading(1);
    return read;
  }

  /** Counts a reading that this thread has begun, or ended. @internal */
  countReading(change: 1 | -1): void {
    this.table.thread.holdings.readings[this.index] += change;
  }

  /**
   * Ends a reading. Never waits.
   *
   * @throws `MisuseError` "sync: RUnlock of unlocked RWMutex"
   */
  runlock(): void {
    endRead(this.table.thread, this.#base);
    this.countReading(-1);
  }
}

/** One writing. */
class WriteGuard implements LockGuard {
  private readonly mutex: RWMutex;
  private readonly use: number;
  readonly abandoned: boolean;

  constructor(mutex: RWMutex, use: number) {
    this.mutex = mutex;
    this.use = use;
    this.abandoned = mutex.abandoned;
  }

  [Symbol.dispose](): void {
    const { mutex } = this;
    endWriteUse(mutex.table.thread, mutex.base, this.use);
  }
}

/** One reading. */
class ReadGuard implements LockGuard {
  private mutex: RWMutex | undefined;
  readonly abandoned: boolean;

  constructor(mutex: RWMutex) {
    this.mutex = mutex;
    this.abandoned = mutex.abandoned;
  }

  [Symbol.dispose](): void {
    const { mutex } = this;
    this.mutex = undefined;
    mutex?.runlock();
  }
}

class WriteOperation extends Operation<LockGuard> {
  readonly reason: WaitReason = REASON_RWMUTEX_LOCK;
  /** Held, so that the record lives as long as somebody waits. */
  private readonly mutex: RWMutex;
  private readonly owner: number;

  constructor(mutex: RWMutex) {
    super(mutex.table.thread);
    this.mutex = mutex;
    this.owner = this.thread.ownerMark();
  }

  attempt(): boolean {
    return tryWrite(this.thread.i32, this.mutex.base, this.owner);
  }

  enqueue(goroutine: number, base: number): boolean {
    return queueWriter(this.thread, this.mutex.base, goroutine, base, this.owner);
  }

  abandon({ base }: Frame): boolean {
    return abandonWrite(this.thread, this.mutex.base, base);
  }

  finish(): LockGuard {
    return new WriteGuard(this.mutex, this.thread.i32[this.mutex.base + RW_USE]);
  }
}

class ReadOperation extends Operation<LockGuard> {
  readonly reason: WaitReason = REASON_RWMUTEX_RLOCK;
  /** Held, so that the record lives as long as somebody waits. */
  private readonly mutex: RWMutex;
  /** Where it has waited; 0 if it did not have to. */
  private waiter = 0;

  constructor(mutex: RWMutex) {
    super(mutex.table.thread);
    this.mutex = mutex;
  }

  attempt(): boolean {
    return tryRead(this.thread.i32, this.mutex.base);
  }

  enqueue(goroutine: number, base: number): boolean {
    if (!queueReader(this.thread, this.mutex.base, goroutine, base)) return false;
    this.waiter = base + G_WAITER;
    return true;
  }

  abandon({ base }: Frame): boolean {
    return abandonRead(this.thread, this.mutex.base, base);
  }

  finish(): LockGuard {
    const { mutex, waiter } = this;
    mutex.countReading(1);
    // It is counted now: no longer one that was let in and has not gone on.
    if (waiter !== 0) this.thread.i32[waiter + W_RESULT] = 0;
    return new ReadGuard(mutex);
  }
}

printsAs(RWMutex.prototype, ({ index }) => `RWMutex(${index})`);
for (const { prototype } of [WriteGuard, ReadGuard])
  printsAs<LockGuard>(prototype, ({ abandoned }) => `LockGuard { abandoned: ${abandoned} }`);

/** How RWMutexes travel in values. */
export function rwMutexKind(thread: Thread): ReferenceKind<RWMutex> {
  return objectKind(
    thread,
    RW_MUTEX_KIND,
    RWMutex.prototype,
    RWMutex.is,
    (table, index) => new RWMutex(table, index),
  );
}
