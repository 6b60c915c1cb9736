/** A thread dies between taking a timer and saying what it is for, or between clearing it and giving it back. */

import { expect, test } from "vitest";
import { auditMemory } from "../../src/inspect/audit.ts";
import { T_KIND } from "../../src/memory/layout.ts";
import { Repair } from "../../src/repair/repair.ts";
import { TIMER_READY } from "../../src/scheduler/thread/timers.ts";
import { singleMachine } from "../support/single-machine.ts";

test("a timer that a thread had in hand is free again after the sweep, one that is in use is not", () => {
  const { machine, host, memory } = singleMachine({ procs: 2 });
  const repair = new Repair(host, {
    panic: (_base, error) => {
      throw error;
    },
  });
  const [inHand, inUse] = [machine.timers.take(TIMER_READY, 1), machine.timers.take(TIMER_READY, 2)];
  memory.i32[machine.timers.baseOf(inHand) + T_KIND] = 0;
  expect(auditMemory(host)).toMatchObject({ timers: 2, problems: [] });
  repair.sweep();
  expect(auditMemory(host)).toMatchObject({ timers: 1, problems: [] });
  machine.timers.free(inUse);
  repair.sweep();
  expect(auditMemory(host)).toMatchObject({ timers: 0, problems: [] });
});
