/**
 * What is done when a word of the shared memory makes no sense: a wrong write, whoever made it, and nobody knows what else it has hit. The runtime stops.
 *
 * Whoever finds such a word rings the alarm, and then throws, so as not to go on with it. The one is for the host, which ends the runtime with the error; where the other ends up does not matter any more.
 */

import { CorruptMemoryError } from "../base/errors.ts";

const alarms = new WeakMap<Int32Array, (error: CorruptMemoryError) => void>();

/** Says what a thread does when it finds a word that makes no sense. `i32` is its view of the memory. */
export function setAlarm(i32: Int32Array, ring: (error: CorruptMemoryError) => void): void {
  alarms.set(i32, ring);
}

/** Rings the alarm. Returns the error to throw: `what` is inconsistent, with the values. */
export function corruption(i32: Int32Array, what: string): CorruptMemoryError {
  const error = new CorruptMemoryError(`the runtime's memory is damaged: ${what}`);
  alarms.get(i32)?.(error);
  return error;
}
