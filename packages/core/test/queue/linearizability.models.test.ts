/**
 * Run queues against queues as one thread sees them: under every schedule of two to four threads, each history could have happened one operation after the other.
 *
 * run-queue.models.test.ts says that nothing is lost or taken twice. This says more: who finds nothing was right at some moment of his look, and what is taken is taken in order.
 */

import {
  checkLinearizable,
  type ExploreOptions,
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  formatHistory,
  type ModelMemory,
  type RecordedOperation,
  type SequentialModel,
} from "@heddle/testkit";
import { describe, test } from "vitest";
import { P_HEAD, P_RING, P_WORDS } from "../../src/memory/layout.ts";
import { GlobalQueue } from "../../src/queue/global-queue.ts";
import { RunQueueOwner, RunQueueStealer } from "../../src/queue/run-queue.ts";
import { casStores, modelLayout, modelMemory, modelWords, withFault } from "../support/model-memory.ts";

const SHAPE = { procs: 4 };
/** A word beyond the runtime's: plain counting in it is part of the step before, and so costs no schedules. */
const CLOCK = modelWords(SHAPE);

/** `push` and `pop` at the owner's end, `grab` at a thief's, with what was moved. */
type Act = { readonly name: "push" | "pop" | "grab"; readonly value: number };
type Recorded = RecordedOperation<Act, readonly number[]>;

/** Notes an operation of a thread. */
function record(
  { i32 }: ModelMemory,
  thread: number,
  name: Act["name"],
  value: number,
  operate: () => readonly number[],
): Recorded {
  const began = i32[CLOCK]++;
  const result = operate();
  return { thread, operation: { name, value }, result, began, ended: i32[CLOCK]++ };
}

/** A queue whose thieves take half, rounded up. */
const queueModel: SequentialModel<readonly number[], Act, readonly number[]> = {
  initial: [],
  key: (values) => values.join(),
  step: (values, { name, value }, result) => {
    if (name === "push") return [...values, value];
    const count = name === "pop" ? Math.min(1, values.length) : Math.ceil(values.length / 2);
    const same = result.length === count && result.every((one, i) => one === values[i]);
    return same ? values.slice(count) : undefined;
  },
};

type Threads = ExploreOptions<undefined, Recorded[][]>["threads"];

function exploreHistories(threads: Threads, preemptions: number): ExploreResult {
  return explore<Recorded[][], undefined>({
    words: CLOCK + 2,
    setup: (memory) => void modelMemory(memory, SHAPE),
    threads,
    preemptions,
    check: (_memory, results) => {
      const history = results.flat();
      const { linearizable } = checkLinearizable(history, queueModel);
      if (!linearizable) throw new Error(`no order explains this history:\n${formatHistory(history)}`);
    },
  });
}

const ringOf = (processor: number): number => modelLayout(SHAPE).processors + processor * P_WORDS;

/** Pushes and pops at processor 0. */
const owner =
  (steps: string) =>
  (memory: ModelMemory): Recorded[] => {
    const queue = new RunQueueOwner(memory.i32, { pushChain: () => {} });
    queue.attach(ringOf(0));
    return Array.from(steps).map((step, i) =>
      step === "+"
        ? record(memory, 0, "push", i + 1, () => {
            queue.push(i + 1);
            return [];
          })
        : record(memory, 0, "pop", 0, () => [queue.pop()].filter((goroutine) => goroutine !== 0)),
    );
  };

/** Takes half of it, into a ring of its own. */
const thief =
  (thread: number, times: number) =>
  (memory: ModelMemory): Recorded[] => {
    const stealer = new RunQueueStealer(memory.i32, ringOf(0));
    const ring = ringOf(thread) + P_RING;
    const grab = (): number[] => {
      const count = stealer.grabInto(ring, 3, 0, false, 4);
      return Array.from({ length: count }, (_, i) => memory.i32[ring + i]);
    };
    return Array.from({ length: times }, () => record(memory, thread, "grab", 0, grab));
  };

describe("a processor's ring", () => {
  test("owner and thief", () => {
    expectNoFailure(exploreHistories([owner("+++-+-"), thief(1, 2)], 4));
  });

  test("owner and two thieves", () => {
    expectNoFailure(exploreHistories([owner("+++--"), thief(1, 1), thief(2, 1)], 3));
  });

  test("owner and three thieves", () => {
    expectNoFailure(exploreHistories([owner("++-"), thief(1, 1), thief(2, 1), thief(3, 1)], 2));
  });

  test("planted: an owner that stores the head it should compare is found", () => {
    const faulty = withFault(casStores(ringOf(0) + P_HEAD), owner("++-"));
    expectFailure(exploreHistories([faulty, thief(1, 1)], 3));
  });
});

/** Pushes and takes one at a time at the global queue. */
const globalUser =
  (thread: number, steps: string) =>
  (memory: ModelMemory): Recorded[] => {
    const queue = new GlobalQueue(memory.i32, modelLayout(SHAPE).goroutines, thread);
    const into = new Int32Array(1);
    return Array.from(steps).map((step, i) => {
      const goroutine = thread * 2 + i + 1;
      if (step === "+")
        return record(memory, thread, "push", goroutine, () => {
          queue.push(goroutine);
          return [];
        });
      return record(memory, thread, "pop", 0, () => (queue.popBatch(into, 1) === 0 ? [] : [into[0]]));
    });
  };

describe("the global queue", () => {
  test("two that push and take", () => {
    expectNoFailure(exploreHistories([globalUser(0, "+-"), globalUser(1, "+-")], 3));
  });

  test("three, one of whom only takes", () => {
    expectNoFailure(exploreHistories([globalUser(0, "+"), globalUser(1, "+"), globalUser(2, "--")], 2));
  });
});
