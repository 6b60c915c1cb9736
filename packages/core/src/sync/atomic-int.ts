/** A shared 32-bit integer. */

import { printsAs } from "../base/printing.ts";
import { show } from "../base/show.ts";
import { O_VALUE } from "../memory/layout.ts";
import { ambientThread } from "../scheduler/thread/ambient.ts";
import { type ObjectTable, objectKind, objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import type { ReferenceKind } from "../values/references.ts";

/** The number of this kind, in values and records. */
export const ATOMIC_INT_KIND = 2;

/**
 * A shared 32-bit integer, −2^31 to 2^31 − 1; sums wrap round. Go's atomic.Int32.
 *
 * Travels by reference. All operations are sequentially consistent and none parks.
 *
 * @example
 * ```ts
 * const hits = new AtomicInt();
 * for (let i = 0; i < 100; i++) wg.go(visit, hits); // visit: hits.add(1)
 * ```
 */
export class AtomicInt {
  /** @internal */
  readonly table: ObjectTable;
  /** @internal */
  readonly index: number;
  readonly #word: number;

  /** @throws `RangeError` for an initial value that is no 32-bit integer; `NoRuntimeError` without an ambient runtime */
  constructor(initial?: number);
  /** @internal */
  constructor(initial: undefined, table: ObjectTable, index: number);
  constructor(initial = 0, table?: ObjectTable, index?: number) {
    const value = int32("AtomicInt", initial);
    this.table = table ?? objectsOf(ambientThread());
    this.index = index ?? this.table.create(ATOMIC_INT_KIND, value);
    this.#word = this.table.baseOf(this.index) + O_VALUE;
    if (index === undefined) this.table.watch(this);
  }

  /** @internal */
  static is(value: object): value is AtomicInt {
    return #word in value;
  }

  /** The value. */
  load(): number {
    return Atomics.load(this.table.i32, this.#word);
  }

  /** Sets it. @throws `RangeError` if `value` is no 32-bit integer */
  store(value: number): void {
    Atomics.store(this.table.i32, this.#word, int32("AtomicInt.store", value));
  }

  /** Adds, and returns the value after the addition, as Go's Add. @throws `RangeError` if `delta` is no 32-bit integer */
  add(delta: number): number {
    return (Atomics.add(this.table.i32, this.#word, int32("AtomicInt.add", delta)) + delta) | 0;
  }

  /** Sets it and returns the value before. @throws `RangeError` if `value` is no 32-bit integer */
  swap(value: number): number {
    return Atomics.exchange(this.table.i32, this.#word, int32("AtomicInt.swap", value));
  }

  /** Sets it to `value` if it is `old`. True if it was. @throws `RangeError` if one of them is no 32-bit integer */
  compareAndSwap(old: number, value: number): boolean {
    const expected = int32("AtomicInt.compareAndSwap", old);
    return (
      Atomics.compareExchange(
        this.table.i32,
        this.#word,
        expected,
        int32("AtomicInt.compareAndSwap", value),
      ) === expected
    );
  }
}

function int32(where: string, value: number): number {
  if (typeof value === "number" && (value | 0) === value) return value | 0;
  throw new RangeError(`${where}: expected an integer from -2147483648 to 2147483647, not ${show(value)}`);
}

printsAs(AtomicInt.prototype, (integer) => `AtomicInt(${integer.index}) { value: ${integer.load()} }`);

/** How AtomicInts travel in values. */
export function atomicIntKind(thread: Thread): ReferenceKind<AtomicInt> {
  return objectKind(
    thread,
    ATOMIC_INT_KIND,
    AtomicInt.prototype,
    AtomicInt.is,
    (table, index) => new AtomicInt(undefined, table, index),
  );
}
