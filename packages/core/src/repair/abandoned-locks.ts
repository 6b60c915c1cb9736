/**
 * What lost goroutines held of the program's own: mutexes, read and write locks, the right to make a `Once`'s call, and permits that were handed to them and that they never came to know of.
 *
 * To be done only while all machines are held: the words that name holders are written plainly, after the lock was taken, and mean something only when no living thread is in between. What each kind writes, and in which order, stands
 * in the files of core's sync folder whose names end in `protocol`, and in sync/once.ts.
 */

import { RUNNABLE, WAITING } from "../goroutine/status.ts";
import { REASON_RWMUTEX_RLOCK, REASON_SEMACQUIRE } from "../goroutine/wait-reason.ts";
import {
  G_MACHINE,
  G_STATUS,
  G_WAIT_REASON,
  G_WAITER,
  O_KIND,
  O_WORDS,
  W_QUEUED,
  W_RESULT,
  W_VALUE,
} from "../memory/layout.ts";
import type { Holdings } from "../scheduler/thread/holdings.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { MUTEX_KIND } from "../sync/mutex.ts";
import { releaseForDead as releaseMutex } from "../sync/mutex-protocol.ts";
import { forgetLostCall, ONCE_KIND } from "../sync/once.ts";
import { RW_MUTEX_KIND } from "../sync/rw-mutex.ts";
import { releaseForDead as releaseRWMutex } from "../sync/rw-mutex-protocol.ts";
import { SEMAPHORE_KIND } from "../sync/semaphore.ts";
import { give } from "../sync/semaphore-protocol.ts";
import { forEachUsed } from "./lost-goroutines.ts";
import { forEachObject } from "./queues.ts";

/** Who is dead, and who is not. */
export interface Survey {
  /** Machines whose threads have died. */
  readonly dead: ReadonlySet<number>;
  /** Low halves of the ids of the goroutines that are lost with them. */
  readonly ids: ReadonlySet<number>;
  /** What the living threads count of their own. */
  readonly living: readonly Holdings[];
}

/** Takes from lost goroutines all that they held. Returns the goroutines to make ready. */
export function releaseAbandoned(host: Thread, { dead, ids, living }: Survey): number[] {
  const arriving = readersOnTheirWay(host, dead);
  const isLost = (owner: number): boolean => ids.has(owner);
  const woken: number[] = [];
  forEachObject(host, (base, kind, index) => {
    if (kind === MUTEX_KIND) woken.push(...releaseMutex(host, base, isLost));
    else if (kind === ONCE_KIND) woken.push(...forgetLostCall(host, base, isLost));
    else if (kind === RW_MUTEX_KIND) {
      const readings = sumOf(living, index) + (arriving.get(base) ?? 0);
      woken.push(...releaseRWMutex(host, base, { isLost, readings }));
    }
  });
  return woken;
}

/** Readings that living threads hold. One that has ended more than it has begun ended those of others: it counts as none. */
function sumOf(living: readonly Holdings[], index: number): number {
  return living.reduce((sum, { readings }) => sum + Math.max(0, readings[index] ?? 0), 0);
}

/** By the first word of the mutex: readers that were let in from the queue and have not gone on yet, so that their threads have not counted them. */
function readersOnTheirWay(host: Thread, dead: ReadonlySet<number>): Map<number, number> {
  const { i32 } = host;
  const found = new Map<number, number>();
  forEachUsed(host, (base) => {
    const machine = i32[base + G_MACHINE] - 1;
    const mutex = servedBy(i32, base, REASON_RWMUTEX_RLOCK);
    if (mutex !== 0 && machine >= 0 && !dead.has(machine)) found.set(mutex, (found.get(mutex) ?? 0) + 1);
  });
  return found;
}

/** The object that has served the goroutine, which has not gone on since; 0 for none. */
function servedBy(i32: Int32Array, base: number, reason: number): number {
  const status = i32[base + G_STATUS];
  if ((status !== WAITING && status !== RUNNABLE) || i32[base + G_WAIT_REASON] !== reason) return 0;
  return i32[base + G_WAITER + W_QUEUED] === 0 ? i32[base + G_WAITER + W_RESULT] : 0;
}

/**
 * Gives back the permits that were handed to a lost goroutine, or to an awaited operation of one, while it waited for them, and that it has not come to know of. It must have been taken out of all queues. May be called at any time, and twice.
 */
export function giveBackPermits(host: Thread, base: number): void {
  const { i32 } = host;
  const semaphore = servedBy(i32, base, REASON_SEMACQUIRE);
  // Whoever died before it had queued left there what it had waited for before.
  if (!isSemaphore(host, semaphore)) return;
  i32[base + G_WAITER + W_RESULT] = 0;
  give(host, semaphore, i32[base + G_WAITER + W_VALUE]);
}

/** Whether a word is the first of a semaphore's record. */
function isSemaphore({ i32, memory }: Thread, word: number): boolean {
  const index = (word - memory.layout.objects) / O_WORDS;
  const isRecord = Number.isInteger(index) && index > 0 && index <= memory.shape.maxObjects;
  return isRecord && i32[word + O_KIND] === SEMAPHORE_KIND;
}
