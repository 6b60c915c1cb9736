/**
 * Puts a sync object right whose lock a thread held when it died. Channels have a file of their own.
 *
 * The queues are made whole first (wait-queues.ts). Then each kind's promise about who waits is restored. Where it cannot be told whether somebody's turn had come, they are woken, and look for themselves: the waits of a
 * mutex compete anew anyway, and those of a condition may be woken without a signal.
 */

import { CHANNEL_KIND } from "../channel/channel.ts";
import { ERR_GROUP_KIND } from "../context/err-group.ts";
import { Group } from "../context/err-group-record.ts";
import { drainWaiters } from "../goroutine/wait-queue.ts";
import {
  BARRIER_ARRIVED,
  BARRIER_PARTIES,
  BARRIER_WAITERS,
  COND_WAITERS,
  ONCE_STATE,
  ONCE_WAITERS,
  W_NEXT,
} from "../memory/layout.ts";
import { objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { BARRIER_KIND } from "../sync/barrier.ts";
import { COND_KIND } from "../sync/cond.ts";
import { MUTEX_KIND } from "../sync/mutex.ts";
import { restoreMutex } from "../sync/mutex-protocol.ts";
import { DONE, ONCE_KIND } from "../sync/once.ts";
import { RW_MUTEX_KIND } from "../sync/rw-mutex.ts";
import { restoreRWMutex } from "../sync/rw-mutex-protocol.ts";
import { SEMAPHORE_KIND } from "../sync/semaphore.ts";
import { restoreSemaphore } from "../sync/semaphore-protocol.ts";
import { restoreWaitGroup, WAIT_GROUP_KIND } from "../sync/wait-group.ts";
import { repairChannel } from "./channels.ts";
import { queuesOf } from "./queues.ts";
import { repairQueue } from "./wait-queues.ts";

type Restore = (host: Thread, base: number) => readonly number[];

const restores: Readonly<Record<number, Restore>> = {
  [CHANNEL_KIND]: repairChannel,
  [MUTEX_KIND]: restoreMutex,
  [RW_MUTEX_KIND]: restoreRWMutex,
  [SEMAPHORE_KIND]: restoreSemaphore,
  [WAIT_GROUP_KIND]: restoreWaitGroup,
  [ONCE_KIND]: (host, base) => (host.i32[base + ONCE_STATE] === DONE ? drain(host, base + ONCE_WAITERS) : []),
  // A signal and a broadcast cannot be told apart.
  [COND_KIND]: (host, base) => drain(host, base + COND_WAITERS),
  [BARRIER_KIND]: restoreBarrier,
  [ERR_GROUP_KIND]: (host, base) => new Group(host, objectsOf(host).indexOf(base)).restore(),
};

/** Repairs the object whose record is at `base`; under its lock. Returns whom to make ready when it has been released. */
export function repairObject(host: Thread, base: number, kind: number): readonly number[] {
  for (const queue of queuesOf(kind)) repairQueue(host.i32, base + queue);
  return restores[kind]?.(host, base) ?? [];
}

function drain(host: Thread, queue: number): number[] {
  return drainWaiters(host.i32, queue, host.descriptors);
}

/** The count of arrivals is set to 0 before anybody is let go on: then all who still wait were part of that round. */
function restoreBarrier(host: Thread, base: number): readonly number[] {
  const { i32 } = host;
  let waiting = 0;
  for (let waiter = i32[base + BARRIER_WAITERS]; waiter !== 0; waiter = i32[waiter + W_NEXT]) waiting++;
  const isComplete = i32[base + BARRIER_ARRIVED] === 0 || waiting >= i32[base + BARRIER_PARTIES];
  if (!isComplete) i32[base + BARRIER_ARRIVED] = waiting;
  return isComplete ? drain(host, base + BARRIER_WAITERS) : [];
}
