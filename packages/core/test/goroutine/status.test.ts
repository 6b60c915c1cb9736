import { describe, expect, test } from "vitest";
import * as status from "../../src/goroutine/status.ts";
import { REASON_JOIN, WAIT_REASONS, waitReasonName } from "../../src/goroutine/wait-reason.ts";
import { G_STATUS, G_WAIT_REASON, G_WORDS } from "../../src/memory/layout.ts";

const { IDLE, RUNNABLE, RUNNING, SYSCALL, WAITING, DEAD } = status;
const ALL = [IDLE, RUNNABLE, RUNNING, SYSCALL, WAITING, DEAD];
const BASE = G_WORDS;

type Move = (i32: Int32Array, base: number) => void;

/** Every move, with the one status it may start from and where it leads. */
const moves: [name: string, move: Move, from: number, to: number][] = [
  ["created", status.transitionToRunnableFirst, IDLE, RUNNABLE],
  ["taken off a queue", status.transitionToRunning, RUNNABLE, RUNNING],
  ["parked", (i32, base) => status.transitionToWaiting(i32, base, REASON_JOIN), RUNNING, WAITING],
  ["woken", status.transitionWaitingToRunnable, WAITING, RUNNABLE],
  ["gave way", status.transitionRunningToRunnable, RUNNING, RUNNABLE],
  ["blocks", (i32, base) => status.transitionToSyscall(i32, base, REASON_JOIN), RUNNING, SYSCALL],
  ["has blocked", status.transitionSyscallToRunning, SYSCALL, RUNNING],
  ["ended", status.transitionToDead, RUNNING, DEAD],
  ["freed", status.transitionToIdle, DEAD, IDLE],
];

describe.each(moves)("%s", (_name, move, from, to) => {
  const at = (start: number): Int32Array => {
    const i32 = new Int32Array(2 * G_WORDS);
    i32[BASE + G_STATUS] = start;
    return i32;
  };

  test("leads where it should", () => {
    const i32 = at(from);
    move(i32, BASE);
    expect(i32[BASE + G_STATUS]).toBe(to);
    if (to === WAITING || to === SYSCALL) expect(i32[BASE + G_WAIT_REASON]).toBe(REASON_JOIN);
  });

  test.each(ALL.filter((start) => start !== from))("is refused from status %i, which stays", (start) => {
    const i32 = at(start);
    const told = `goroutine status: ${status.statusName(start)} to ${status.statusName(to)} is not a legal move`;
    expect(() => move(i32, BASE)).toThrow(told);
    expect(() => move(i32, BASE)).toThrow(`word ${BASE}`);
    expect(i32[BASE + G_STATUS]).toBe(start);
  });
});

test("names as Go's dumps print them, and of what is none", () => {
  expect(ALL.map(status.statusName)).toEqual(["idle", "runnable", "running", "syscall", "waiting", "dead"]);
  expect([status.statusName(5), waitReasonName(99)]).toEqual(["unknown(5)", "unknown(99)"]);
  // One has two: a join is called "join" whether the joiner is parked or stands below on the stack.
  expect(new Set(WAIT_REASONS).size).toBe(WAIT_REASONS.length - 1);
});
