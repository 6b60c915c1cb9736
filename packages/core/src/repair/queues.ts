/**
 * Takes those who lived on a dead thread out of the queues they stand in.
 *
 * Which queue a waiter stands in is written nowhere, so all objects are looked through. The look goes without locks: what it finds is checked again under the lock, and a link that changes under its feet costs it the rest of
 * one queue, which the sweep looks through once more while nothing moves. Only a record in whose queue a dead waiter was seen is locked. The dead thread's objects hold references to it until the sweep, so whoever else uses it does not
 * take it for the only user's, and goes by the lock, too.
 */

import { CHANNEL_KIND } from "../channel/channel.ts";
import { ERR_GROUP_KIND } from "../context/err-group.ts";
import { CONTEXT_KIND } from "../context/tree.ts";
import { goroutineOf, removeWaiter } from "../goroutine/wait-queue.ts";
import {
  BARRIER_ARRIVED,
  BARRIER_WAITERS,
  C_RECEIVERS,
  C_SENDERS,
  COND_WAITERS,
  E_STARTERS,
  E_WAITERS,
  G_MACHINE,
  MUTEX_WAITERS,
  O_HEAD,
  O_KIND,
  O_LOCK,
  O_REFS,
  ONCE_WAITERS,
  POOL_BUMP,
  POOL_OBJECT,
  POOL_WORDS,
  RW_READERS,
  RW_WRITERS,
  SEM_WAITERS,
  W_NEXT,
} from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import { objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { BARRIER_KIND } from "../sync/barrier.ts";
import { COND_KIND } from "../sync/cond.ts";
import { MUTEX_KIND } from "../sync/mutex.ts";
import { LockWait } from "../sync/mutex-protocol.ts";
import { ONCE_KIND } from "../sync/once.ts";
import { RW_MUTEX_KIND } from "../sync/rw-mutex.ts";
import { abandonRead, abandonWrite } from "../sync/rw-mutex-protocol.ts";
import { SEMAPHORE_KIND } from "../sync/semaphore.ts";
import { abandon } from "../sync/semaphore-protocol.ts";
import { WAIT_GROUP_KIND } from "../sync/wait-group.ts";
import { dropUntaken } from "./untaken.ts";

/** A waiter that was seen in a queue: first words of the object, of the waiter, and of the descriptor it stands for. */
export interface Standing {
  readonly host: Thread;
  readonly object: number;
  readonly waiter: number;
  readonly descriptor: number;
}

/** One queue of a kind of objects. */
interface QueueRule {
  /** Offset of its two words. */
  readonly at: number;
  /** Takes a waiter out as its own cancellation would, with what follows from that for the others. */
  leave(standing: Standing): void;
}

/** Runs a step under the object's lock. */
function locked<T>({ host, object }: Standing, step: () => T): T {
  acquire(host.i32, object + O_LOCK, host.number);
  try {
    return step();
  } finally {
    release(host.i32, object + O_LOCK);
  }
}

/** A queue from which one may simply step out. */
function plain(at: number): QueueRule {
  return {
    at,
    leave: (standing) =>
      locked(standing, () => removeWaiter(standing.host.i32, standing.object + at, standing.waiter)),
  };
}

const senders: QueueRule = {
  at: C_SENDERS,
  leave(standing) {
    const { host, object, waiter } = standing;
    const found = locked(standing, () => removeWaiter(host.i32, object + C_SENDERS, waiter));
    // The value was never taken.
    if (found) dropUntaken(host, waiter);
  },
};

const parties: QueueRule = {
  at: BARRIER_WAITERS,
  leave: (standing) =>
    locked(standing, () => {
      const { host, object, waiter } = standing;
      const found = removeWaiter(host.i32, object + BARRIER_WAITERS, waiter);
      if (found) host.i32[object + BARRIER_ARRIVED]--;
    }),
};

const rules: Readonly<Record<number, readonly QueueRule[]>> = {
  [CHANNEL_KIND]: [plain(C_RECEIVERS), senders],
  [WAIT_GROUP_KIND]: [plain(O_HEAD)],
  [ONCE_KIND]: [plain(ONCE_WAITERS)],
  [COND_KIND]: [plain(COND_WAITERS)],
  [ERR_GROUP_KIND]: [plain(E_WAITERS), plain(E_STARTERS)],
  [BARRIER_KIND]: [parties],
  [CONTEXT_KIND]: [],
  [MUTEX_KIND]: [
    {
      at: MUTEX_WAITERS,
      leave: ({ host, object, descriptor }) => new LockWait(host, object).abandon(descriptor),
    },
  ],
  [RW_MUTEX_KIND]: [
    { at: RW_WRITERS, leave: ({ host, object, descriptor }) => abandonWrite(host, object, descriptor) },
    { at: RW_READERS, leave: ({ host, object, descriptor }) => abandonRead(host, object, descriptor) },
  ],
  [SEMAPHORE_KIND]: [
    { at: SEM_WAITERS, leave: ({ host, object, descriptor }) => abandon(host, object, descriptor) },
  ],
};

/** Offsets of the queues of a kind of objects. */
export function queuesOf(kind: number): readonly number[] {
  return (rules[kind] ?? []).map(({ at }) => at);
}

/** Visits every object that is in use: its number, first word and kind. */
export function forEachObject(
  host: Thread,
  visit: (base: number, kind: number, index: number) => void,
): void {
  const { i32, memory } = host;
  const table = objectsOf(host);
  const end = Atomics.load(i32, memory.layout.pools + POOL_OBJECT * POOL_WORDS + POOL_BUMP);
  for (let index = 1; index < end; index++) {
    const base = table.baseOf(index);
    if (Atomics.load(i32, base + O_REFS) > 0) visit(base, i32[base + O_KIND], index);
  }
}

/** Takes all who lived on machine `dead` out of all queues. */
export function emptyQueuesOf(host: Thread, dead: number): void {
  forEachObject(host, (object, kind) => {
    for (const rule of rules[kind] ?? []) {
      for (const waiter of deadIn(host, object + rule.at, dead)) {
        const descriptor = host.descriptorOf(goroutineOf(host.i32, waiter));
        rule.leave({ host, object, waiter, descriptor });
      }
    }
  });
}

/** The waiters in a queue that stand for somebody on the dead thread. */
function deadIn(host: Thread, queue: number, dead: number): number[] {
  const { i32, memory } = host;
  const found: number[] = [];
  // As many as there can be: links that others change may lead in a circle.
  let left = memory.shape.maxGoroutines;
  for (let waiter = i32[queue]; waiter > 0 && left > 0; waiter = i32[waiter + W_NEXT], left--) {
    if (i32[host.descriptorOf(goroutineOf(i32, waiter)) + G_MACHINE] === dead + 1) found.push(waiter);
  }
  return found;
}
