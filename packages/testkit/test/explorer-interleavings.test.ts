import { type ExploreOptions, expectNoFailure, explore, type ModelMemory, seeded } from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { outcomesByHand, outcomesExplored, randomProgram } from "./tiny-programs.ts";

/** A thread of `steps` atomic operations that all matter to the others. */
const adder =
  (steps: number) =>
  ({ i32 }: ModelMemory): void => {
    for (let i = 0; i < steps; i++) Atomics.add(i32, 0, 1);
  };

function countExecutions(steps: number[], options: Partial<ExploreOptions<undefined, void[]>> = {}): number {
  const threads = steps.map(adder);
  const result = expectNoFailure(explore({ threads, preemptions: Infinity, reduce: false, ...options }));
  expect(result.exhausted).toBe(true);
  return result.executions;
}

describe("every interleaving is run exactly once", () => {
  test.each([
    [[1], 1],
    [[1, 1], 2],
    [[2, 2], 6],
    [[3, 3], 20],
    [[1, 5], 6],
    [[1, 1, 1], 6],
    [[2, 2, 2], 90],
    [[3, 3, 3], 1680],
    [[1, 1, 1, 1], 24],
  ])("threads of %j steps: %d executions", (steps, expected) => {
    expect(countExecutions(steps)).toBe(expected);
  });

  test("a step counts even if it changes nothing", () => {
    const load = ({ i32 }: ModelMemory): number => Atomics.load(i32, 0) + Atomics.load(i32, 1);
    expect(explore({ threads: [load, load], preemptions: Infinity, reduce: false }).executions).toBe(6);
  });

  test("a thread without accesses is one step", () => {
    expect(countExecutions([0, 0])).toBe(2);
  });
});

describe("preemptions are bounded", () => {
  // Two threads of n steps: 2 orders without a preemption, and with one, 2 threads to begin × n - 1 places.
  test.each([
    [0, 2],
    [1, 8],
    [2, 8 + 2 * 3 * 3],
  ])("two threads of 4 steps, at most %d preemptions: %d executions", (preemptions, expected) => {
    expect(countExecutions([4, 4], { preemptions })).toBe(expected);
  });

  test("no bound below the longest alternation is as good as none", () => {
    expect(countExecutions([3, 3], { preemptions: 3 })).toBeLessThan(20);
    expect(countExecutions([3, 3], { preemptions: 4 })).toBe(20);
  });
});

describe("plain accesses", () => {
  const plainIncrement = ({ i32 }: ModelMemory): void => {
    i32[0]++;
  };

  test("belong to the step before them", () => {
    const thread = ({ i32 }: ModelMemory): void => {
      Atomics.load(i32, 1);
      i32[0]++;
      Atomics.load(i32, 1);
      i32[0]++;
    };
    const check = ({ i32 }: ModelMemory): void => expect(i32[0]).toBe(4);
    const result = expectNoFailure(
      explore({ threads: [thread, thread], check, preemptions: Infinity, reduce: false }),
    );
    expect(result.executions).toBe(6);
  });

  test("are a step of their own at the start, before the first atomic operation", () => {
    const thread = ({ i32 }: ModelMemory): number => Atomics.store(i32, 0, i32[0] + 1);
    expect(explore({ threads: [thread, thread], preemptions: Infinity, reduce: false }).executions).toBe(6);
  });

  test("are steps if the model says so", () => {
    const threads = [plainIncrement, plainIncrement];
    const options = { threads, preemptions: Infinity, reduce: false };
    expect(explore(options).executions).toBe(2);
    expect(explore({ ...options, plainAccessesAreSteps: true }).executions).toBe(6);
  });

  test("reach every view, and elements of typed arrays through methods", () => {
    const thread = ({ i32, f64, u8 }: ModelMemory): unknown[] => {
      f64[1] = 0.1; // words 2 and 3
      u8[0] = 0x1ff; // word 0
      i32.set([7, 8], 4);
      i32.fill(9, 6, 8);
      const sum = i32.slice(4, 8).reduce((total, value) => total + value);
      return [f64[1], u8[0], i32[0], sum, i32.length, [...i32].indexOf(8)];
    };
    const check = (_: ModelMemory, [first, second]: unknown[][]): void => {
      expect(first).toEqual([0.1, 0xff, 0xff, 33, 8, 5]);
      expect(second).toEqual(first);
    };
    expectNoFailure(explore({ words: 8, threads: [thread, thread], check, plainAccessesAreSteps: true }));
  });
});

describe("nothing leaks from one execution into the next", () => {
  test("memory starts as setup left it, also after check has changed it", () => {
    const seen = new Set<string>();
    const result = explore({
      words: 4,
      setup: ({ i32, f64 }) => {
        i32[0] = 5;
        f64[1] = 0.1;
        return { counter: 0, fraction: 1 };
      },
      threads: [
        ({ i32, f64 }, { counter, fraction }) => {
          const before = f64[fraction];
          f64[fraction] = 1 / 3;
          return [Atomics.add(i32, counter, 1), before];
        },
        ({ i32 }, { counter }) => [Atomics.add(i32, counter, 1)],
      ],
      check: ({ i32, f64 }, [[first, fraction], [second]], shared) => {
        seen.add(`${first} ${second}`);
        expect(fraction).toBe(0.1);
        expect(f64[shared.fraction]).toBe(1 / 3);
        expect(i32[shared.counter]).toBe(7);
        i32.fill(-1);
      },
      preemptions: Infinity,
      reduce: false,
    });
    expectNoFailure(result);
    expect(seen).toEqual(new Set(["5 6", "6 5"]));
  });

  test("what an invariant does to the memory is undone", () => {
    const result = explore({
      threads: [adder(2), adder(2)],
      invariant: ({ i32 }) => i32.fill(100),
      check: ({ i32 }) => expect([i32[0], i32[1]]).toEqual([4, 0]),
    });
    expectNoFailure(result);
  });

  test("an odd number of words is rounded up, so that doubles fit", () => {
    const check = ({ i32, f64, u8 }: ModelMemory): void =>
      expect([i32.length, f64.length, u8.length]).toEqual([4, 2, 16]);
    expectNoFailure(explore({ words: 3, threads: [adder(1)], check }));
  });

  test("results keep the types of the threads", () => {
    explore({
      threads: [() => 1, () => "text"],
      check: (_, [one, text]) => {
        const sum: number = one + 1;
        expect([sum, text.toUpperCase()]).toEqual([2, "TEXT"]);
      },
    });
  });
});

describe("outcomes agree with a plain enumeration of all interleavings", () => {
  // The enumeration (tiny-programs.ts) shares no code with the explorer. Programs mix all operations, waits, notifies and timeouts.
  const programs = Array.from({ length: 150 }, (_, seed) => randomProgram(seeded(seed)));

  test.each([
    [0, false],
    [0, true],
    [1, false],
    [1, true],
    [2, false],
    [2, true],
    [Infinity, false],
    [Infinity, true],
  ])("at most %d preemptions, reduced: %s", (preemptions, reduce) => {
    for (const [seed, program] of programs.entries()) {
      const explored = outcomesExplored(program, { preemptions, reduce });
      expect(explored, `program ${seed}`).toEqual(outcomesByHand(program, preemptions));
    }
  });

  test("reducing runs steps that do not meet in one order only", () => {
    const apart =
      (word: number) =>
      ({ i32 }: ModelMemory): void => {
        for (let i = 0; i < 4; i++) Atomics.add(i32, word, 1);
      };
    const threads = [apart(0), apart(1), apart(2)];
    const result = expectNoFailure(explore({ threads, preemptions: Infinity }));
    // 34650 interleavings; 5 × 5 × 5 states, each left once by each of up to 3 threads
    expect(result.executions + result.pruned).toBeLessThan(3 * 125);
    expect(result.exhausted).toBe(true);
  });
});
