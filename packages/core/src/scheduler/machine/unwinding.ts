/**
 * The end of a goroutine that has deferred calls: Go's panics, `recover` and `Goexit`.
 *
 * The calls run last in, first out, whether the body returned, threw or called `goexit`. They may park: they run in a generator (see deferred-calls.ts) that takes the body's place in the frame, whatever
 * kind the body was. What ends the goroutine is kept here between the calls:
 *
 * - an error is *recovered* by `recover()` inside a call: the goroutine then ends normally, with the result `undefined`;
 * - an error thrown by a call replaces an earlier one, which becomes its `cause` if it has none of its own;
 * - `goexit` is no error: `recover()` does not see it, and when an error that a call threw meanwhile is recovered, the exit goes on.
 */

import type { Goroutine } from "../frames/types.ts";

/** What `defer` takes. */
export type DeferredCall = () => void | Promise<void> | Goroutine<void>;

/** What `goexit` throws. Not an error: nothing that looks for errors should find it. */
export const EXIT: object = Object.freeze({ goexit: "the goroutine ends here" });

/** What is ending a goroutine. */
export class Unwinding {
  /** Whether an error is on its way, and which. */
  private failing: boolean;
  private error: unknown;
  private readonly value: unknown;
  /** Whether a deferred call is under way: only then `recover` means something. */
  calling = false;

  constructor(value: unknown, failed: boolean) {
    this.failing = failed;
    this.error = failed ? value : undefined;
    this.value = failed ? undefined : value;
  }

  /** The error on its way, which is on its way no longer; `undefined` if there is none. */
  recover(): unknown {
    if (!this.calling || !this.failing) return undefined;
    const { error } = this;
    this.failing = false;
    this.error = undefined;
    return error;
  }

  /** A deferred call threw. */
  replaceBy(error: unknown): void {
    if (this.failing && error !== this.error) keepAsCause(error, this.error);
    this.failing = true;
    this.error = error;
  }

  /** `goexit` in a deferred call: the error that was on its way is dropped, as a panic is by Go's Goexit. */
  exit(): void {
    this.failing = false;
    this.error = undefined;
  }

  /** The goroutine's result; throws the error that nobody recovered. */
  outcome(): unknown {
    if (this.failing) throw this.error;
    return this.value;
  }
}

function keepAsCause(error: unknown, earlier: unknown): void {
  if (!(error instanceof Error) || error.cause !== undefined) return;
  Reflect.defineProperty(error, "cause", { value: earlier, writable: true, configurable: true });
}
