/** Starting goroutines, and asking about them: the functions of the public package that find their runtime themselves. */

import { declareBody, type ModuleMeta, referToModule } from "../../goroutine/functions.ts";
import type { GoFunction, Handle } from "../frames/types.ts";
import { liveGoroutines } from "../idle/counters.ts";
import { ambientThread, currentMachine } from "../thread/ambient.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- any body may be declared
type AnyBody = GoFunction<any[], any>;

/**
 * Declares a body at the top level of a module, so that any machine can find it again as module URL + name, and returns the same function: `yield* fib(3)` runs it inline; `go`, `spawn` and
 * `run` start it.
 *
 * @param module the module's `import.meta`
 * @param body a generator function, an async function or a plain function
 * @param name the name to find it by; the function's own unless given
 * @throws `FunctionError` for a body without a name, or a second one of the same name in the module
 *
 * @example
 * ```ts
 * export const fib = goroutine(import.meta, function* fib(n: number): Goroutine<number> {
 *   if (n < 2) return n;
 *   const a = spawn(fib, n - 1);
 *   const b = spawn(fib, n - 2);
 *   return (yield* a) + (yield* b);
 * });
 * ```
 */
export function goroutine<F extends AnyBody>(module: ModuleMeta, body: F, name?: string): F {
  return declareBody(module, body as never, name) as F;
}

/**
 * The exported functions of any module, as bodies for `go`, `spawn` and `run`, with no change to that module. They are references: calling one directly throws `FunctionError`.
 *
 * @param module an absolute URL, such as `new URL("./work.js", import.meta.url)`
 *
 * @example
 * ```ts
 * const work = tasks<typeof import("../work.js")>(new URL("./work.js", import.meta.url));
 * const size = await run(work.measure, "a.txt");
 * ```
 */
export function tasks<M extends object>(
  module: { readonly href: string } | string,
): { readonly [K in keyof M as M[K] extends (...args: never[]) => unknown ? K : never]: M[K] } {
  return referToModule(module) as never;
}

/**
 * Starts a goroutine: Go's `go` statement. Arguments are copied before it returns. Never parks. An error that leaves the body unrecovered ends the runtime, as a panic ends a Go process.
 *
 * @throws `FunctionError`, `CloneError`, `GoroutineLimitError`, `MemoryLimitError`, `NoRuntimeError`; then nothing was started
 *
 * @example
 * ```ts
 * go(worker, jobs, results);
 * ```
 */
export function go<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): void {
  (currentMachine ?? ambientThread()).go(fn as never, args);
}

/**
 * Starts a goroutine, like `go`, with a result: what the body returns or throws goes to whoever joins the handle, and nowhere if nobody does.
 *
 * @throws as `go`
 *
 * @example
 * ```ts
 * const left = spawn(sum, values.subarray(0, half));
 * const right = spawn(sum, values.subarray(half));
 * return (yield* left) + (yield* right);
 * ```
 */
export function spawn<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Handle<R> {
  return (currentMachine ?? ambientThread()).spawn(fn as never, args) as Handle<R>;
}

/**
 * Live goroutines of the ambient runtime, the dead not counted. Inside the first `run` it is 1. Go's `runtime.NumGoroutine`.
 *
 * @throws `NoRuntimeError` without an ambient runtime
 */
export function numGoroutine(): number {
  return liveGoroutines(ambientThread().memory);
}
