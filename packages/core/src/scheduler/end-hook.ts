/** What a layer above the scheduler does when a detached goroutine ends: `WaitGroup.go` counts it. */

import type { Thread } from "./thread.ts";

/** Called on the machine where the goroutine ended. `object` is what `goWithEnd` was given. */
export let onEnd: (thread: Thread, object: number) => void = (_thread, object) => {
  throw new Error(`onEnd: nobody has registered for object ${object}`);
};

/** Registers the one layer that starts goroutines with `goWithEnd`. */
export function setEndHook(hook: (thread: Thread, object: number) => void): void {
  onEnd = hook;
}
