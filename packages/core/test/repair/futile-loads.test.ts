/** Threads end, one after the other, while the same goroutine waits there for its module. */

import { expect, test } from "vitest";
import { MachineLostError } from "../../src/base/errors.ts";
import { type Body, referToModule } from "../../src/goroutine/functions.ts";
import { RUNNABLE } from "../../src/goroutine/status.ts";
import { G_FRAME, G_MACHINE, G_STATUS } from "../../src/memory/layout.ts";
import { MAX_FUTILE_LOADS } from "../../src/repair/futile-loads.ts";
import { Repair } from "../../src/repair/repair.ts";
import { singleMachine } from "../support/single-machine.ts";

const { late } = referToModule("test:futile") as Record<string, Body>;
const DEAD = 1;
const GOROUTINE = 1;

/** Has so many threads end there. Returns what became of the goroutine: a result, or undefined while it waits. */
async function outcomeAfter(losses: number, killed: boolean): Promise<unknown> {
  const { host, settle, memory } = singleMachine({ procs: 2, load: () => new Promise(() => {}) });
  const repair = new Repair(host, { panic: () => {} });
  let outcome: unknown;
  host.run(late as Body, []).catch((error: unknown) => {
    outcome = error;
  });
  await settle();
  const base = host.descriptorOf(GOROUTINE);
  for (let loss = 0; loss < losses; loss++) {
    expect([memory.i32[base + G_STATUS], memory.i32[base + G_MACHINE]]).toEqual([RUNNABLE, 0]);
    // The next thread has taken it up.
    memory.i32[base + G_FRAME] = DEAD + 1;
    repair.machineLost({ machine: DEAD, reason: "it ended", cause: undefined, killed });
    repair.sweep();
  }
  for (let turns = 0; turns < 5; turns++) await Promise.resolve();
  return outcome;
}

test("it is given up when they have ended by themselves", async () => {
  expect(await outcomeAfter(MAX_FUTILE_LOADS - 1, false)).toBeUndefined();
  const outcome = await outcomeAfter(MAX_FUTILE_LOADS, false);
  expect(outcome).toBeInstanceOf(MachineLostError);
  expect((outcome as Error).message).toContain("cannot begin");
});

test("it is passed on, however often, when they were killed", async () => {
  expect(await outcomeAfter(3 * MAX_FUTILE_LOADS, true)).toBeUndefined();
});
