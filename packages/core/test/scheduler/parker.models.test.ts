/** Sleep and wake-up under every schedule: a machine that sleeps until its inbox has something, and those who post. */

import {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
  type ThreadFunction,
} from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { G_NEXT, G_WORDS, M_INBOX, M_PARK, M_WORDS } from "../../src/memory/layout.ts";
import { isEmpty, post, takeAll } from "../../src/queue/inbox.ts";
import {
  ASLEEP,
  AWAKE,
  announceSleep,
  endNap,
  NAPPING,
  sleep,
  stayAwake,
  wake,
  wakeForResult,
} from "../../src/scheduler/idle/parker.ts";
import { both, type Fault, looksAway, notifiesNobody, withFault } from "../support/model-memory.ts";

const MACHINE = 0;
const GOROUTINES = M_WORDS;
const WORDS = M_WORDS + 8 * G_WORDS;

type Thread = ThreadFunction<void, number>;

/** Sleeps until `wanted` goroutines have come. Returns how often it announced a sleep. */
const sleeper =
  (wanted: number, timeoutMs?: number): Thread =>
  ({ i32 }) => {
    let announced = 0;
    for (let got = 0; got < wanted; ) {
      announceSleep(i32, MACHINE, ASLEEP);
      announced++;
      if (isEmpty(i32, MACHINE)) sleep(i32, MACHINE, timeoutMs);
      else stayAwake(i32, MACHINE);
      for (let g = takeAll(i32, GOROUTINES, MACHINE); g !== 0; g = i32[GOROUTINES + g * G_WORDS + G_NEXT])
        got++;
    }
    return announced;
  };

const poster =
  (...goroutines: number[]): Thread =>
  ({ i32 }) => {
    for (const g of goroutines) {
      post(i32, GOROUTINES, MACHINE, g);
      wake(i32, MACHINE);
    }
    return 0;
  };

/** Publishes after it has looked whether somebody is to be woken. */
const hasty =
  (...goroutines: number[]): Thread =>
  ({ i32 }) => {
    for (const g of goroutines) {
      wake(i32, MACHINE);
      post(i32, GOROUTINES, MACHINE, g);
    }
    return 0;
  };

function exploreParker(threads: readonly Thread[], preemptions = Infinity): ExploreResult {
  return explore<number[], void>({
    words: WORDS,
    threads: [...threads],
    check: ({ i32 }: ModelMemory) => expect([i32[M_PARK], i32[M_INBOX]]).toEqual([AWAKE, 0]),
    preemptions,
  });
}

describe("sleeping and waking", () => {
  test("no wake-up is lost, with one poster or two", () => {
    expectNoFailure(exploreParker([sleeper(2), poster(1, 2)]));
    expectNoFailure(exploreParker([sleeper(2), poster(1), poster(2)], 4));
    expectNoFailure(exploreParker([sleeper(3), poster(1, 2), poster(3)], 3));
  });

  test("a sleep with a timeout ends awake", () => {
    expectNoFailure(exploreParker([sleeper(2, 5), poster(1), poster(2)], 3));
  });

  test("one announced sleep costs one notify at most, however many post", () => {
    const notifying =
      (goroutine: number): Thread =>
      (memory, shared) => {
        let count = 0;
        const counting: Fault = (real) => ({
          notify(i32: Int32Array, index: number, waiters?: number) {
            count++;
            return real.notify(i32, index, waiters);
          },
        });
        withFault(counting, poster(goroutine))(memory, shared);
        return count;
      };
    const result = explore<number[], void>({
      words: WORDS,
      threads: [sleeper(2), notifying(1), notifying(2)],
      check: (_memory, [announced, first, second]) => expect(first + second).toBeLessThanOrEqual(announced),
      preemptions: 4,
    });
    expectNoFailure(result);
  });
});

/** The host, whose naps no timer ends: it naps until `wanted` results have come. */
const napper =
  (wanted: number): Thread =>
  ({ i32 }) => {
    for (let got = 0; got < wanted; ) {
      announceSleep(i32, MACHINE, NAPPING);
      if (isEmpty(i32, MACHINE)) Atomics.wait(i32, MACHINE + M_PARK, NAPPING);
      else stayAwake(i32, MACHINE);
      for (let g = takeAll(i32, GOROUTINES, MACHINE); g !== 0; g = i32[GOROUTINES + g * G_WORDS + G_NEXT])
        got++;
    }
    return 0;
  };

/** A machine that ends goroutines, and then has no more. */
const finisher =
  (...goroutines: number[]): Thread =>
  ({ i32 }) => {
    for (const g of goroutines) {
      post(i32, GOROUTINES, MACHINE, g);
      wakeForResult(i32, MACHINE);
    }
    endNap(i32, MACHINE);
    return 0;
  };

describe("the host's nap", () => {
  test("ends at the latest when the machines are out of work: no result is left lying", () => {
    expectNoFailure(exploreParker([napper(2), finisher(1, 2)]));
    expectNoFailure(exploreParker([napper(2), finisher(1), finisher(2)], 4));
  });

  test("ends at once with what is no result", () => {
    expectNoFailure(exploreParker([napper(1), poster(1)]));
    expectNoFailure(exploreParker([napper(2), poster(1), finisher(2)], 4));
  });

  test("is not ended by a result: without a machine that runs out of work it would last", () => {
    const working: Thread = ({ i32 }) => {
      post(i32, GOROUTINES, MACHINE, 1);
      wakeForResult(i32, MACHINE);
      return 0;
    };
    expect(expectFailure(exploreParker([napper(1), working])).kind).toBe("deadlock");
  });

  test("a result that comes to a sleeping host rings", () => {
    expectNoFailure(exploreParker([sleeper(2), finisher(1, 2)]));
  });
});

describe("planted bugs lose a wake-up", () => {
  const lost = (sleeping: Thread, posting: Thread): void => {
    expect(expectFailure(exploreParker([sleeping, posting])).kind).toBe("deadlock");
  };

  test("no look at the inbox between announcing and sleeping", () => {
    lost(withFault(looksAway(0, MACHINE + M_INBOX), sleeper(1)), poster(1));
  });

  test("a look before announcing instead of after", () => {
    const early: Thread = ({ i32 }) => {
      while (isEmpty(i32, MACHINE)) {
        announceSleep(i32, MACHINE, ASLEEP);
        sleep(i32, MACHINE);
      }
      return takeAll(i32, GOROUTINES, MACHINE);
    };
    lost(early, poster(1));
  });

  test("waking before posting", () => lost(sleeper(1), hasty(1)));

  test("nobody notifies", () => lost(sleeper(1), withFault(notifiesNobody, poster(1))));

  test("the waker does not look", () => {
    lost(sleeper(1), withFault(looksAway(AWAKE, MACHINE + M_PARK), poster(1)));
  });

  test("the sleeper sleeps whatever the word says", () => {
    const blind: Fault = (real) => ({
      wait: (i32: Int32Array, index: number) => real.wait(i32, index, real.load(i32, index)),
    });
    lost(withFault(both(blind, looksAway(ASLEEP, MACHINE + M_PARK)), sleeper(1)), poster(1));
  });
});
