/** What a generator body and its machine say to each other. The result objects are shared: whoever drives an iterator reads them before anything else runs. */

import { FunctionError } from "../../base/errors.ts";

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
