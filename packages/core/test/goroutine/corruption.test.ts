/** Words that make no sense are found, and the alarm is rung once, rather than gone on with. */

import { expect, test, vi } from "vitest";
import { CorruptMemoryError } from "../../src/base/errors.ts";
import { transitionToRunning } from "../../src/goroutine/status.ts";
import { drainWaiters, enqueueWaiter } from "../../src/goroutine/wait-queue.ts";
import { setAlarm } from "../../src/memory/alarm.ts";
import { W_NEXT, W_WORDS } from "../../src/memory/layout.ts";

const QUEUE = 1;
const [FIRST, SECOND] = [W_WORDS, 2 * W_WORDS];

test("a queue whose links run in a circle is not followed for ever", () => {
  const i32 = new Int32Array(4 * W_WORDS);
  const ring = vi.fn();
  setAlarm(i32, ring);
  for (const waiter of [FIRST, SECOND]) enqueueWaiter(i32, QUEUE, waiter);
  i32[SECOND + W_NEXT] = FIRST;
  expect(() => drainWaiters(i32, QUEUE, 0)).toThrow(CorruptMemoryError);
  expect(ring).toHaveBeenCalledTimes(1);
  expect(ring.mock.calls[0]?.[0].message).toBe(
    `the runtime's memory is damaged: wait queue at word ${QUEUE}: its first waiter, at word ${FIRST}, is in no queue`,
  );
});

test("an illegal move of a goroutine rings the alarm; where nobody listens it is an error all the same", () => {
  const i32 = new Int32Array(32);
  expect(() => transitionToRunning(i32, 0)).toThrow("goroutine status: idle to running is not a legal move");
  const ring = vi.fn();
  setAlarm(i32, ring);
  expect(() => transitionToRunning(i32, 0)).toThrow(CorruptMemoryError);
  expect(ring).toHaveBeenCalledTimes(1);
});
