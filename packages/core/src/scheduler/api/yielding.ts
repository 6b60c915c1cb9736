/** Giving way: `gosched`, `checkpoint`, `shouldYield`. */

import { PARKED, proceed, type Suspension } from "../frames/suspension.ts";
import type { Op } from "../frames/types.ts";
import type { Machine } from "../machine/machine.ts";
import { ambientMachine, currentMachine } from "../thread/ambient.ts";

// Rebound: V8 folds a module's own constants, and imported or exported ones cost a load and a check each.
const PARKED_RESULT = PARKED;

/**
 * The goroutine goes to the back of the line. One object for all uses, since the machine remembers who yields: `next` is called once to yield, and once more when the
 * goroutine is resumed.
 */
class YieldOperation implements Op<void> {
  private readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  [Symbol.iterator](): Iterator<Suspension, void, unknown> {
    return this;
  }

  next(): IteratorResult<Suspension, void> {
    if (this.machine.takeYielded()) return proceed(undefined);
    this.machine.yieldCurrent();
    return PARKED_RESULT;
  }

  then<A = void, B = never>(
    onFulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.machine.afterTurn().then(onFulfilled, onRejected);
  }

  /** A plain body cannot be put aside. Its processor's other goroutines can be run by another machine meanwhile. */
  block(): void {
    this.machine.yieldThread();
  }
}

/** "No need to give way." */
class ReadyOperation implements Op<void> {
  [Symbol.iterator](): Iterator<Suspension, void, unknown> {
    return this;
  }

  next(): IteratorResult<Suspension, void> {
    return proceed(undefined);
  }

  then<A = void, B = never>(
    onFulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return Promise.resolve().then(onFulfilled, onRejected);
  }

  block(): void {}
}

const READY = new ReadyOperation();
let yielding: { machine: Machine; operation: YieldOperation } | undefined;

function yieldOperation(machine: Machine): YieldOperation {
  if (yielding?.machine !== machine) yielding = { machine, operation: new YieldOperation(machine) };
  return yielding.operation;
}

/**
 * Gives way: the goroutine goes on after those that are ready now. Go's `runtime.Gosched`, but for the queue: a goroutine that has begun stays on its machine.
 *
 * In a plain body, `block()` lets other machines have what its processor has queued, and holds the thread. A cancelled goroutine is thrown its cancellation here.
 *
 * @throws `NoRuntimeError` on the host
 *
 * @example
 * ```ts
 * while (!(yield* isReady())) yield* gosched();
 * ```
 */
export function gosched(): Op<void> {
  return yieldOperation(currentMachine ?? ambientMachine("gosched"));
}

/**
 * Gives way, as `gosched`, if the goroutine has used up its time slice (`timeSlice` of `start`, 10 ms unless set), and goes on at once otherwise: a plain read, cheap enough for inner loops. Nothing else can interrupt a body between two
 * operations, as Go's signals do.
 *
 * @throws `NoRuntimeError` on the host
 *
 * @example
 * ```ts
 * for (const row of rows) {
 *   sum += weigh(row);
 *   yield* checkpoint();
 * }
 * ```
 */
export function checkpoint(): Op<void> {
  const machine = currentMachine ?? ambientMachine("checkpoint");
  return machine.shouldYield() ? yieldOperation(machine) : READY;
}

/**
 * Whether `checkpoint` would give way. In a plain body, which cannot be put aside: whether it would be kind to return soon. Always false on the host.
 *
 * @example
 * ```ts
 * while (work.length > 0 && !shouldYield()) handle(work.pop());
 * ```
 */
export function shouldYield(): boolean {
  return currentMachine?.shouldYield() ?? false;
}
