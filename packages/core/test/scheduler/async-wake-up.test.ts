import { expect, test } from "vitest";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { LEAVE_EVENTS, LEAVE_MICROTASKS, LEAVE_TURN } from "../../src/scheduler/machine/processor-holding.ts";
import { WaitGroup } from "../../src/sync/wait-group.ts";
import { body, singleMachine } from "../support/single-machine.ts";

test("a machine whose async body was woken does not sleep before the body has gone on", async () => {
  const runtime = singleMachine();
  const make = body(function* make(): Goroutine<WaitGroup> {
    const wg = new WaitGroup();
    wg.add(1);
    return wg;
  });
  const wg = (await runtime.run(make)) as WaitGroup;
  let wentOn = false;
  const waiter = body(async function waiter(it: WaitGroup): Promise<void> {
    await it.wait();
    wentOn = true;
  });
  const outcome = runtime.host.run(waiter as never, [wg]);
  await runtime.settle();
  wg.done();
  expect([runtime.machine.run(), wentOn]).toEqual([LEAVE_MICROTASKS, false]);
  // Called again before the body's own microtask, as a thread's event loop does.
  expect([runtime.machine.run(), wentOn]).toEqual([LEAVE_TURN, false]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(wentOn).toBe(true);
  await runtime.settle();
  expect(runtime.machine.run()).toBe(LEAVE_EVENTS);
  await outcome;
});
