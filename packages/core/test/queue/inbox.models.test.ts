/** A machine's inbox under every schedule: two who post, one who takes. */

import {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
} from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { G_NEXT, G_WORDS, M_INBOX, M_WORDS } from "../../src/memory/layout.ts";
import { isEmpty, post, seemsEmpty, takeAll } from "../../src/queue/inbox.ts";
import {
  casStores,
  casTears,
  exchangeTears,
  expectEachOnce,
  modelLayout,
  modelMemory,
  modelWords,
  withFault,
} from "../support/model-memory.ts";

interface Box {
  readonly goroutines: number;
  readonly machine: number;
}

const setup = (memory: ModelMemory): Box => {
  const { layout } = modelMemory(memory);
  return { goroutines: layout.goroutines, machine: layout.machines + M_WORDS };
};
const WORD = modelLayout().machines + M_WORDS + M_INBOX;

type Thread = (memory: ModelMemory, box: Box) => number[];

function take({ i32 }: ModelMemory, { goroutines, machine }: Box): number[] {
  const taken: number[] = [];
  for (let g = takeAll(i32, goroutines, machine); g !== 0; g = i32[goroutines + g * G_WORDS + G_NEXT])
    taken.push(g);
  return taken;
}

const posting =
  (...numbers: number[]): Thread =>
  ({ i32 }, { goroutines, machine }) => {
    for (const g of numbers) post(i32, goroutines, machine, g);
    return [];
  };
const taking: Thread = (memory, box) => [...take(memory, box), ...take(memory, box)];

function exploreInbox(threads: readonly [Thread, Thread, Thread], preemptions = 4): ExploreResult {
  return explore<number[][], Box>({
    words: modelWords(),
    setup,
    threads: [...threads],
    check: (memory, results, box) => {
      const found = [...results.flat(), ...take(memory, box)];
      expectEachOnce(found, 4);
      expect(found.filter((g) => g <= 2)).toEqual([1, 2]);
      expect(found.filter((g) => g > 2)).toEqual([3, 4]);
    },
    preemptions,
  });
}

describe("inbox", () => {
  test("everything posted is taken once, each poster's goroutines in order", () => {
    expectNoFailure(exploreInbox([posting(1, 2), posting(3, 4), taking], Infinity));
  });

  test("the links are complete before the goroutine can be seen", () => {
    expectNoFailure(
      explore<number[][], Box>({
        words: modelWords(),
        setup,
        threads: [posting(1, 2), taking],
        check: (memory, results, box) => expectEachOnce([...results.flat(), ...take(memory, box)], 2),
        plainAccessesAreSteps: true,
        preemptions: 3,
      }),
    );
  });

  test("of those who find it empty, one is told so", () => {
    const first: (memory: ModelMemory, box: Box) => boolean = ({ i32 }, { goroutines, machine }) =>
      post(i32, goroutines, machine, 1);
    const second: typeof first = ({ i32 }, { goroutines, machine }) => post(i32, goroutines, machine, 2);
    const check = (_memory: ModelMemory, results: boolean[]): void =>
      expect(results.filter(Boolean).length).toBe(1);
    expectNoFailure(explore({ words: modelWords(), setup, threads: [first, second], check }));
  });

  test("a goroutine taken and posted again while another poster looks on is not lost", () => {
    // T0 reads the newest (1); T2 takes 1 and posts it again; T0's compare-and-swap succeeds against the same number, and links to what is really there.
    const again: Thread = (memory, box) => {
      const taken = take(memory, box);
      for (const g of taken) post(memory.i32, box.goroutines, box.machine, g);
      return [];
    };
    const check = (memory: ModelMemory, _results: unknown, box: Box): void =>
      expectEachOnce(take(memory, box), 3);
    const result = explore({
      words: modelWords(),
      setup: (memory: ModelMemory) => {
        const box = setup(memory);
        post(memory.i32, box.goroutines, box.machine, 1);
        return box;
      },
      threads: [posting(2), posting(3), again],
      check,
      preemptions: 4,
    });
    expectNoFailure(result);
  });

  test("a look finds what was posted before it", () => {
    const looking: (memory: ModelMemory, box: Box) => boolean = ({ i32 }, { goroutines, machine }) => {
      post(i32, goroutines, machine, 1);
      return isEmpty(i32, machine) || seemsEmpty(i32, machine);
    };
    const check = (_memory: ModelMemory, results: boolean[]): void => expect(results[0]).toBe(false);
    expectNoFailure(
      explore({ words: modelWords(), setup, threads: [looking, posting(2) as never], check: check as never }),
    );
  });
});

describe("planted bugs in the inbox are found", () => {
  test("a post that does not compare", () => {
    expectFailure(exploreInbox([withFault(casStores(WORD), posting(1, 2)), posting(3, 4), taking]), /lost/);
  });

  test("a post in two steps", () => {
    expectFailure(exploreInbox([withFault(casTears(WORD), posting(1, 2)), posting(3, 4), taking]));
  });

  test("a taking in two steps", () => {
    expectFailure(
      exploreInbox([posting(1, 2), posting(3, 4), withFault(exchangeTears(WORD), taking)]),
      /lost/,
    );
  });
});
