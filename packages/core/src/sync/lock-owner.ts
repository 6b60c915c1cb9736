/**
 * Who holds a lock, so that it can be taken from a goroutine that is lost with its thread.
 *
 * A word names the holder by the low half of its goroutine's id: ids are never used again, and 2^32 of them later nobody remembers a lock. Whoever takes a lock writes the word plainly, when it has the lock: alone with it, as with the
 * other words that a lock guards. It is read only while all machines are held, so never while somebody is about to write it (repair/abandoned-locks.ts).
 *
 * A lock may be given back by another goroutine than the one that took it; it counts as held by the one that took it until then.
 */

import { goroutineOf } from "../goroutine/wait-queue.ts";
import { G_ID, G_PARENT, G_WORDS } from "../memory/layout.ts";
import type { Thread } from "../scheduler/thread/thread.ts";

/** What the protocols of this folder need of a thread. */
export type Waker = Pick<
  Thread,
  "i32" | "f64" | "number" | "descriptors" | "clock" | "ownerMark" | "ready" | "readyAll"
>;

/** Nobody, or somebody who has not got as far as to say. */
export const NO_OWNER = 0;
/** Somebody who is no goroutine: the host, which is not lost. */
const HOST_OWNER = -1;

/** The goroutine that waits here, as the owner of a lock that is handed to it. An awaited operation's waiter stands for the goroutine that awaits it. */
export function ownerOfWaiter({ i32, f64, descriptors }: Waker, waiter: number): number {
  const base = descriptors + goroutineOf(i32, waiter) * G_WORDS;
  return f64[(base + G_ID) >> 1] | 0 || f64[(base + G_PARENT) >> 1] | 0 || HOST_OWNER;
}

/** What a lock that was taken resolves with: disposing of it gives the lock back. */
export interface LockGuard extends Disposable {
  /** Whether the lock was taken from a goroutine that was lost with its thread while it held it: what it guards may be half changed. Told to one holder. Of a lock for reading: whether the last one who wrote was lost so. */
  readonly abandoned: boolean;
}
