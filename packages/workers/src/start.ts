/**
 * How a program gets a runtime.
 *
 * The modules of the host's side, and the pool behind them, take as long to load as the rest of the package, and the bodies on a machine import the package, too. So they are loaded aside, as soon as a thread that is no
 * machine imports this.
 */

import { type GoFunction, isMachine } from "@heddle/core";
import type { RuntimeOptions } from "./options.ts";
import type * as hostSideModule from "./runtime.ts";
import type { Runtime } from "./runtime-types.ts";
import { refuseOnMachine } from "./runtimes.ts";

type HostSide = typeof hostSideModule;

let loaded: HostSide | undefined;
let loading: Promise<HostSide> | undefined;

function loadHostSide(): Promise<HostSide> {
  loading ??= import("./runtime.ts").then((hostSide) => {
    loaded = hostSide;
    return hostSide;
  });
  return loading;
}

// What goes wrong is told to whoever asks for a runtime.
if (!isMachine()) loadHostSide().catch(() => {});

/**
 * Starts a runtime with threads of its own. Resolves when its first machine is up.
 *
 * @throws `RangeError` or `TypeError` for an option out of bounds; `MachineLostError` if no thread can be started; `NoRuntimeError` inside a goroutine
 *
 * @example
 * ```ts
 * await using rt = await start({ procs: 4 });
 * console.log(await rt.run(fib, 25));
 * ```
 */
export function start(options?: RuntimeOptions): Promise<Runtime> {
  refuseOnMachine("start");
  return startWhenLoaded(options);
}

async function startWhenLoaded(options: RuntimeOptions | undefined): Promise<Runtime> {
  const { startRuntime } = loaded ?? (await loadHostSide());
  return startRuntime(options);
}

/**
 * Runs a goroutine on a runtime that starts at the first call, has as many processors as the machine has cores, and never keeps the process alive by itself.
 *
 * Rejects with what the body throws; with `FunctionError`, `CloneError` and the like if it cannot be started; with what ended the runtime.
 *
 * @throws `NoRuntimeError` inside a goroutine
 *
 * @example
 * ```ts
 * console.log(await run(fib, 25));
 * ```
 */
export function run<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Promise<R> {
  // Thrown, not rejected with: so a module that calls this at its top level fails to load on a machine, and says why.
  refuseOnMachine("run");
  return loaded === undefined ? runWhenLoaded(fn, args) : loaded.runOnDefault(fn, args);
}

async function runWhenLoaded<A extends unknown[], R>(fn: GoFunction<A, R>, args: A): Promise<R> {
  const { runOnDefault } = await loadHostSide();
  return runOnDefault(fn, args);
}
