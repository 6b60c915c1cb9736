import {
  type ExecutionEnd,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
} from "@heddle/testkit";
import { describe, expect, test } from "vitest";

/** A lock that names its holder, as robust locks do: 0 free, else 1 + thread. It guards two words that must be equal. */
const LOCK = 0;
const LEFT = 1;
const RIGHT = 2;

const lock = (i32: Int32Array, me: number): void => {
  while (Atomics.compareExchange(i32, LOCK, 0, me + 1) !== 0);
};

const updateBoth =
  (me: number) =>
  ({ i32 }: ModelMemory): void => {
    lock(i32, me);
    Atomics.add(i32, LEFT, 1);
    Atomics.add(i32, RIGHT, 1);
    Atomics.store(i32, LOCK, 0);
  };

const VICTIM = 0;
const threads = [updateBoth(VICTIM), updateBoth(1)];

describe("a thread dies after any of its steps", () => {
  test("every step is a place to die, and not dying is explored, too", () => {
    const ends = new Set<string>();
    const walk = ({ i32 }: ModelMemory): void => {
      for (let step = 1; step <= 3; step++) Atomics.store(i32, 0, step);
    };
    const result = explore({
      threads: [walk],
      kill: { thread: 0 },
      check: ({ i32 }, _results, _shared, { killed }) => void ends.add(`${i32[0]} ${killed}`),
    });
    expectNoFailure(result);
    // After the last step the thread is done, and dying makes no difference.
    expect(ends).toEqual(new Set(["1 0", "2 0", "3 undefined"]));
    expect(result.executions).toBe(3);
  });

  test("a lock that nobody repairs stays locked", () => {
    const failure = expectFailure(explore({ threads, kill: { thread: VICTIM } }), /thread 1 spins/);
    expect(failure.schedule).toMatch(/^0 0 0 0k 1\*\d+$/);
  });

  test("a repair that only frees the lock leaves what it guarded torn", () => {
    const repair = ({ i32 }: ModelMemory): number => Atomics.compareExchange(i32, LOCK, VICTIM + 1, 0);
    const check = ({ i32 }: ModelMemory): void => expect(i32[LEFT]).toBe(i32[RIGHT]);
    expectFailure(explore({ threads, kill: { thread: VICTIM, repair }, check }), /check: expected 2 to be 1/);
  });

  test("a repair that completes the update before it frees the lock passes", () => {
    const repair = ({ i32 }: ModelMemory): boolean => {
      if (Atomics.load(i32, LOCK) !== VICTIM + 1) return false;
      Atomics.store(i32, RIGHT, Atomics.load(i32, LEFT));
      Atomics.store(i32, LOCK, 0);
      return true;
    };
    const repaired = new Set<unknown>();
    const result = explore({
      threads,
      kill: { thread: VICTIM, repair },
      check: ({ i32 }, _results, _shared, end) => {
        repaired.add(end.killed === undefined ? "no kill" : end.repaired);
        expect(i32[LEFT]).toBe(i32[RIGHT]);
        expect(i32[LOCK]).toBe(0);
      },
      preemptions: 3,
    });
    expectNoFailure(result);
    expect(repaired).toEqual(new Set(["no kill", false, true]));
  });

  test("the repair runs only after a kill, interleaved with the others", () => {
    const order = new Set<string>();
    const note =
      (digit: number) =>
      ({ i32 }: ModelMemory): void => {
        Atomics.store(i32, LOCK, Atomics.load(i32, LOCK) * 10 + digit);
      };
    explore({
      threads: [note(1), note(2)],
      kill: { thread: 0, repair: note(3) },
      check: ({ i32 }) => void order.add(String(i32[LOCK])),
      preemptions: 0,
    });
    expect(order).toEqual(new Set(["12", "21", "23", "32"]));
  });

  test("a sleeper that dies is not there to be woken", () => {
    const woken = new Set<string>();
    const sleeper = ({ i32 }: ModelMemory): string => Atomics.wait(i32, 0, 0);
    const waker = ({ i32 }: ModelMemory): number => Atomics.notify(i32, 0, 1);
    const result = explore({
      threads: [sleeper, sleeper, waker],
      kill: { thread: 0 },
      allowBlocked: true,
      check: (_memory, results, _shared, { killed }) => void woken.add(`${killed} ${results.join()}`),
    });
    expectNoFailure(result);
    expect(woken).toContain("0 ,ok,1");
    expect([...woken].filter((end) => end.startsWith("0 ok"))).toEqual([]);
  });

  test("kills are part of random runs", () => {
    const result = explore({ threads, kill: { thread: VICTIM }, random: { runs: 1000, seed: 1 } });
    expectFailure(result, /thread 1 spins/);
  });

  test("in the middle of a step only if that is asked for", () => {
    const endsOf = (withinSteps: boolean): Set<string> => {
      const ends = new Set<string>();
      const writes = ({ i32 }: ModelMemory): void => {
        Atomics.store(i32, 0, 1);
        i32[1] = 2;
        i32[1] = 2; // changes nothing
        i32[2] = 3;
        i32[3] = i32[2] as number;
        Atomics.store(i32, 0, 4);
      };
      const check = ({ i32 }: ModelMemory, _results: [void], _shared: unknown, end: ExecutionEnd): void => {
        if (end.killed === 0) ends.add([0, 1, 2, 3].map((word) => i32[word]).join(""));
      };
      expectNoFailure(explore({ threads: [writes], kill: { thread: 0, withinSteps }, check }));
      return ends;
    };
    expect(endsOf(false)).toEqual(new Set(["1233"]));
    expect(endsOf(true)).toEqual(new Set(["1000", "1200", "1230", "1233"]));
  });

  test("nobody else comes in between the writes of a step", () => {
    const seen = new Set<number>();
    const writes = ({ i32 }: ModelMemory): void => {
      Atomics.store(i32, 0, 1);
      i32[1] = 1;
      i32[2] = 1;
    };
    const looks = ({ i32 }: ModelMemory): number => Atomics.load(i32, 1) * 2 + Atomics.load(i32, 2);
    const result = explore({
      threads: [writes, looks],
      kill: { thread: 0, withinSteps: true },
      check: (_memory, [, look], _shared, { killed }) => {
        if (killed === undefined) seen.add(look);
      },
      preemptions: 0,
    });
    expectNoFailure(result);
    expect(seen).toEqual(new Set([0, 3]));
  });

  test("a schedule with a death between plain writes can be run again", () => {
    const writes = ({ i32 }: ModelMemory): void => {
      Atomics.store(i32, 0, 1);
      i32[1] = 1;
      i32[2] = 1;
    };
    const check = ({ i32 }: ModelMemory): void => expect(i32[1]).toBe(i32[2]);
    const options = { threads: [writes] as const, kill: { thread: 0, withinSteps: true }, check };
    const { schedule } = expectFailure(explore(options), /check: expected 1 to be \+?0/);
    expect(expectFailure(explore({ ...options, schedule })).schedule).toBe(schedule);
  });

  test("a repair that is not interrupted is one step to the others, but for its waits", () => {
    const seen = new Set<string>();
    const repair = ({ i32, spinHint }: ModelMemory): void => {
      Atomics.store(i32, LEFT, 1);
      Atomics.store(i32, LEFT, 2);
      while (Atomics.load(i32, RIGHT) === 0) spinHint();
      Atomics.store(i32, LEFT, 3);
      Atomics.store(i32, LEFT, 4);
    };
    const survivor = ({ i32 }: ModelMemory): string => {
      const first = Atomics.load(i32, LEFT);
      Atomics.store(i32, RIGHT, 1);
      return `${first}${Atomics.load(i32, LEFT)}`;
    };
    const victim = ({ i32 }: ModelMemory): number => Atomics.store(i32, LOCK, 1) + Atomics.load(i32, LOCK);
    const result = explore({
      threads: [victim, survivor],
      kill: { thread: VICTIM, repair, interruptsRepair: false },
      check: (_memory, [, look], _shared, { killed }) => {
        if (killed !== undefined) seen.add(look);
      },
      preemptions: Infinity,
    });
    expectNoFailure(result);
    expect(seen).toEqual(new Set(["00", "02", "04", "22", "24"]));
  });
});
