/** Runs the deferred calls of a goroutine that ends. */

import { isGenerator } from "../../goroutine/functions.ts";
import type { Frame } from "../frames/frame.ts";
import type { Goroutine } from "../frames/types.ts";
import type { Thread } from "../thread/thread.ts";
import { AwaitOperation, isThenable } from "./await-operation.ts";
import { type DeferredCall, EXIT, type Unwinding } from "./unwinding.ts";

/** Runs the deferred calls of a frame, each through `start`, then gives or throws what the goroutine ends with. */
export function* unwind(
  thread: Thread,
  frame: Frame,
  unwinding: Unwinding,
  start: (call: DeferredCall) => unknown,
): Goroutine<unknown> {
  for (let call = frame.defers?.pop(); call !== undefined; call = frame.defers?.pop()) {
    unwinding.calling = true;
    try {
      const running = start(call);
      if (isGenerator(running)) yield* running as Goroutine<void>;
      else if (isThenable(running)) yield* new AwaitOperation(thread, running);
    } catch (error) {
      if (error === EXIT) unwinding.exit();
      else unwinding.replaceBy(error);
    }
    unwinding.calling = false;
  }
  const outcome = unwinding.outcome();
  return frame.exiting ? undefined : outcome;
}
