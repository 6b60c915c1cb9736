/** How often machines ring a host that sleeps: counted, for times say little. */

import { countAtomics } from "@heddle/testkit";
import { expect, test } from "vitest";
import { chan } from "../../src/channel/channel.ts";
import type { Chan } from "../../src/channel/types.ts";
import type { Body } from "../../src/goroutine/functions.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { body, type SingleMachine, singleMachine } from "../support/single-machine.ts";

/** Runs the machine once while the host sleeps; how often it was rung. */
function ringsOf({ machine, host }: SingleMachine): number {
  // The model's machine is there without having been asked for.
  host.idle.takeWanted();
  expect(host.announceSleep()).toBe(true);
  return countAtomics(() => machine.run()).notify;
}

test("a thousand results are one ring", async () => {
  const runtime = singleMachine({ clock: () => 0 });
  const double = body(function* double(n: number): Goroutine<number> {
    return 2 * n;
  });
  const outcomes = Array.from({ length: 1000 }, (_, n) => runtime.host.run(double as Body, [n]));
  // What was submitted goes to the machine before the host sleeps.
  await Promise.resolve();
  expect(ringsOf(runtime)).toBe(1);
  await runtime.settle();
  expect(await Promise.all(outcomes)).toEqual(outcomes.map((_, n) => 2 * n));
});

test("so are a thousand values for those who wait on the host, and so is one alone", async () => {
  const runtime = singleMachine({ clock: () => 0 });
  const make = body(function* make(): Goroutine<Chan<number>> {
    return chan<number>(0);
  });
  const ch = (await runtime.run(make)) as Chan<number>;
  const fill = body(function* fill(into: Chan<number>, count: number): Goroutine<void> {
    for (let i = 0; i < count; i++) yield* into.send(i);
  });
  for (const count of [1000, 1]) {
    const received = Array.from({ length: count }, () => ch.recv().then((value) => value));
    await Promise.resolve();
    runtime.host.go(fill as Body, [ch, count]);
    await Promise.resolve();
    expect(ringsOf(runtime)).toBe(1);
    await runtime.settle();
    expect(await Promise.all(received)).toEqual(received.map((_, i) => i));
  }
});
