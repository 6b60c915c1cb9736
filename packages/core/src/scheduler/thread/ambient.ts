/**
 * Which runtime the functions without one belong to.
 *
 * On a machine there is one, for the life of the thread. On the host it is the one being `enter`ed, else the only open one; the host's package says how it is found.
 */

import { NoRuntimeError } from "../../base/errors.ts";
import type { Machine } from "../machine/machine.ts";
import type { Thread } from "./thread.ts";

/** The machine that this thread is, if it is one. */
export let currentMachine: Machine | undefined;

let hostThread: () => Thread = () => {
  throw new NoRuntimeError("no runtime on this thread: start one with start() or run()");
};

/** Makes this thread a machine. */
export function becomeMachine(machine: Machine | undefined): void {
  currentMachine = machine;
}

/** Says how the ambient runtime is found on a thread that is not a machine. */
export function setHostResolver(resolver: () => Thread): void {
  hostThread = resolver;
}

/** The thread of the ambient runtime. Throws `NoRuntimeError`. */
export function ambientThread(): Thread {
  return currentMachine ?? hostThread();
}

/** The machine, for what makes sense only inside a goroutine. Throws `NoRuntimeError`. */
export function ambientMachine(what: string): Machine {
  if (currentMachine === undefined)
    throw new NoRuntimeError(`${what} is for goroutines; this is not a machine's thread`);
  return currentMachine;
}

/** Whether this thread is a machine. */
export function isMachine(): boolean {
  return currentMachine !== undefined;
}
