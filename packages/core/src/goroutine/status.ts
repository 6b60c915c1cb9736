/**
 * The life of a goroutine: Go's statuses and the moves between them.
 *
 * ```
 * idle ─► runnable ─► running ─► waiting ─► runnable …
 *            │           ├─────► syscall ─► running …
 *            │           ├─────► runnable             (yielded, preempted)
 *            └─► dead ◄──┘                            (cancelled before its start, or ended)
 * ```
 *
 * An async body counts as waiting from its first `await` on, and moves from there to syscall and back when it makes a synchronous call that holds the thread.
 *
 * One thread at a time has the right to move a goroutine: its creator until it is queued, whoever took it off a queue until it ends, and
 * while it waits the machine it is pinned to. Another thread that makes it ready only puts it into that machine's inbox; the machine moves it
 * to runnable when it empties the inbox. So the word has one writer at any time and needs no compare-and-swap: the queue operation in between
 * orders the writes. Every move checks where it comes from, because a wrong start is the first symptom of a goroutine queued or woken twice.
 */

import { corruption } from "../memory/alarm.ts";
import { G_STATUS, G_WAIT_REASON } from "../memory/layout.ts";
import { REASON_AWAIT, type WaitReason } from "./wait-reason.ts";

/** In a free list, or taken and not yet filled in, or to be queued at a later time. */
export const IDLE = 0;
/** On a queue. */
export const RUNNABLE = 1;
/** On a machine, holding its processor. */
export const RUNNING = 2;
/** On a machine that gave its processor away to wait in the operating system. */
export const SYSCALL = 3;
/** Parked. */
export const WAITING = 4;
/** Ended; the result waits for its readers. */
export const DEAD = 6;

const NAMES: Readonly<Record<number, string>> = {
  [IDLE]: "idle",
  [RUNNABLE]: "runnable",
  [RUNNING]: "running",
  [SYSCALL]: "syscall",
  [WAITING]: "waiting",
  [DEAD]: "dead",
};

/** A status as Go's dumps print it. */
export function statusName(status: number): string {
  return NAMES[status] ?? `unknown(${status})`;
}

// Rebound: V8 folds a module's own constants; imported and exported ones cost a load and a check each.
const STATUS = G_STATUS;
const TO_IDLE = IDLE;
const TO_RUNNABLE = RUNNABLE;
const TO_RUNNING = RUNNING;
const TO_SYSCALL = SYSCALL;
const TO_WAITING = WAITING;
const TO_DEAD = DEAD;

/** Created and about to be queued. */
export function transitionToRunnableFirst(i32: Int32Array, base: number): void {
  if (i32[base + STATUS] !== TO_IDLE) throw badMove(i32, base, TO_RUNNABLE);
  i32[base + STATUS] = TO_RUNNABLE;
}

/** Created, but to be queued later. */
export function transitionToHeld(i32: Int32Array, base: number): void {
  if (i32[base + STATUS] !== TO_RUNNABLE) throw badMove(i32, base, TO_IDLE);
  i32[base + STATUS] = TO_IDLE;
}

/** Taken off a queue to run. */
export function transitionToRunning(i32: Int32Array, base: number): void {
  if (i32[base + STATUS] !== TO_RUNNABLE) throw badMove(i32, base, TO_RUNNING);
  i32[base + STATUS] = TO_RUNNING;
}

/** Parked, and why. */
export function transitionToWaiting(i32: Int32Array, base: number, reason: WaitReason): void {
  if (i32[base + STATUS] !== TO_RUNNING) throw badMove(i32, base, TO_WAITING);
  i32[base + STATUS] = TO_WAITING;
  i32[base + G_WAIT_REASON] = reason;
}

/** Woken: Go's `ready`. */
export function transitionWaitingToRunnable(i32: Int32Array, base: number): void {
  if (i32[base + STATUS] !== TO_WAITING) throw badMove(i32, base, TO_RUNNABLE);
  i32[base + STATUS] = TO_RUNNABLE;
}

/** Yielded or preempted. */
export function transitionRunningToRunnable(i32: Int32Array, base: number): void {
  if (i32[base + STATUS] !== TO_RUNNING) throw badMove(i32, base, TO_RUNNABLE);
  // What it waited for last, or the goroutine that had this descriptor before, may not look like what it is ready for (see repair/abandoned-locks.ts).
  i32[base + G_WAIT_REASON] = 0;
  i32[base + STATUS] = TO_RUNNABLE;
}

/** Gave its processor away: Go's `entersyscallblock`. */
export function transitionToSyscall(i32: Int32Array, base: number, reason: WaitReason): void {
  if (i32[base + STATUS] !== TO_RUNNING) throw badMove(i32, base, TO_SYSCALL);
  i32[base + STATUS] = TO_SYSCALL;
  i32[base + G_WAIT_REASON] = reason;
}

/** An async body that makes a synchronous call after an `await`. */
export function transitionAwaitingToSyscall(i32: Int32Array, base: number): void {
  if (i32[base + STATUS] !== TO_WAITING) throw badMove(i32, base, TO_SYSCALL);
  i32[base + STATUS] = TO_SYSCALL;
  i32[base + G_WAIT_REASON] = 0;
}

/** That call is over. */
export function transitionSyscallToAwaiting(i32: Int32Array, base: number): void {
  if (i32[base + STATUS] !== TO_SYSCALL) throw badMove(i32, base, TO_WAITING);
  i32[base + STATUS] = TO_WAITING;
  i32[base + G_WAIT_REASON] = REASON_AWAIT;
}

/** Has a processor again: Go's `exitsyscall`. */
export function transitionSyscallToRunning(i32: Int32Array, base: number): void {
  if (i32[base + STATUS] !== TO_SYSCALL) throw badMove(i32, base, TO_RUNNING);
  i32[base + STATUS] = TO_RUNNING;
}

/** Ended. */
export function transitionToDead(i32: Int32Array, base: number): void {
  if (i32[base + STATUS] !== TO_RUNNING) throw badMove(i32, base, TO_DEAD);
  i32[base + STATUS] = TO_DEAD;
}

/** Back in the free list. */
export function transitionToIdle(i32: Int32Array, base: number): void {
  if (i32[base + STATUS] !== TO_DEAD) throw badMove(i32, base, TO_IDLE);
  i32[base + STATUS] = TO_IDLE;
}

function badMove(i32: Int32Array, base: number, to: number): Error {
  const from = statusName(i32[base + STATUS]);
  return corruption(
    i32,
    `goroutine status: ${from} to ${statusName(to)} is not a legal move (descriptor at word ${base})`,
  );
}
