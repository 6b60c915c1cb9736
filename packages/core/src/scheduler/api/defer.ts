/** `defer`, `recover`, `goexit`. */

import { MisuseError } from "../../base/errors.ts";
import type { Frame } from "../frames/frame.ts";
import { type DeferredCall, EXIT } from "../machine/unwinding.ts";
import { ambientMachine, currentMachine } from "../thread/ambient.ts";

function currentFrame(what: string): Frame {
  const frame = ambientMachine(what).currentFrame();
  if (frame === undefined) throw new MisuseError(`${what} outside a goroutine`);
  return frame;
}

/**
 * Registers a call for this goroutine's end: last in, first out; on return, throw and `goexit` alike. The call may be a plain, async or generator function, and may park. Go's `defer`, for
 * the whole goroutine rather than one function.
 *
 * An error that a deferred call throws becomes the goroutine's; an earlier one is kept as its `cause`.
 *
 * @throws `MisuseError` outside a goroutine, `TypeError` for something that is no function
 *
 * @example
 * ```ts
 * const file = yield* open(path);
 * defer(() => file.close());
 * ```
 */
export function defer(call: DeferredCall): void {
  const frame = currentFrame("defer");
  if (typeof call !== "function")
    throw new TypeError(`defer: the call must be a function, not ${call === null ? "null" : typeof call}`);
  frame.defers ??= [];
  frame.defers.push(call);
}

/**
 * In a deferred call: the error that is ending this goroutine, and stops it: the goroutine then ends normally, with the result `undefined`. Otherwise, and a second time, `undefined`. Never stops `goexit`.
 * Go's `recover`.
 *
 * @example
 * ```ts
 * defer(() => {
 *   const error = recover();
 *   if (error !== undefined) log(error);
 * });
 * ```
 */
export function recover(): unknown {
  return currentMachine?.currentFrame()?.unwinding?.recover();
}

/**
 * Ends this goroutine from any depth, running its deferred calls; `recover` does not stop it, nor does a `catch` that swallows what it throws: the goroutine then ends at its next operation that waits, or when
 * its body returns. A handle on it yields `undefined`. Go's `runtime.Goexit`.
 *
 * @throws `MisuseError` outside a goroutine
 *
 * @example
 * ```ts
 * if (yield* isDone()) goexit();
 * ```
 */
export function goexit(): never {
  currentFrame("goexit").exiting = true;
  throw EXIT;
}
