/** The open runtimes of this thread, and which of them is the ambient one. */

import { AsyncLocalStorage } from "node:async_hooks";
import { isMachine, NoRuntimeError, setHostResolver, type Thread } from "@heddle/core";

/** What is needed of a runtime here. */
interface OpenRuntime {
  readonly host: Thread;
  readonly closed: boolean;
}

const open = new Set<OpenRuntime>();
// Made at the first `enter`: a storage in use makes every promise of the thread a little dearer.
let entered: AsyncLocalStorage<OpenRuntime> | undefined;

/** Counts a runtime among those that may be ambient. */
export function addRuntime(runtime: OpenRuntime): void {
  open.add(runtime);
}

/** Takes it out again. */
export function removeRuntime(runtime: OpenRuntime): void {
  open.delete(runtime);
}

/** Runs `body`, and what it awaits, with `runtime` as the ambient one. */
export function enterRuntime<T>(runtime: OpenRuntime, body: () => T): T {
  if (runtime.closed) throw new NoRuntimeError("enter: the runtime is closed");
  entered ??= new AsyncLocalStorage();
  return entered.run(runtime, body);
}

function ambientRuntime(): OpenRuntime {
  const inside = entered?.getStore();
  if (inside !== undefined) {
    if (inside.closed) throw new NoRuntimeError("the runtime that was entered is closed");
    return inside;
  }
  const [only, ...others] = open;
  if (only === undefined) throw new NoRuntimeError("no runtime is open: start one with start() or run()");
  if (others.length > 0) {
    throw new NoRuntimeError(
      `${open.size} runtimes are open and none is entered: say which with runtime.enter(…)`,
    );
  }
  return only;
}

setHostResolver(() => ambientRuntime().host);

/** On a machine's thread, `start` and `run` are refused, with advice. */
export function refuseOnMachine(what: string): void {
  if (!isMachine()) return;
  throw new NoRuntimeError(
    `${what}() was called on a machine's thread. Inside a goroutine use spawn() or go(). If this is the top level of a module that also declares goroutine bodies: machines import that module, so ` +
      `move the bodies into a module of their own, or put the program under if (isMainThread) { … } (from "node:worker_threads").`,
  );
}
