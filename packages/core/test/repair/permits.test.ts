/** What permits a goroutine had been handed when its thread died. */

import { expect, test } from "vitest";
import { WAITING } from "../../src/goroutine/status.ts";
import { REASON_SEMACQUIRE } from "../../src/goroutine/wait-reason.ts";
import { G_STATUS, G_WAIT_REASON, G_WAITER, W_QUEUED, W_RESULT } from "../../src/memory/layout.ts";
import { giveBackPermits } from "../../src/repair/abandoned-locks.ts";
import { singleMachine } from "../support/single-machine.ts";

const GOROUTINE = 1;

test.each([3, 0x2000_0003, -1])(
  "one that died before it had queued, with the result %i of what it had waited for before, was handed none",
  (result) => {
    const { host, memory } = singleMachine();
    const { i32 } = memory;
    const base = host.descriptorOf(GOROUTINE);
    i32[base + G_STATUS] = WAITING;
    i32[base + G_WAIT_REASON] = REASON_SEMACQUIRE;
    i32[base + G_WAITER + W_QUEUED] = 0;
    i32[base + G_WAITER + W_RESULT] = result;
    const before = i32.slice();
    giveBackPermits(host, base);
    expect(i32.every((word, at) => word === before[at])).toBe(true);
  },
);
