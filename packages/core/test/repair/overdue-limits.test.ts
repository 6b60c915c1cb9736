/** A goroutine that defies its cancellation, and a thread that died when it was to see to that. */

import { expect, test } from "vitest";
import { chan } from "../../src/channel/channel.ts";
import { planOf } from "../../src/context/plan.ts";
import { spawnWith } from "../../src/context/spawn-with.ts";
import { takeCondemned } from "../../src/context/time-limits.ts";
import { PL_KILL_TIMER } from "../../src/memory/layout.ts";
import { Repair } from "../../src/repair/repair.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import type { GoroutineHandle } from "../../src/scheduler/thread/handle.ts";
import { body, singleMachine } from "../support/single-machine.ts";

test("its thread is condemned when the timer for that is found nowhere, and only once", async () => {
  const { host, machine, settle } = singleMachine();
  const repair = new Repair(host, { panic: () => {} });
  const condemned = (): readonly unknown[] => {
    repair.condemnOverdue();
    return takeCondemned(host);
  };
  let told = 0;
  const defies = body(function* defies(): Goroutine<void> {
    for (;;) {
      try {
        yield* chan().recv();
      } catch {
        told++;
      }
    }
  });
  let defiant: GoroutineHandle<unknown> | undefined;
  const starts = body(() => {
    defiant = spawnWith({ timeout: 1, killAfter: 1e6 }, defies) as GoroutineHandle<unknown>;
  });
  void host.run(starts, []);
  while (told === 0) {
    // In sysmon's place.
    host.timers.runDue(0, performance.now());
    await settle();
  }
  expect(condemned()).toEqual([]);
  // As a thread does that is about to run it.
  machine.timers.stop(
    machine.i32[planOf(machine, (defiant as GoroutineHandle<unknown>).base) + PL_KILL_TIMER],
  );
  expect(condemned()).toMatchObject([{ machine: 1, timeoutMs: 1, killAfterMs: 1e6 }]);
  expect(condemned()).toEqual([]);
});
