/** Goroutines whose module is being loaded. */

import { expect, it } from "vitest";
import { type Body, referToModule } from "../../src/goroutine/functions.ts";
import { G_FRAME, GLOBAL_HEAD } from "../../src/memory/layout.ts";
import { blocking } from "../../src/scheduler/api/blocking-call.ts";
import { body, singleMachine } from "../support/single-machine.ts";

const { late } = referToModule("test:late") as Record<string, Body>;

const holdsItsThread = body(function holdsItsThread(): void {
  blocking(look);
});

let look: () => void = () => {};

it("those that wait for a module are passed on when their thread is held, as if they had never waited", async () => {
  const { host, run, settle, memory } = singleMachine({ load: () => new Promise(() => {}) });
  void host.run(late as Body, []);
  await settle();
  const seen: number[] = [];
  look = () => {
    const passedOn = memory.i32[GLOBAL_HEAD];
    // A thread that has the module begins it, and keeps its frame where this word says, if it says anything.
    seen.push(passedOn, memory.i32[host.descriptorOf(passedOn) + G_FRAME]);
  };
  await run(holdsItsThread);
  expect(seen[0]).toBeGreaterThan(0);
  expect(seen[1]).toBe(0);
});
