/**
 * Which objects travel by reference, and what the scheduler calls on their behalf.
 *
 * Every thread loads this module, sysmon's too, and a bundler leaves out modules of which nothing is used. So what must be known on all threads is registered here, not where it is defined.
 */

import { channelKind } from "../channel/channel.ts";
import { sendTimer } from "../channel/timer-channel.ts";
import { O_KIND } from "../memory/layout.ts";
import { handleKind } from "../scheduler/api/handle-kind.ts";
import { type EndHook, setEndHooks } from "../scheduler/thread/end-hook.ts";
import { sharedBufferKind } from "../scheduler/thread/shared-buffers.ts";
import { objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { registerTimerKind, TIMER_SEND } from "../scheduler/thread/timers.ts";
import { atomicIntKind } from "../sync/atomic-int.ts";
import { barrierKind } from "../sync/barrier.ts";
import { condKind } from "../sync/cond.ts";
import { mutexKind } from "../sync/mutex.ts";
import { onceKind } from "../sync/once.ts";
import { rwMutexKind } from "../sync/rw-mutex.ts";
import { semaphoreKind } from "../sync/semaphore.ts";
import { WAIT_GROUP_KIND, waitGroupHook, waitGroupKind } from "../sync/wait-group.ts";
import { startTimed } from "../time/held-goroutine.ts";
import { FUNCTION_TIMER } from "../time/timers.ts";
import { contextKind } from "./context.ts";
import { ERR_GROUP_KIND, errGroupHook, errGroupKind } from "./err-group.ts";

/** Registers every kind with a new thread, before its first value. */
export function registerKinds(thread: Thread): void {
  thread.references.register(handleKind(thread));
  thread.references.register(waitGroupKind(thread));
  thread.references.register(atomicIntKind(thread));
  thread.references.register(channelKind(thread));
  thread.references.register(mutexKind(thread));
  thread.references.register(rwMutexKind(thread));
  thread.references.register(onceKind(thread));
  thread.references.register(condKind(thread));
  thread.references.register(semaphoreKind(thread));
  thread.references.register(barrierKind(thread));
  thread.references.register(contextKind(thread));
  thread.references.register(errGroupKind(thread));
  thread.references.register(sharedBufferKind(thread));
}

const endHooks: Readonly<Record<number, EndHook>> = {
  [WAIT_GROUP_KIND]: waitGroupHook,
  [ERR_GROUP_KIND]: errGroupHook,
};

setEndHooks((thread, object) => endHooks[thread.i32[objectsOf(thread).baseOf(object) + O_KIND]]);

registerTimerKind(TIMER_SEND, sendTimer);
registerTimerKind(FUNCTION_TIMER, startTimed);
