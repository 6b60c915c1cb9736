/** Synchronous calls that hold a thread. */

import { ambientMachine, currentMachine } from "../thread/ambient.ts";

/**
 * Makes a synchronous call that holds its thread for a while: a `readFileSync`, an `execSync`, a `scryptSync`, a long run of WebAssembly. The goroutine's processor goes to another machine at once, which
 * runs everything that has not begun, and the goroutine goes on when it has a processor again. To be used in every kind of body. Go does so by itself around system calls.
 *
 * Returns what `call` returns (a promise is not awaited) and throws what it throws. What lives on the same thread waits until the call is over, its event loop included; a goroutine that was cancelled meanwhile learns of it at the next
 * operation that parks. Worth its few microseconds from about 20 µs on. Within such a call another is a plain call.
 *
 * Threads are started as they are needed, up to `maxMachines`. When that many are held, whatever has not begun waits for the first that is free; `stats()` shows both, as `blocked` and `queued`.
 *
 * @throws what `call` throws; `NoRuntimeError` on the host, whose thread must not be held; `TypeError` for something that is no function
 *
 * @example
 * ```ts
 * export const digest = goroutine(import.meta, function* digest(path: string): Goroutine<string> {
 *   const content = blocking(() => readFileSync(path));
 *   return createHash("sha256").update(content).digest("hex");
 * });
 * ```
 */
export function blocking<T>(call: () => T): T {
  const machine = currentMachine ?? ambientMachine("blocking");
  if (typeof call !== "function")
    throw new TypeError(`blocking: the call must be a function, not ${call === null ? "null" : typeof call}`);
  return machine.callBlocking(call);
}
