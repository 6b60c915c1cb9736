/** Semaphore: the public class and its operation. How it works: semaphore-protocol.ts. */

import { printsAs } from "../base/printing.ts";
import { show } from "../base/show.ts";
import { REASON_SEMACQUIRE, type WaitReason } from "../goroutine/wait-reason.ts";
import { G_WAITER, SEM_PERMITS, SEM_SERVING, W_QUEUED, W_RESULT } from "../memory/layout.ts";
import type { Frame } from "../scheduler/frames/frame.ts";
import type { Op } from "../scheduler/frames/types.ts";
import { ambientThread } from "../scheduler/thread/ambient.ts";
import { Operation } from "../scheduler/thread/operation.ts";
import { type ObjectTable, objectKind, objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import type { ReferenceKind } from "../values/references.ts";
import { abandon, give, queueFor, tryTake } from "./semaphore-protocol.ts";

/** The number of this kind, in values and records. */
export const SEMAPHORE_KIND = 8;

/** The largest number of permits: it shares a 32-bit word with a flag. */
const MAX_PERMITS = 2 ** 31 - 1;

/**
 * A number of permits that goroutines take and give back. Go's semaphore.Weighted of golang.org/x/sync.
 *
 * Permits go out strictly in the order in which they were asked for: a large request is not overtaken by smaller ones behind it, so it does not starve.
 *
 * Permits belong to nobody: those that a goroutine has taken stay taken if it is lost with its thread, and whoever learns of that (`MachineLostError` where it is joined) may give them back.
 *
 * Travels by reference.
 *
 * @example
 * ```ts
 * const connections = new Semaphore(10);
 * yield* connections.acquire();
 * try {
 *   yield* query();
 * } finally {
 *   connections.release();
 * }
 * ```
 */
export class Semaphore {
  /** @internal */
  readonly table: ObjectTable;
  /** @internal */
  readonly index: number;
  readonly #base: number;

  /**
   * @param permits how many there are, all free at first: an integer from 0 to 2^31 - 1
   * @throws `RangeError` for another number; `NoRuntimeError` without an ambient runtime, `MemoryLimitError` when there are too many sync objects
   */
  constructor(permits: number);
  /** @internal */
  constructor(permits: number, table: ObjectTable, index: number);
  constructor(permits: number, table?: ObjectTable, index?: number) {
    const count = permitCount("Semaphore", "permits", permits);
    this.table = table ?? objectsOf(ambientThread());
    this.index = index ?? this.table.create(SEMAPHORE_KIND, count);
    this.#base = this.table.baseOf(this.index);
    if (index !== undefined) return;
    this.table.i32[this.#base + SEM_PERMITS] = count;
    this.table.i32[this.#base + SEM_SERVING] = 0;
    this.table.watch(this);
  }

  /** @internal */
  static is(value: object): value is Semaphore {
    return #base in value;
  }

  /** @internal */
  get base(): number {
    return this.#base;
  }

  /**
   * Waits until `n` permits are free and nobody has asked before, and takes them. A request for more than there are waits for ever, without holding off others, until it is cancelled.
   *
   * A goroutine that is cancelled while it waits leaves the queue and is thrown its cancellation; it has taken no permits then.
   *
   * @param n an integer from 0 to 2^31 - 1; default 1
   * @throws `RangeError` for another number
   */
  acquire(n = 1): Op<void> {
    return new AcquireOperation(this, permitCount("Semaphore.acquire", "n", n));
  }

  /**
   * Takes `n` permits if they are free and nobody waits. True if it did. Never waits.
   *
   * @param n an integer from 0 to 2^31 - 1; default 1
   * @throws `RangeError` for another number
   */
  tryAcquire(n = 1): boolean {
    return tryTake(this.table.i32, this.#base, permitCount("Semaphore.tryAcquire", "n", n));
  }

  /**
   * Gives `n` permits back. Never waits. Anybody may give back what another took.
   *
   * @param n an integer from 0 to 2^31 - 1; default 1
   * @throws `MisuseError` "semaphore: released more than held", and nothing is given back; `RangeError` for another number
   */
  release(n = 1): void {
    give(this.table.thread, this.#base, permitCount("Semaphore.release", "n", n));
  }
}

function permitCount(where: string, name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= MAX_PERMITS) return value;
  throw new RangeError(`${where}: ${name} must be an integer from 0 to ${MAX_PERMITS}, not ${show(value)}`);
}

class AcquireOperation extends Operation<void> {
  readonly reason: WaitReason = REASON_SEMACQUIRE;
  /** Held, so that the record lives as long as somebody waits. */
  private readonly semaphore: Semaphore;
  private readonly n: number;
  /** Where it has waited; 0 if it did not have to. */
  private waiter = 0;

  constructor(semaphore: Semaphore, n: number) {
    super(semaphore.table.thread);
    this.semaphore = semaphore;
    this.n = n;
  }

  attempt(): boolean {
    return tryTake(this.thread.i32, this.semaphore.base, this.n);
  }

  enqueue(goroutine: number, base: number): boolean {
    if (this.waitsForEver(base, 1)) return true;
    if (!queueFor(this.thread, this.semaphore.base, this.n, goroutine, base)) return false;
    this.waiter = base + G_WAITER;
    return true;
  }

  abandon({ base }: Frame): boolean {
    return this.waitsForEver(base, 0) || abandon(this.thread, this.semaphore.base, base);
  }

  /** A hopeless request stands in no queue, and counts as queued all the same: nobody has forgotten to make it ready. */
  private waitsForEver(base: number, queued: number): boolean {
    if (!this.isHopeless()) return false;
    this.thread.i32[base + G_WAITER + W_QUEUED] = queued;
    return true;
  }

  finish(): void {
    // It has gone on with what it was served.
    if (this.waiter !== 0) this.thread.i32[this.waiter + W_RESULT] = 0;
  }

  /** Never to be served, so not queued: it would hold off the others for ever. */
  private isHopeless(): boolean {
    return this.n > this.thread.i32[this.semaphore.base + SEM_PERMITS];
  }
}

printsAs(Semaphore.prototype, ({ index }) => `Semaphore(${index})`);

/** How Semaphores travel in values. */
export function semaphoreKind(thread: Thread): ReferenceKind<Semaphore> {
  return objectKind(thread, SEMAPHORE_KIND, Semaphore.prototype, Semaphore.is, (table, index) => {
    return new Semaphore(table.i32[table.baseOf(index) + SEM_PERMITS], table, index);
  });
}
