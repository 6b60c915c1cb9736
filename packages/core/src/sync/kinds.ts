/** Which objects travel by reference. */

import { channelKind } from "../channel/channel.ts";
import { handleKind } from "../scheduler/handle-kind.ts";
import type { Thread } from "../scheduler/thread.ts";
import { atomicIntKind } from "./atomic-int.ts";
import { barrierKind } from "./barrier.ts";
import { condKind } from "./cond.ts";
import { mutexKind } from "./mutex.ts";
import { rwMutexKind } from "./rw-mutex.ts";
import { semaphoreKind } from "./semaphore.ts";
import { waitGroupKind } from "./wait-group.ts";

/** Registers every kind with a new thread, before its first value. */
export function registerKinds(thread: Thread): void {
  thread.references.register(handleKind(thread));
  thread.references.register(waitGroupKind(thread));
  thread.references.register(atomicIntKind(thread));
  thread.references.register(channelKind(thread));
  thread.references.register(mutexKind(thread));
  thread.references.register(rwMutexKind(thread));
  thread.references.register(condKind(thread));
  thread.references.register(semaphoreKind(thread));
  thread.references.register(barrierKind(thread));
}
