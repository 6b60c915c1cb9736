/** RWMutex: the public class and its operations. How it works: rw-mutex-protocol.ts. */

import { REASON_RWMUTEX_LOCK, REASON_RWMUTEX_RLOCK, type WaitReason } from "../goroutine/wait-reason.ts";
import { RW_READERS, RW_USE } from "../memory/layout.ts";
import { ambientThread } from "../scheduler/ambient.ts";
import type { Frame } from "../scheduler/frame.ts";
import { Operation } from "../scheduler/operation.ts";
import { type ObjectTable, objectKind, objectsOf } from "../scheduler/shared-object.ts";
import type { Thread } from "../scheduler/thread.ts";
import type { Op } from "../scheduler/types.ts";
import type { ReferenceKind } from "../values/references.ts";
import {
  abandonRead,
  abandonWrite,
  endRead,
  endWrite,
  endWriteUse,
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
   * A goroutine that is cancelled while it waits leaves the queue and is thrown its cancellation; it does not hold the lock then.
   */
  lock(): Op<Disposable> {
    return new WriteOperation(this);
  }

  /** Takes the lock for writing if it is free. True if it did. Never waits. */
  tryLock(): boolean {
    return tryWrite(this.table.i32, this.#base);
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
   * A goroutine that is cancelled while it waits leaves the queue and is thrown its cancellation; it does not hold the lock then.
   */
  rlock(): Op<Disposable> {
    return new ReadOperation(this);
  }

  /** Takes the lock for reading unless somebody writes or waits to write. True if it did. Never waits. */
  tryRLock(): boolean {
    return tryRead(this.table.i32, this.#base);
  }

  /**
   * Ends a reading. Never waits.
   *
   * @throws `MisuseError` "sync: RUnlock of unlocked RWMutex"
   */
  runlock(): void {
    endRead(this.table.thread, this.#base);
  }
}

/** One writing. */
class WriteGuard implements Disposable {
  private readonly mutex: RWMutex;
  private readonly use: number;

  constructor(mutex: RWMutex, use: number) {
    this.mutex = mutex;
    this.use = use;
  }

  [Symbol.dispose](): void {
    const { mutex } = this;
    endWriteUse(mutex.table.thread, mutex.base, this.use);
  }
}

/** One reading. */
class ReadGuard implements Disposable {
  private mutex: RWMutex | undefined;

  constructor(mutex: RWMutex) {
    this.mutex = mutex;
  }

  [Symbol.dispose](): void {
    const { mutex } = this;
    this.mutex = undefined;
    mutex?.runlock();
  }
}

class WriteOperation extends Operation<Disposable> {
  readonly reason: WaitReason = REASON_RWMUTEX_LOCK;
  /** Held, so that the record lives as long as somebody waits. */
  private readonly mutex: RWMutex;

  constructor(mutex: RWMutex) {
    super(mutex.table.thread);
    this.mutex = mutex;
  }

  attempt(): boolean {
    return tryWrite(this.thread.i32, this.mutex.base);
  }

  enqueue(goroutine: number, base: number): boolean {
    return queueWriter(this.thread, this.mutex.base, goroutine, base);
  }

  abandon({ base }: Frame): boolean {
    return abandonWrite(this.thread, this.mutex.base, base);
  }

  finish(): Disposable {
    return new WriteGuard(this.mutex, this.thread.i32[this.mutex.base + RW_USE]);
  }
}

class ReadOperation extends Operation<Disposable> {
  readonly reason: WaitReason = REASON_RWMUTEX_RLOCK;
  /** Held, so that the record lives as long as somebody waits. */
  private readonly mutex: RWMutex;

  constructor(mutex: RWMutex) {
    super(mutex.table.thread);
    this.mutex = mutex;
  }

  attempt(): boolean {
    return tryRead(this.thread.i32, this.mutex.base);
  }

  enqueue(goroutine: number, base: number): boolean {
    return queueReader(this.thread, this.mutex.base, goroutine, base);
  }

  abandon({ base }: Frame): boolean {
    return abandonRead(this.thread, this.mutex.base, base);
  }

  finish(): Disposable {
    return new ReadGuard(this.mutex);
  }
}

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
