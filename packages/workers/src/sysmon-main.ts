/** The thread of sysmon: passes of the monitor, sleeps between them. */

import { parentPort, workerData } from "node:worker_threads";
import {
  CHAOS_OFF,
  chaosSeed,
  Decisions,
  describeGoroutine,
  Monitor,
  registerKinds,
  SharedMemory,
  SysmonThread,
  slowDownAtomics,
  sysmonNumber,
  threadParts,
} from "@heddle/core";
import type { HogMessage, MonitorBoot } from "./boot.ts";
import { processClock } from "./clock.ts";
import { nodeText } from "./node-text.ts";

// sysmon makes no values and looks into none, so it needs no mail for shared buffers. It may have to drop some.
const memory = SharedMemory.attach((workerData as MonitorBoot).memory);
if (chaosSeed(memory) !== CHAOS_OFF) slowDownAtomics(new Decisions(chaosSeed(memory), sysmonNumber(memory)));
const clock = processClock();
const thread = new SysmonThread(threadParts({ memory, number: sysmonNumber(memory), text: nodeText, clock }));
registerKinds(thread);

/** Tells the host. */
function reportHog(base: number, heldMs: number): void {
  try {
    const { id, name, module } = describeGoroutine(thread, base);
    const message: HogMessage = { id, name, module, heldMs };
    parentPort?.postMessage(message);
  } catch {
    // It has ended while it was looked at, and its descriptor is another's.
  }
}

const monitor = new Monitor(memory, thread.timers, reportHog);
monitor.enter();
while (monitor.sleep(monitor.pass(clock()), clock));
