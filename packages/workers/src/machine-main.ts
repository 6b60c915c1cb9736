/** The thread of a machine: a task of the pool that lasts as long as the runtime. */

import { AsyncLocalStorage } from "node:async_hooks";
import {
  becomeMachine,
  describeGoroutine,
  type Frame,
  formatGoroutine,
  type GoroutineInfo,
  type MachinePlatform,
  makeMachine,
  registerKinds,
  SharedMemory,
  setGarbageCollector,
  show,
  threadParts,
} from "@heddle/core";
import type { MachineBoot, MachineMessage } from "./boot.ts";
import { processClock } from "./clock.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { EventResources } from "./event-resources.ts";
import { MachineLoop } from "./machine-loop.ts";
import { microtaskRunner } from "./microtasks.ts";
import { nodeText } from "./node-text.ts";
import { BroadcastBuffers } from "./shared-buffers.ts";
import { registerTsx } from "./tsx.ts";

// Before any body's module is loaded.
await registerTsx();

/** Runs the machine until the runtime is closed. */
export default async function machineMain({
  memory: buffer,
  number,
  port,
  runtime,
}: MachineBoot): Promise<void> {
  const memory = SharedMemory.attach(buffer);
  const buffers = new BroadcastBuffers(memory, runtime);
  const frames = new AsyncLocalStorage<Frame>();
  const loop = new MachineLoop(memory, number);
  const send = (message: MachineMessage): void => port.postMessage(message);
  const runMicrotasks = microtaskRunner();
  // Before anything of a goroutine's runs.
  const resources = new EventResources();
  const platform: MachinePlatform = {
    eventsPending: () => resources.arePending(loop.immediates),
    requestRun: () => loop.requestRun(),
    runMicrotasks() {
      if (runMicrotasks === undefined) return false;
      runMicrotasks();
      return true;
    },
    load: (url) => import(url) as Promise<object>,
    enterAsync: (frame, start) => frames.run(frame, start),
    asyncFrame: () => frames.getStore(),
    panic: (base, error) => send(panicMessage(describeGoroutine(machine, base), error)),
  };
  const machine = makeMachine(
    threadParts({ memory, number, text: nodeText, buffers, clock: processClock() }),
    platform,
  );
  registerKinds(machine);
  setGarbageCollector(collectGarbage);
  becomeMachine(machine);
  send({ kind: "alive" });
  await buffers.ready;
  resources.note();
  loop.start(machine);
  await loop.closed;
  becomeMachine(undefined);
  buffers.close();
  port.close();
}

/** What the host is to print, in Go's form, and to reject with. */
function panicMessage(goroutine: GoroutineInfo, thrown: unknown): MachineMessage {
  const error = isReadable(thrown) ? thrown : new Error("panic with an error that cannot even be read");
  const text = panicText(error);
  const stack = error instanceof Error ? stackFrames(error) : [];
  const [header, ...rest] = formatGoroutine({ ...goroutine, status: "running", waitReason: undefined }).split(
    "\n",
  );
  // The stack says more than the place of the function; who created it comes last.
  const frames = stack.length > 0 ? [...stack, rest.at(-1)] : rest;
  const dump = `panic: ${panicChain(error)}\n\n${header}\n${frames.join("\n")}\n`;
  return { kind: "panic", error: cloneable(error, text), text, dump };
}

/** Whether nothing of it throws when it is read. A body may throw anything, a proxy with traps or an error with getters, too. */
function isReadable(error: unknown): boolean {
  try {
    return `${panicChain(error)}${error instanceof Error ? error.stack : ""}` !== "";
  } catch {
    return false;
  }
}

function panicText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : show(error);
}

/** The errors that led to the last, the first one first, as Go prints a chain of panics. */
function panicChain(error: unknown): string {
  const chain = [panicText(error)];
  for (let at = error; at instanceof Error && at.cause !== undefined && chain.length < 10; at = at.cause)
    chain.unshift(panicText(at.cause));
  return chain.join("\n\tpanic: ");
}

function stackFrames(error: Error): string[] {
  return String(error.stack)
    .split("\n")
    .filter((line) => /^\s+at /.test(line));
}

/** The error itself if it can be sent, else its text. */
function cloneable(error: unknown, text: string): unknown {
  try {
    return structuredClone(error);
  } catch {
    return new Error(text);
  }
}
