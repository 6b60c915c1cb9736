/**
 * WaitGroup: waits for a number of goroutines to end.
 *
 * The counter changes under the lock, and the step to 0 takes the waiters along. A waiter queues under the lock after it has seen a counter above 0. So a waiter that queued is there when the counter reaches 0, and one that comes later sees 0;
 * and those who wait for the next round, after the counter has been raised again, are not woken by this one. Only the first look of a waiter goes without the lock; it is for that look that the 0 is stored atomically, after what those did who were
 * waited for.
 *
 * A member (a goroutine of `go`) is counted off exactly once, even if its thread dies while it does so. Under the lock: (1) the member and the counter are noted, (2) the counter is lowered, (3) the member's G_ON_END is set to 0, (4) the note is ended. Whoever takes
 * the lock from a dead thread finds in the note whose turn it was, and sees from the counter, which nobody else can have changed, whether (2) was done; (3) then follows (`restoreWaitGroup`). Before (1) and after (4) G_ON_END says it by itself. (The
 * counter used without the lock, by compare-and-swap, could not tell: others may have changed it since.)
 */

import { MisuseError } from "../base/errors.ts";
import { printsAs } from "../base/printing.ts";
import { show } from "../base/show.ts";
import type { Body } from "../goroutine/functions.ts";
import { drainWaiters, enqueueWaiter, ownWaiter, removeWaiter } from "../goroutine/wait-queue.ts";
import { REASON_WAITGROUP_WAIT } from "../goroutine/wait-reason.ts";
import { G_ON_END, G_WAITER, O_HEAD, O_LOCK, O_VALUE, WG_BEFORE, WG_MEMBER } from "../memory/layout.ts";
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
    if (index !== undefined) return;
    table.i32[this.#base + WG_MEMBER] = 0;
    table.watch(this);
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
    const { thread, i32 } = this.table;
    acquire(i32, this.#base + O_LOCK, thread.number);
    const sum = i32[this.#base + O_VALUE] + delta;
    if (sum < 0 || sum > MAX_COUNT) {
      release(i32, this.#base + O_LOCK);
      throw sum < 0
        ? new MisuseError("sync: negative WaitGroup counter")
        : new RangeError(`WaitGroup.add: the counter would be ${sum}, above ${MAX_COUNT}`);
    }
    const woken = setCounter(thread, this.#base, sum);
    release(i32, this.#base + O_LOCK);
    if (woken !== NOBODY) thread.readyAll(woken);
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
}

const NOBODY: readonly number[] = [];

/** Sets the counter; under the lock. Returns whom to make ready afterwards. */
function setCounter({ i32, descriptors }: Thread, base: number, count: number): readonly number[] {
  if (count !== 0) {
    i32[base + O_VALUE] = count;
    return NOBODY;
  }
  Atomics.store(i32, base + O_VALUE, 0);
  return i32[base + O_HEAD] === 0 ? NOBODY : drainWaiters(i32, base + O_HEAD, descriptors);
}

/** Counts a member off whose descriptor is at `member`. Throws `MisuseError` if the counter is 0: somebody else has counted once too often. */
function countOff(thread: Thread, base: number, member: number): void {
  const { i32, number } = thread;
  acquire(i32, base + O_LOCK, number);
  const before = i32[base + O_VALUE];
  i32[base + WG_BEFORE] = before;
  i32[base + WG_MEMBER] = member;
  const woken = before > 0 ? setCounter(thread, base, before - 1) : NOBODY;
  i32[member + G_ON_END] = 0;
  i32[base + WG_MEMBER] = 0;
  release(i32, base + O_LOCK);
  if (before === 0) throw new MisuseError("sync: negative WaitGroup counter");
  if (woken !== NOBODY) thread.readyAll(woken);
}

/** Puts a WaitGroup right whose lock a thread held when it died. Returns whom to make ready. */
export function restoreWaitGroup({ i32, descriptors }: Thread, base: number): readonly number[] {
  const count = i32[base + O_VALUE];
  const member = i32[base + WG_MEMBER];
  if (member !== 0 && count !== i32[base + WG_BEFORE]) i32[member + G_ON_END] = 0;
  i32[base + WG_MEMBER] = 0;
  // The counter is changed first: at 0 nobody has to wait.
  return count === 0 ? drainWaiters(i32, base + O_HEAD, descriptors) : NOBODY;
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

printsAs(WaitGroup.prototype, ({ index }) => `WaitGroup(${index})`);

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
  ended(thread, index, member) {
    const table = objectsOf(thread);
    try {
      countOff(thread, table.baseOf(index), member);
    } finally {
      // The one that `go` counted.
      table.release(index);
    }
  },
};
