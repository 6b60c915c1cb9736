/**
 * What the objects above the scheduler do when a goroutine that they started ends: `WaitGroup.go` and `ErrGroup.go` count it off.
 *
 * Its G_ON_END names the object until it has been counted off, and its descriptor is not free before that. So if its thread dies, the host finds who has ended and is still to be counted off. Whether the counting was done when the thread died in
 * the middle of it, is told by the object's record: it is done under the object's lock, and noted there (`WaitGroup`'s WG_MEMBER, `ErrGroup`'s EB_MEMBER), so that the host can decide when it takes the lock from the dead.
 */

import type { Thread } from "./thread.ts";

/** One kind of objects that start goroutines. Called on the machine where the goroutine ended. */
export interface EndHook {
  /** The goroutine ended with an error. True if the object takes it; otherwise it is a panic. */
  failed(thread: Thread, object: number, error: unknown): boolean;
  /** The goroutine whose descriptor is at `base` has ended. Sets its G_ON_END to 0, together with counting it off. */
  ended(thread: Thread, object: number, base: number): void;
}

/** Finds an object's hook: kinds are told apart by the layer above. */
let hookOf: (thread: Thread, object: number) => EndHook | undefined = () => undefined;

/** Registers how hooks are found. */
export function setEndHooks(find: (thread: Thread, object: number) => EndHook | undefined): void {
  hookOf = find;
}

/** The hook of `object`, as `goWithEnd` was given it. */
export function endHook(thread: Thread, object: number): EndHook {
  const hook = hookOf(thread, object);
  if (hook === undefined) throw new Error(`endHook: object ${object} started a goroutine but has no hook`);
  return hook;
}
