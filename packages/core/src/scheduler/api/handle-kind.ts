/** How handles travel in values: by reference while the goroutine lives, with their outcome once they have it. */

import { CloneError } from "../../base/errors.ts";
import { retainHandle } from "../../goroutine/completion.ts";
import type { ReferenceKind } from "../../values/references.ts";
import { GoroutineHandle } from "../thread/handle.ts";
import type { Thread } from "../thread/thread.ts";

/** The number of this kind in values. */
export const HANDLE_KIND = 0;

interface Outcome {
  readonly id: number;
  readonly failed: boolean;
  readonly value: unknown;
}

/** The kind as one thread knows it. */
export function handleKind(thread: Thread): ReferenceKind<GoroutineHandle<unknown>> {
  const revive = (goroutine: number): GoroutineHandle<unknown> =>
    new GoroutineHandle<unknown>(thread, goroutine);
  return {
    kind: HANDLE_KIND,
    prototype: GoroutineHandle.prototype,
    is: (value) => GoroutineHandle.is(value),
    retain(handle, words, at) {
      if (handle.thread !== thread)
        throw new CloneError(`the handle of goroutine ${handle.id} belongs to another runtime`);
      retainHandle(thread.i32, handle.base);
      words[at] = handle.goroutine;
      words[at + 1] = handle.id | 0;
    },
    retainAgain: (goroutine) => retainHandle(thread.i32, thread.descriptorOf(goroutine)),
    revive,
    // References are given back only after the goroutine's end: a handle of this thread, that nobody holds, waits for it.
    release: (goroutine) => void revive(goroutine),
    carried: {
      contentOf: (handle): Outcome | undefined => handle.outcome(),
      create: () => GoroutineHandle.settled(thread),
      fill: (handle, content) => handle.fill(content as Outcome),
    },
  };
}
