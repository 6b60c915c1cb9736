/** What a generator body and its machine say to each other. The result objects are shared: whoever drives an iterator reads them before anything else runs. */

import { FunctionError, MisuseError } from "../../base/errors.ts";

/** What a parked goroutine hands to its machine: the only thing a body may yield, which operations do by `yield*`. Programs name the type, and never have a value of it. */
export interface Suspension {
  readonly __heddleSuspension: never;
}

/** The one value that bodies yield. */
export const SUSPENSION: Suspension = Object.freeze(Object.create(null)) as Suspension;

/** "Parked." */
export const PARKED: IteratorYieldResult<Suspension> = { done: false, value: SUSPENSION };

const finished: { done: true; value: unknown } = { done: true, value: undefined };

/** "Go on, with this value." */
export function proceed<T>(value: T): IteratorReturnResult<T> {
  finished.value = value;
  return finished as IteratorReturnResult<T>;
}

/** What a generator is thrown that yields something of its own. */
export function foreignYield(): FunctionError {
  return new FunctionError(
    "a goroutine body may not yield values: write yield* before an operation, such as yield* gosched()",
  );
}

/** What a body is told that took an operation for something to iterate over, and so went on where it should have parked. */
export function iteratedOver(): MisuseError {
  return new MisuseError(
    "an operation that had to wait was iterated over: write yield* before it, as in const [value, ok] = yield* ch.recvOk()",
  );
}

/** Stands in for the generator of a body that has ended before its goroutine may. */
// oxlint-disable-next-line require-yield -- made to fail as soon as it is resumed
export function* endsWith(error: Error): Generator<never, never> {
  throw error;
}
