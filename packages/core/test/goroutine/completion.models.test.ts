/** Join against exit under every schedule: every joiner is woken once, or sees the end, or has left. */

import {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
  type ThreadFunction,
} from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import {
  complete,
  firstJoiner,
  isDone,
  type JoinHolder,
  join,
  leave,
  nextJoiner,
  releaseHandle,
  retainHandle,
  wantsHost,
} from "../../src/goroutine/completion.ts";
import { G_ARGS, G_JOIN, G_REFS, G_WORDS } from "../../src/memory/layout.ts";
import { casStores, casTears, type Fault, sumTears, withFault } from "../support/model-memory.ts";

/** Descriptor 0 is the goroutine that ends; 1, 2, 3 are joiners. */
const ENDING = 0;
const RESULT = ENDING + G_ARGS;
const JOIN_WORD = ENDING + G_JOIN;
const baseOf = (goroutine: number): number => goroutine * G_WORDS;
/** The thread behind a joiner, and its machine record. */
const holderOf = (joiner: number): JoinHolder => ({ thread: joiner, record: (5 + 2 * joiner) * G_WORDS });
const WORDS = 13 * G_WORDS;
/** How often a joiner was woken. */
const wakeUps = (joiner: number): number => 4 * G_WORDS + joiner;

type Thread<Result> = ThreadFunction<void, Result>;

/** What became of a joiner. */
type Outcome = "queued" | "saw the end" | "left" | "could not leave";

/** The end: result first, then the mark, then everybody who was found is woken. */
const ends: Thread<boolean> = ({ i32 }) => {
  i32[RESULT] = 42;
  const completed = complete(i32, ENDING);
  let joiner = firstJoiner(completed);
  while (joiner !== 0) {
    const following = nextJoiner(i32, baseOf(joiner));
    Atomics.add(i32, wakeUps(joiner), 1);
    joiner = following;
  }
  return wantsHost(completed);
};

const joins =
  (joiner: number): Thread<Outcome> =>
  ({ i32 }) => {
    if (join(i32, ENDING, joiner, baseOf(joiner))) return "queued";
    if (!isDone(i32, ENDING) || i32[RESULT] !== 42) throw new Error("refused before the result was there");
    return "saw the end";
  };

const leaves =
  (joiner: number): Thread<Outcome> =>
  ({ i32 }) =>
    leave(i32, ENDING, joiner, baseOf, holderOf(joiner)) ? "left" : "could not leave";

const joinsAndLeaves =
  (joiner: number): Thread<Outcome> =>
  (memory) => {
    const outcome = joins(joiner)(memory);
    return outcome === "queued" ? leaves(joiner)(memory) : outcome;
  };

/** Joiners `queued` stand in the queue already, the last one newest. */
const withJoiners =
  (...queued: number[]) =>
  ({ i32 }: ModelMemory): void => {
    for (const joiner of queued) join(i32, ENDING, joiner, baseOf(joiner));
  };

interface Scene {
  /** Joiner behind each thread but the first, which ends. */
  readonly joiners: readonly number[];
  /** Joiners queued before, whom no thread acts for. */
  readonly queued?: readonly number[];
  readonly setup?: (memory: ModelMemory) => void;
  readonly preemptions?: number;
}

function exploreEnd(
  ending: Thread<boolean>,
  threads: readonly Thread<Outcome>[],
  scene: Scene,
): ExploreResult {
  const { joiners, queued = [], setup = () => {}, preemptions = Infinity } = scene;
  return explore<unknown[], void>({
    words: WORDS,
    setup,
    threads: [ending, ...threads],
    check: ({ i32 }, [, ...outcomes]) => {
      joiners.forEach((joiner, thread) => {
        const woken = outcomes[thread] === "queued" || outcomes[thread] === "could not leave" ? 1 : 0;
        expect([joiner, outcomes[thread], i32[wakeUps(joiner)]]).toEqual([joiner, outcomes[thread], woken]);
      });
      for (const joiner of queued) expect([joiner, i32[wakeUps(joiner)]]).toEqual([joiner, 1]);
      expect(isDone(i32, ENDING)).toBe(true);
    },
    preemptions,
    plainAccessesAreSteps: preemptions < Infinity,
  });
}

describe("join against exit", () => {
  test("one joiner is woken once or sees the result", () => {
    expectNoFailure(exploreEnd(ends, [joins(1)], { joiners: [1] }));
    expectNoFailure(exploreEnd(ends, [joins(1)], { joiners: [1], preemptions: 4 }));
  });

  test("two who join at once", () => {
    expectNoFailure(exploreEnd(ends, [joins(1), joins(2)], { joiners: [1, 2] }));
  });

  test("one leaves while another joins and the goroutine ends", () => {
    expectNoFailure(exploreEnd(ends, [joinsAndLeaves(1), joins(2)], { joiners: [1, 2], preemptions: 4 }));
  });

  test("two leave at once, from the middle and from the ends of the queue", () => {
    for (const [first, second, third] of [
      [1, 2, 3],
      [2, 3, 1],
      [1, 3, 2],
    ]) {
      const scene = {
        joiners: [first, second],
        queued: [third],
        setup: withJoiners(1, 2, 3),
        preemptions: 3,
      };
      expectNoFailure(exploreEnd(ends, [leaves(first), leaves(second)], scene));
    }
  });

  test("one who has left may join again", () => {
    const again: Thread<Outcome> = (memory) => {
      const left = leaves(1)(memory);
      return left === "left" ? joins(1)(memory) : left;
    };
    const scene = { joiners: [1], queued: [2], setup: withJoiners(1, 2), preemptions: 4 };
    expectNoFailure(exploreEnd(ends, [again], scene));
  });

  test("a goroutine that nobody joins ends alone", () => {
    expectNoFailure(exploreEnd(ends, [], { joiners: [] }));
  });
});

describe("the last handle frees the descriptor", () => {
  const FREED = wakeUps(0);

  function exploreRelease(threads: Thread<void>[], handles: number): ExploreResult {
    return explore<unknown[], void>({
      words: WORDS,
      setup: ({ i32 }) => {
        i32[ENDING + G_REFS] = handles;
        i32[RESULT] = 42;
      },
      threads,
      check: ({ i32 }) => expect(i32[FREED]).toBe(1),
      preemptions: Infinity,
    });
  }

  const reads: Thread<void> = ({ i32 }) => {
    if (i32[RESULT] !== 42) throw new Error("read after it was freed");
    if (!releaseHandle(i32, ENDING)) return;
    i32[RESULT] = 0;
    Atomics.add(i32, FREED, 1);
  };
  /** Sends its handle on, and another thread reads through that. */
  const sends: Thread<void> = (memory, shared) => {
    retainHandle(memory.i32, ENDING);
    reads(memory, shared);
    reads(memory, shared);
  };

  test("exactly one of several frees it, after all have read", () => {
    expectNoFailure(exploreRelease([reads, reads, reads], 3));
    expectNoFailure(exploreRelease([sends, reads], 2));
  });

  test("counted in two steps, it is freed twice or never", () => {
    const torn: Fault = sumTears(ENDING + G_REFS);
    expectFailure(exploreRelease([withFault(torn, reads), reads, reads], 3));
  });
});

describe("planted bugs are found", () => {
  const scene = { joiners: [1, 2] };

  test("a joiner that does not compare", () => {
    for (const fault of [casStores(JOIN_WORD), casTears(JOIN_WORD)]) {
      expectFailure(exploreEnd(ends, [withFault(fault, joins(1)), joins(2)], scene));
    }
  });

  test("an end that does not compare", () => {
    for (const fault of [casStores(JOIN_WORD), casTears(JOIN_WORD)]) {
      expectFailure(exploreEnd(withFault(fault, ends), [joins(1), joins(2)], scene));
    }
  });

  test("an end that is marked before its result is stored", () => {
    const early: Thread<boolean> = ({ i32 }) => {
      complete(i32, ENDING);
      Atomics.store(i32, RESULT, 42);
      return false;
    };
    expectFailure(exploreEnd(early, [joins(1)], { joiners: [1] }));
  });

  test("leaving without locking", () => {
    const fault = casStores(JOIN_WORD);
    const threads = [withFault(fault, leaves(1)), leaves(2)];
    const queues = { joiners: [1, 2], queued: [3], setup: withJoiners(1, 2, 3), preemptions: 3 };
    expectFailure(exploreEnd(ends, threads, queues));
  });

  test("waking a joiner before its link was read", () => {
    const late: Thread<boolean> = ({ i32 }) => {
      const completed = complete(i32, ENDING);
      for (let joiner = firstJoiner(completed); joiner !== 0; joiner = nextJoiner(i32, baseOf(joiner))) {
        Atomics.add(i32, wakeUps(joiner), 1);
      }
      return false;
    };
    // A woken joiner goes on, and joins something else.
    const woken: Thread<Outcome> = ({ i32 }) => {
      while (Atomics.load(i32, wakeUps(2)) === 0);
      join(i32, baseOf(3), 2, baseOf(2));
      return "queued";
    };
    const queues = { joiners: [2], queued: [1], setup: withJoiners(1, 2), preemptions: 2 };
    expectNoFailure(exploreEnd(ends, [woken], queues));
    expectFailure(exploreEnd(late, [woken], queues));
  });
});
