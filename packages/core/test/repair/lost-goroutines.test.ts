/** The thread of a machine dies while others are about to make its goroutines ready. */

import { beforeEach, expect, test } from "vitest";
import { MachineLostError } from "../../src/base/errors.ts";
import { chan } from "../../src/channel/channel.ts";
import type { Body } from "../../src/goroutine/functions.ts";
import { G_MACHINE, G_STATUS, M_WORDS } from "../../src/memory/layout.ts";
import { post } from "../../src/queue/inbox.ts";
import { isLive } from "../../src/repair/lost-goroutines.ts";
import { Repair } from "../../src/repair/repair.ts";
import { body, type SingleMachine, singleMachine } from "../support/single-machine.ts";

const DEAD = 1;
let one: SingleMachine;
let repair: Repair;

beforeEach(() => {
  one = singleMachine({ procs: 2 });
  repair = new Repair(one.host, {
    panic: (_base, error) => {
      throw error;
    },
  });
});

const receives = body(function* receives() {
  return yield* chan<number>().recv();
});

/** Numbers of the live goroutines that the machine has. */
function residents(): number[] {
  const { host } = one;
  const found: number[] = [];
  for (let goroutine = 1; goroutine < 100; goroutine++) {
    const base = host.descriptorOf(goroutine);
    if (host.i32[base + G_MACHINE] === DEAD + 1 && isLive(host.i32[base + G_STATUS])) found.push(goroutine);
  }
  return found;
}

const lose = (): void => repair.machineLost({ machine: DEAD, reason: "it was killed", cause: undefined });

test("a wake-up that comes late does not keep the host from settling what it waits for", async () => {
  const runs = [1, 2, 3].map(() => one.host.run(receives as Body, []));
  await one.settle();
  const lost = residents();
  expect(lost).toHaveLength(3);
  lose();
  // Somebody had served them all, and comes to making them ready only now, in another order.
  const { host } = one;
  const inbox = host.memory.layout.machines + DEAD * M_WORDS;
  for (const goroutine of lost) post(host.i32, host.descriptors, inbox, goroutine);
  host.drain();
  repair.sweep();
  for (const { status, reason } of (await Promise.allSettled(runs)) as PromiseRejectedResult[]) {
    expect(status).toBe("rejected");
    expect(reason).toBeInstanceOf(MachineLostError);
  }
  expect(residents()).toEqual([]);
});
