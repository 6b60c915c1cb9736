/** The thread of a machine: a task of the pool that lasts as long as the runtime. */

import { AsyncLocalStorage } from "node:async_hooks";
import { becomeMachine, type Frame, Machine, type MachinePlatform, registerKinds, setGarbageCollector, SharedMemory, threadParts } from "@heddle/core";
import type { MachineBoot, MachineMessage } from "./boot.ts";
import { processClock } from "./clock.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { MachineLoop } from "./machine-loop.ts";
import { nodeText } from "./node-text.ts";
import { BroadcastBuffers } from "./shared-buffers.ts";

/** Resources of the thread's event loop that are there without any goroutine: ports of the pool and of this machine. */
function activeResources(): number {
  return process.getActiveResourcesInfo().length;
}

/** Runs the machine until the runtime is closed. */
export default async function machineMain({ memory: buffer, number, port, runtime }: MachineBoot): Promise<void> {
  const memory = SharedMemory.attach(buffer);
  const buffers = new BroadcastBuffers(memory, runtime);
  const frames = new AsyncLocalStorage<Frame>();
  const loop = new MachineLoop(memory, number);
  const send = (message: MachineMessage): void => port.postMessage(message);
  // The baseline is taken when nothing of a goroutine's has run yet.
  let baseline = Number.POSITIVE_INFINITY;
  const platform: MachinePlatform = {
    eventsPending: () => activeResources() > baseline,
    requestRun: () => loop.requestRun(),
    load: (url) => import(url) as Promise<object>,
    enterAsync: (frame, start) => frames.run(frame, start),
    asyncFrame: () => frames.getStore(),
    panic: (goroutine, error) => send(panicMessage(goroutine, error)),
  };
  const machine = new Machine(threadParts({ memory, number, text: nodeText, buffers, clock: processClock() }), platform);
  registerKinds(machine);
  setGarbageCollector(collectGarbage);
  becomeMachine(machine);
  send({ kind: "alive" });
  await buffers.ready;
  baseline = activeResources();
  loop.start(machine);
  await loop.closed;
  becomeMachine(undefined);
  buffers.close();
  port.close();
}

function panicMessage(goroutine: number, error: unknown): MachineMessage {
  const text = error instanceof Error ? String(error.stack ?? error) : String(error);
  const name = error instanceof Error ? error.name : typeof error;
  return { kind: "panic", goroutine, name, error: cloneable(error, text), text };
}

/** The error itself if it can be sent, else its text. */
function cloneable(error: unknown, text: string): unknown {
  try {
    return structuredClone(error);
  } catch {
    return new Error(text);
  }
}
