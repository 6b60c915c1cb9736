/**
 * WaitGroup: waits for a number of goroutines to end.
 *
 * The counter changes by compare-and-swap without the lock, except for the step to 0, which is made under it and takes the waiters along. A waiter queues under the
 * lock after it has seen a counter above 0. So a waiter that queued is there when the counter reaches 0, and one that comes later sees 0; and those who wait for the next
 * round, after the counter has been raised again, are not woken by this one.
 */

import { MisuseError } from "../base/errors.ts";
import { show } from "../base/show.ts";
import type { Body } from "../goroutine/functions.ts";
import { drainWaiters, enqueueWaiter, ownWaiter, removeWaiter } from "../goroutine/wait-queue.ts";
import { REASON_WAITGROUP_WAIT } from "../goroutine/wait-reason.ts";
import { G_WAITER, O_HEAD, O_LOCK, O_VALUE } from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import type { Frame } from "../scheduler/frames/frame.ts";
import type { GoFunction, Op } from "../scheduler/frames/types.ts";
import { ambientThread } from "../scheduler/thread/ambient.ts";
import type { EndHook } from "../scheduler/thread/end-hook.ts";
import { Operation } from "../scheduler/thread/operation.ts";
import { type ObjectTable, objectKind, objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import type { ReferenceKind } from "../values/references.ts";

/** The number of this kind, in values and records. */
export const WAIT_GROUP_KIND = 1;

/** The largest counter: Go's is 32 bits wide, too. */
const MAX_COUNT = 2 ** 31 - 1;

/**
 * A counter that goroutines wait on to become 0. Go's sync.WaitGroup.
 *
 * Travels by reference: a WaitGroup among a goroutine's arguments is the same WaitGroup there.
 *
 * @example
 * ```ts
 * const wg = new WaitGroup();
 * for (const url of urls) wg.go(fetchOne, url);
 * yield* wg.wait();
 * ```
 */
export class WaitGroup {
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
    this.index = index ?? table.create(WAIT_GROUP_KIND, 0);
    this.#base = table.baseOf(this.index);
    if (index === undefined) table.watch(this);
  }

  /** @internal */
  static is(value: object): value is WaitGroup {
    return #base in value;
  }

  /**
   * Adds `delta`, which may be negative. At 0 everybody who waits goes on.
   *
   * @throws `MisuseError` "sync: negative WaitGroup counter"; `RangeError` for a delta that is no integer or takes the counter beyond 2^31 - 1
   */
  add(delta: number): void {
    if (!Number.isInteger(delta) || Math.abs(delta) > MAX_COUNT) {
      throw new RangeError(
        `WaitGroup.add: delta must be an integer within ±${MAX_COUNT}, not ${show(delta)}`,
      );
    }
    const { i32 } = this.table;
    const word = this.#base + O_VALUE;
    for (;;) {
      const seen = Atomics.load(i32, word);
      const sum = seen + delta;
      if (sum < 0) throw new MisuseError("sync: negative WaitGroup counter");
      if (sum > MAX_COUNT)
        throw new RangeError(`WaitGroup.add: the counter would be ${sum}, above ${MAX_COUNT}`);
      if (sum === 0 && seen !== 0) {
        if (this.#reachZero(seen)) return;
      } else if (Atomics.compareExchange(i32, word, seen, sum) === seen) {
        return;
      }
    }
  }

  /** `add(-1)`. */
  done(): void {
    this.add(-1);
  }

  /** Waits until the counter is 0. Goes on at once if it is. A goroutine that is cancelled while it waits is thrown its cancellation; the counter stays as it is. Go's `Wait`. */
  wait(): Op<void> {
    return new WaitOperation(this, this.#base);
  }

  /**
   * `add(1)`, `go`, and `done` when the goroutine ends, however it does. An error that leaves it is a panic, as with `go`. Go's `WaitGroup.Go`.
   *
   * @throws as `go`; then the counter is as before
   */
  go<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): void {
    const { table } = this;
    this.add(1);
    table.retain(this.index);
    try {
      table.thread.goWithEnd(fn as unknown as Body, args, this.index);
    } catch (error) {
      table.release(this.index);
      this.done();
      throw error;
    }
  }

  /** The step from `seen` to 0. False if the counter has changed. */
  #reachZero(seen: number): boolean {
    const { thread, i32 } = this.table;
    const base = this.#base;
    acquire(i32, base + O_LOCK, thread.number);
    const reached = Atomics.compareExchange(i32, base + O_VALUE, seen, 0) === seen;
    const woken = reached ? drainWaiters(i32, base + O_HEAD, thread.descriptors) : [];
    release(i32, base + O_LOCK);
    thread.readyAll(woken);
    return reached;
  }
}

class WaitOperation extends Operation<void> {
  readonly reason = REASON_WAITGROUP_WAIT;
  /** Held, so that the record lives as long as somebody waits. */
  readonly waitGroup: WaitGroup;
  private readonly base: number;

  constructor(waitGroup: WaitGroup, base: number) {
    super(waitGroup.table.thread);
    this.waitGroup = waitGroup;
    this.base = base;
  }

  attempt(): boolean {
    return Atomics.load(this.thread.i32, this.base + O_VALUE) === 0;
  }

  enqueue(goroutine: number, base: number): boolean {
    const { i32, number } = this.thread;
    acquire(i32, this.base + O_LOCK, number);
    const wait = Atomics.load(i32, this.base + O_VALUE) !== 0;
    if (wait) enqueueWaiter(i32, this.base + O_HEAD, ownWaiter(i32, base, goroutine));
    release(i32, this.base + O_LOCK);
    return wait;
  }

  abandon({ base }: Frame): boolean {
    const { i32, number } = this.thread;
    acquire(i32, this.base + O_LOCK, number);
    const found = removeWaiter(i32, this.base + O_HEAD, base + G_WAITER);
    release(i32, this.base + O_LOCK);
    return found;
  }

  finish(): void {}
}

/** How WaitGroups travel in values. */
export function waitGroupKind(thread: Thread): ReferenceKind<WaitGroup> {
  return objectKind(
    thread,
    WAIT_GROUP_KIND,
    WaitGroup.prototype,
    WaitGroup.is,
    (table, index) => new WaitGroup(table, index),
  );
}

/** What ends with the goroutines of `WaitGroup.go`. */
export const waitGroupHook: EndHook = {
  failed: () => false,
  ended(thread, index) {
    const table = objectsOf(thread);
    try {
      // For this moment an object that is not watched: the reference is the one that `go` counted.
      new WaitGroup(table, index).done();
    } finally {
      table.release(index);
    }
  },
};
