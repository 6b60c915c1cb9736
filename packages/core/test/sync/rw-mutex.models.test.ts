/** The reader/writer mutex under every schedule. */

import {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ThreadFunction,
} from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { RW_READERS, RW_STATE, RW_WRITERS } from "../../src/memory/layout.ts";
import {
  abandonRead,
  abandonWrite,
  endRead,
  endWrite,
  queueReader,
  queueWriter,
  tryRead,
  tryWrite,
} from "../../src/sync/rw-mutex-protocol.ts";
import { casTears, lockIsFree, looksOnce, withFault } from "../support/model-memory.ts";
import {
  CANCELED,
  COUNT,
  INSIDE,
  LOCK,
  ModelGoroutine,
  type ModelWait,
  RECORD,
  WORDS,
} from "./sync-model.ts";

type Thread = ThreadFunction<unknown, number>;

const STATE = RECORD + RW_STATE;
/** What a reader adds to INSIDE; a writer adds 1. */
const READS = 16;

function once(wait: Pick<ModelWait, "attempt" | "enqueue" | "abandon">): ModelWait {
  const resume = (interrupt: Error | undefined): boolean => {
    if (interrupt === CANCELED) throw new Error("cancelled after it was let in");
    return true;
  };
  return { ...wait, resume };
}

const readWait = ({ thread }: ModelGoroutine): ModelWait =>
  once({
    attempt: () => tryRead(thread.i32, RECORD),
    enqueue: (goroutine, base) => queueReader(thread, RECORD, goroutine, base),
    abandon: (base) => abandonRead(thread, RECORD, base),
  });

const writeWait = ({ thread }: ModelGoroutine): ModelWait =>
  once({
    attempt: () => tryWrite(thread.i32, RECORD, thread.number),
    enqueue: (goroutine, base) => queueWriter(thread, RECORD, goroutine, base, thread.number),
    abandon: (base) => abandonWrite(thread, RECORD, base),
  });

function read(goroutine: ModelGoroutine): 0 {
  const { i32 } = goroutine.memory;
  if (Atomics.add(i32, INSIDE, READS) % READS !== 0) throw new Error("a reader is in with a writer");
  Atomics.sub(i32, INSIDE, READS);
  endRead(goroutine.thread, RECORD);
  return 0;
}

function write(goroutine: ModelGoroutine): 1 {
  goroutine.enter();
  endWrite(goroutine.thread, RECORD);
  return 1;
}

const reading =
  (number: number): Thread =>
  (memory) => {
    const goroutine = new ModelGoroutine(memory, number);
    goroutine.wait(readWait(goroutine));
    return read(goroutine);
  };

const writing =
  (number: number): Thread =>
  (memory) => {
    const goroutine = new ModelGoroutine(memory, number);
    goroutine.wait(writeWait(goroutine));
    return write(goroutine);
  };

const canceledReading =
  (number: number): Thread =>
  (memory) => {
    const goroutine = new ModelGoroutine(memory, number);
    return goroutine.waitCanceled(readWait(goroutine)) ? read(goroutine) : 0;
  };

const canceledWriting =
  (number: number): Thread =>
  (memory) => {
    const goroutine = new ModelGoroutine(memory, number);
    return goroutine.waitCanceled(writeWait(goroutine)) ? write(goroutine) : 0;
  };

function exploreMutex(threads: readonly Thread[], preemptions = 2): ExploreResult {
  return explore<number[], undefined>({
    words: WORDS,
    threads: [...threads],
    preemptions,
    name: (word) => ({ [STATE]: "state", [LOCK]: "lock" })[word],
    check: ({ i32 }, results) => {
      expect(i32[COUNT]).toBe(results.reduce((sum, times) => sum + times, 0));
      expect([i32[STATE], i32[RECORD + RW_READERS], i32[RECORD + RW_WRITERS]]).toEqual([0, 0, 0]);
    },
  });
}

describe("rw mutex", () => {
  test("writers are alone, and everybody gets in: two goroutines, every schedule", () => {
    expectNoFailure(exploreMutex([writing(1), writing(2)], Infinity));
    expectNoFailure(exploreMutex([reading(1), writing(2)], Infinity));
  });

  test("writers are alone, and everybody gets in: three goroutines", () => {
    expectNoFailure(exploreMutex([reading(1), writing(2), reading(3)]));
    expectNoFailure(exploreMutex([writing(1), writing(2), reading(3)]));
    expectNoFailure(exploreMutex([writing(1), reading(2), reading(3)]));
  });

  test("a writer that is cancelled lets in the readers it held off", () => {
    expectNoFailure(exploreMutex([reading(1), canceledWriting(2)], Infinity));
    expectNoFailure(exploreMutex([reading(1), canceledWriting(2), reading(3)]));
    expectNoFailure(exploreMutex([writing(1), canceledWriting(2), reading(3)]));
    expectNoFailure(exploreMutex([writing(1), canceledWriting(2), writing(3)]));
  });

  test("a reader that is cancelled is not counted in", () => {
    expectNoFailure(exploreMutex([writing(1), canceledReading(2)], Infinity));
    expectNoFailure(exploreMutex([writing(1), canceledReading(2), writing(3)]));
    expectNoFailure(exploreMutex([writing(1), canceledReading(2), reading(3)]));
  });

  test("finds a reader count that is changed in two steps", () => {
    expectFailure(
      exploreMutex([
        withFault(casTears(STATE), reading(1)),
        withFault(casTears(STATE), reading(2)),
        writing(3),
      ]),
    );
  });

  test("finds queues that nobody guards", () => {
    expectFailure(
      exploreMutex([
        withFault(lockIsFree(LOCK), writing(1)),
        withFault(lockIsFree(LOCK), writing(2)),
        writing(3),
      ]),
    );
  });

  test("finds a waiter that announces itself by an old look at the state", () => {
    expectFailure(
      exploreMutex([writing(1), withFault(looksOnce(STATE), withFault(casTears(STATE), writing(2)))]),
    );
  });
});
