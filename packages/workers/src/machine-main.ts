/** The thread of a machine: a task of the pool that lasts as long as the runtime. */

import { AsyncLocalStorage } from "node:async_hooks";
import {
  becomeMachine,
  describeGoroutine,
  type Frame,
  type MachinePlatform,
  machineRecord,
  makeMachine,
  registerKinds,
  SharedMemory,
  setAlarm,
  setDoubt,
  setGarbageCollector,
  sharedBuffersOf,
  threadParts,
  wake,
} from "@heddle/core";
import type { MachineBoot, MachineMessage } from "./boot.ts";
import { processClock } from "./clock.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { EventResources } from "./event-resources.ts";
import { MachineLoop, requireNoLocks } from "./machine-loop.ts";
import { microtaskRunner } from "./microtasks.ts";
import { nodeText } from "./node-text.ts";
import { panicMessage } from "./panic-message.ts";
import { receivedBytes } from "./received-bytes.ts";
import { BufferBroadcast } from "./shared-buffers.ts";
import { registerTsx } from "./tsx.ts";

// Before any body's module is loaded.
await registerTsx();

/** Runs the machine until the runtime is closed. */
export default async function machineMain({
  memory: buffer,
  number,
  port,
  lifeline,
  holdings,
  runtime,
}: MachineBoot): Promise<void> {
  const memory = SharedMemory.attach(buffer);
  const mail = new BufferBroadcast(memory, runtime);
  const frames = new AsyncLocalStorage<Frame>();
  const loop = new MachineLoop(memory, number);
  const send = (message: MachineMessage): void => port.postMessage(message);
  const runMicrotasks = microtaskRunner();
  // Before anything of a goroutine's runs.
  const resources = new EventResources();
  const platform: MachinePlatform = {
    eventsPending() {
      // It is about to sleep, perhaps without a turn of the event loop.
      requireNoLocks(memory.i32);
      return resources.arePending(loop.immediates);
    },
    requestRun: () => loop.requestRun(),
    runMicrotasks() {
      if (runMicrotasks === undefined) return false;
      runMicrotasks();
      return true;
    },
    load,
    enterAsync: (frame, start) => frames.run(frame, start),
    asyncFrame: () => frames.getStore(),
    panic: (base, error) => send(panicMessage(describeGoroutine(machine, base), error)),
  };
  const machine = makeMachine(
    threadParts({
      memory,
      number,
      text: nodeText,
      copyBytes: receivedBytes(),
      mail,
      clock: processClock(),
      holdings,
    }),
    platform,
  );
  registerKinds(machine);
  const mailHasCome = mail.deliverTo(sharedBuffersOf(machine));
  setAlarm(memory.i32, ({ message: text }) => send({ kind: "corrupt", text }));
  // A host that has overflowed its stack with a lock of the runtime's looks for that when it is woken.
  setDoubt(memory.i32, (holder) => {
    if (holder === 0) wake(memory.i32, machineRecord(memory, 0));
  });
  setGarbageCollector(collectGarbage);
  becomeMachine(machine);
  send({ kind: "alive" });
  await mailHasCome;
  resources.note();
  loop.start(machine);
  await loop.closed;
  becomeMachine(undefined);
  mail.close();
  port.close();
  lifeline.close();
}

/**
 * Loads a module. That it cannot be loaded is told only after a turn of the event loop: on a thread that is being ended Node may let an evaluation that was cut off look like a module without exports, and go on with microtasks for a
 * while. Such a thread has no further turns. What waited for the module is passed on.
 */
async function load(url: string): Promise<object> {
  try {
    return (await import(url)) as object;
  } catch (error) {
    await new Promise((resolve) => setImmediate(resolve));
    throw error;
  }
}
