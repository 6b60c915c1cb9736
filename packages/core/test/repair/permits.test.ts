/** What permits a goroutine had been handed when its thread died. */

import { expect, test } from "vitest";
import { WAITING } from "../../src/goroutine/status.ts";
import { removeWaiter } from "../../src/goroutine/wait-queue.ts";
import { REASON_SEMACQUIRE } from "../../src/goroutine/wait-reason.ts";
import {
  G_STATUS,
  G_WAIT_REASON,
  G_WAITER,
  O_LOCK,
  SEM_FREE,
  SEM_LEFT,
  SEM_SERVING,
  SEM_WAITERS,
  W_QUEUED,
  W_RESULT,
} from "../../src/memory/layout.ts";
import { releaseIfHeldBy, setDoubt } from "../../src/memory/thread-lock.ts";
import { giveBackPermits } from "../../src/repair/abandoned-locks.ts";
import { Semaphore } from "../../src/sync/semaphore.ts";
import { restoreSemaphore } from "../../src/sync/semaphore-protocol.ts";
import { body, singleMachine } from "../support/single-machine.ts";

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

test("those of one that was served by a thread which died as well are given back once", async () => {
  const { host, memory, settle } = singleMachine();
  const { i32 } = memory;
  let base = 0;
  const waits = body(function* waits() {
    const permits = new Semaphore(1);
    ({ base } = permits as unknown as { base: number });
    permits.tryAcquire();
    yield* permits.acquire();
  });
  void host.run(waits, []);
  await settle();
  const waiter = i32[base + SEM_WAITERS];
  const descriptor = waiter - G_WAITER;
  // The server has given the permit that came back, has taken the waiter out of the queue, and dies before it says that it is done.
  const server = 9;
  i32[base + O_LOCK] = server + 1;
  i32[base + SEM_LEFT] = 0;
  i32[base + SEM_SERVING] = waiter;
  i32[waiter + W_RESULT] = base;
  removeWaiter(i32, base + SEM_WAITERS, waiter);
  setDoubt(i32, () => {
    restoreSemaphore(host, base);
    releaseIfHeldBy(i32, base + O_LOCK, server);
  });
  for (let time = 0; time < 3; time++) giveBackPermits(host, descriptor);
  expect(i32[base + SEM_FREE]).toBe(1);
});
