/** Which objects travel by reference. */

import { handleKind } from "../scheduler/handle-kind.ts";
import type { Thread } from "../scheduler/thread.ts";
import { atomicIntKind } from "./atomic-int.ts";
import { mutexKind } from "./mutex.ts";
import { waitGroupKind } from "./wait-group.ts";

/** Registers every kind with a new thread, before its first value. */
export function registerKinds(thread: Thread): void {
  thread.references.register(handleKind(thread));
  thread.references.register(waitGroupKind(thread));
  thread.references.register(atomicIntKind(thread));
  thread.references.register(mutexKind(thread));
}
