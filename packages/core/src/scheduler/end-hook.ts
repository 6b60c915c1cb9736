/** What a layer above the scheduler does when a detached goroutine ends: `WaitGroup.go` counts it. */

import type { Thread } from "./thread.ts";

/** Called on the machine where the goroutine ended. `object` is what `goWithEnd` was given. */
export let onEnd: (thread: Thread, object: number) => void = (_thread, object) => {
  throw new Error(`onEnd: nobody has registered for object ${object}`);
};

/** Called before `onEnd` when the goroutine failed. True if the object takes the error; otherwise it is a panic. */
export let onFailure: (thread: Thread, object: number, error: unknown) => boolean = () => false;

/** Registers what takes errors. */
export function setFailureHook(hook: (thread: Thread, object: number, error: unknown) => boolean): void {
  onFailure = hook;
}

/** Registers the one layer that starts goroutines with `goWithEnd`. */
export function setEndHook(hook: (thread: Thread, object: number) => void): void {
  onEnd = hook;
}
