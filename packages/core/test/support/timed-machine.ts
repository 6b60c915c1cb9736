/** A runtime in one thread whose clock stands still until a test moves it, with sysmon's passes made by hand. */

import { fakeClock } from "@heddle/testkit";
import { registerKinds } from "../../src/context/kinds.ts";
import { Monitor } from "../../src/scheduler/machine/monitor.ts";
import { SysmonThread, sysmonNumber } from "../../src/scheduler/thread/sysmon-thread.ts";
import { threadParts } from "../../src/scheduler/thread/thread-parts.ts";
import { loopText } from "../../src/values/text.ts";
import { type SingleMachine, type SingleMachineOptions, singleMachine } from "./single-machine.ts";

export interface TimedMachine extends SingleMachine {
  readonly now: () => number;
  readonly sysmon: SysmonThread;
  /** Lets `ms` pass at once, runs what is due, and lets the machine run until it has nothing to do. */
  advance(ms: number): Promise<void>;
  /** Lets `ms` pass at once and marks what is due. */
  pass(ms: number): void;
}

/** Time begins at `startMs`. */
export function timedMachine(startMs = 1000, options: SingleMachineOptions = {}): TimedMachine {
  const clock = fakeClock(startMs);
  const runtime = singleMachine({ ...options, clock: clock.now });
  const { memory } = runtime;
  const sysmon = new SysmonThread(
    threadParts({
      memory,
      number: sysmonNumber(memory),
      text: loopText,
      clock: clock.now,
    }),
  );
  registerKinds(sysmon);
  const monitor = new Monitor(memory, sysmon.timers);
  const pass = (ms: number): void => {
    clock.advance(ms);
    monitor.pass(clock.now());
  };
  const advance = async (ms: number): Promise<void> => {
    pass(ms);
    await runtime.settle();
  };
  return { ...runtime, now: clock.now, sysmon, advance, pass };
}
