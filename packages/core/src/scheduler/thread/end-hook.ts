/** What the objects above the scheduler do when a goroutine that they started ends: `WaitGroup.go` and `ErrGroup.go` count it. */

import type { Thread } from "./thread.ts";

/** One kind of objects that start goroutines. Called on the machine where the goroutine ended. */
export interface EndHook {
  /** The goroutine ended with an error. True if the object takes it; otherwise it is a panic. */
  failed(thread: Thread, object: number, error: unknown): boolean;
  /** The goroutine has ended. */
  ended(thread: Thread, object: number): void;
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
