/** The thread of sysmon: passes of the monitor, sleeps between them. */

import { workerData } from "node:worker_threads";
import { Monitor, SharedMemory } from "@heddle/core";
import type { MonitorBoot } from "./boot.ts";

const monitor = new Monitor(SharedMemory.attach((workerData as MonitorBoot).memory));
while (monitor.sleep(monitor.pass(performance.now())));
