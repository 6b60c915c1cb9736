/** Barrier: a number of goroutines wait for each other. */

import { printsAs } from "../base/printing.ts";
import { show } from "../base/show.ts";
import { drainWaiters, enqueueWaiter, ownWaiter, removeWaiter } from "../goroutine/wait-queue.ts";
import { REASON_BARRIER_WAIT, type WaitReason } from "../goroutine/wait-reason.ts";
import { BARRIER_ARRIVED, BARRIER_PARTIES, BARRIER_WAITERS, G_WAITER, O_LOCK } from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import type { Frame } from "../scheduler/frames/frame.ts";
import type { Op } from "../scheduler/frames/types.ts";
import { ambientThread } from "../scheduler/thread/ambient.ts";
import { Operation } from "../scheduler/thread/operation.ts";
import { type ObjectTable, objectKind, objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import type { ReferenceKind } from "../values/references.ts";

/** The number of this kind, in values and records. */
export const BARRIER_KIND = 9;

/** The largest number of parties: a 32-bit word counts them. */
const MAX_PARTIES = 2 ** 31 - 1;

/**
 * Where a number of goroutines wait for each other: the last to come lets all go on. Then the next round begins, with the same goroutines or others.
 *
 * Travels by reference. Go has none; the name is that of POSIX threads and java.util.concurrent.
 *
 * @example
 * ```ts
 * function* worker(barrier: Barrier, rounds: number): Goroutine<void> {
 *   for (let round = 0; round < rounds; round++) {
 *     computeMyPart(round);
 *     if (yield* barrier.wait()) report(round); // one of them does
 *   }
 * }
 * ```
 */
export class Barrier {
  /** @internal */
  readonly table: ObjectTable;
  /** @internal */
  readonly index: number;
  readonly #base: number;

  /**
   * @param parties how many wait for each other: an integer from 1 to 2^31 - 1
   * @throws `RangeError` for another number; `NoRuntimeError` without an ambient runtime, `MemoryLimitError` when there are too many sync objects
   */
  constructor(parties: number);
  /** @internal */
  constructor(parties: number, table: ObjectTable, index: number);
  constructor(parties: number, table?: ObjectTable, index?: number) {
    if (!(Number.isInteger(parties) && parties >= 1 && parties <= MAX_PARTIES)) {
      throw new RangeError(
        `Barrier: parties must be an integer from 1 to ${MAX_PARTIES}, not ${show(parties)}`,
      );
    }
    this.table = table ?? objectsOf(ambientThread());
    this.index = index ?? this.table.create(BARRIER_KIND, 0);
    this.#base = this.table.baseOf(this.index);
    if (index !== undefined) return;
    this.table.i32[this.#base + BARRIER_PARTIES] = parties;
    this.table.watch(this);
  }

  /** @internal */
  static is(value: object): value is Barrier {
    return #base in value;
  }

  /** @internal */
  get base(): number {
    return this.#base;
  }

  /**
   * Waits until as many have come as there are parties. True for exactly one of them in each round, the one that came last and did not have to wait.
   *
   * A goroutine that is cancelled while it waits has not come: the others wait for another in its place.
   */
  wait(): Op<boolean> {
    return new BarrierOperation(this);
  }
}

class BarrierOperation extends Operation<boolean> {
  readonly reason: WaitReason = REASON_BARRIER_WAIT;
  /** Held, so that the record lives as long as somebody waits. */
  private readonly barrier: Barrier;
  private last = false;

  constructor(barrier: Barrier) {
    super(barrier.table.thread);
    this.barrier = barrier;
  }

  attempt(): boolean {
    return this.arrive(0, 0);
  }

  enqueue(goroutine: number, base: number): boolean {
    return !this.arrive(goroutine, base);
  }

  /** Lets all go on if this party is the last. Otherwise counts it in, unless it only tries (goroutine 0). */
  private arrive(goroutine: number, descriptor: number): boolean {
    const { thread } = this;
    const { i32 } = thread;
    const { base } = this.barrier;
    acquire(i32, base + O_LOCK, thread.number);
    this.last = i32[base + BARRIER_ARRIVED] + 1 === i32[base + BARRIER_PARTIES];
    let others: readonly number[] = [];
    if (this.last) {
      i32[base + BARRIER_ARRIVED] = 0;
      others = drainWaiters(i32, base + BARRIER_WAITERS, thread.descriptors);
    } else if (goroutine !== 0) {
      i32[base + BARRIER_ARRIVED]++;
      enqueueWaiter(i32, base + BARRIER_WAITERS, ownWaiter(i32, descriptor, goroutine));
    }
    release(i32, base + O_LOCK);
    thread.readyAll(others);
    return this.last;
  }

  abandon(frame: Frame): boolean {
    const { i32, number } = this.thread;
    const { base } = this.barrier;
    acquire(i32, base + O_LOCK, number);
    // Not in the queue: the round is complete, and this party was part of it.
    const found = removeWaiter(i32, base + BARRIER_WAITERS, frame.base + G_WAITER);
    if (found) i32[base + BARRIER_ARRIVED]--;
    release(i32, base + O_LOCK);
    return found;
  }

  finish(): boolean {
    return this.last;
  }
}

printsAs(Barrier.prototype, ({ index }) => `Barrier(${index})`);

/** How Barriers travel in values. */
export function barrierKind(thread: Thread): ReferenceKind<Barrier> {
  return objectKind(thread, BARRIER_KIND, Barrier.prototype, Barrier.is, (table, index) => {
    return new Barrier(table.i32[table.baseOf(index) + BARRIER_PARTIES], table, index);
  });
}
