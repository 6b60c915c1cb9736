import {
  type ExploreOptions,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
} from "@heddle/testkit";
import { describe, expect, test } from "vitest";

/** All distinct results that the executions of a model end with. */
function resultsOf<Results extends readonly unknown[]>(
  options: ExploreOptions<undefined, Results>,
): Set<string> {
  const seen = new Set<string>();
  const check = (_: ModelMemory, results: Results): void => void seen.add(JSON.stringify(results));
  expectNoFailure(explore({ preemptions: Infinity, ...options, check }));
  return seen;
}

const sleepOnce = ({ i32 }: ModelMemory): string => Atomics.wait(i32, 0, 0);

describe("Atomics.wait and notify", () => {
  test("a waiter is woken, or sees that the value is another", () => {
    const waker = ({ i32 }: ModelMemory): number => {
      Atomics.store(i32, 0, 1);
      return Atomics.notify(i32, 0);
    };
    expect(resultsOf({ threads: [sleepOnce, waker] })).toEqual(new Set(['["ok",1]', '["not-equal",0]']));
  });

  test("the first to sleep is the first to wake", () => {
    const first = ({ i32 }: ModelMemory): string => Atomics.wait(i32, 0, 0);
    const notifyOne = ({ i32 }: ModelMemory): number => Atomics.notify(i32, 0, 1);
    const options = { threads: [first, first, notifyOne], allowBlocked: true, preemptions: Infinity };
    const wokenBy = (schedule: string): unknown[] => {
      let woken: unknown[] = [];
      const check = (_: ModelMemory, results: readonly unknown[]): void => void (woken = results.slice(0, 2));
      expectNoFailure(explore({ ...options, schedule, check }));
      return woken;
    };
    expect(wokenBy("0 1 2 0")).toEqual(["ok", undefined]);
    expect(wokenBy("1 0 2 1")).toEqual([undefined, "ok"]);
  });

  test("who was asleep first is part of the state, also when equal states are explored once", () => {
    const waker = ({ i32 }: ModelMemory): number => {
      Atomics.store(i32, 0, 1); // from now on nobody falls asleep
      return Atomics.notify(i32, 0, 1);
    };
    const seen = resultsOf({ threads: [sleepOnce, sleepOnce, waker], allowBlocked: true });
    expect(seen).toContain('["ok",null,1]');
    expect(seen).toContain('[null,"ok",1]');
  });

  test("notify wakes as many as it was told, on its word only", () => {
    const onOther = ({ i32 }: ModelMemory): string => Atomics.wait(i32, 1, 0);
    const waker = ({ i32 }: ModelMemory): number => Atomics.notify(i32, 0, 2);
    const counts = new Set<number>();
    const result = explore({
      threads: [sleepOnce, sleepOnce, sleepOnce, onOther, waker],
      allowBlocked: true,
      check: (_, results) => {
        counts.add(results[4] as number);
        expect(results.slice(0, 3).filter((slept) => slept === "ok").length).toBe(results[4]);
        expect(results[3]).toBeUndefined();
      },
    });
    expectNoFailure(result);
    expect(counts).toEqual(new Set([0, 1, 2]));
  });

  test("values compare as 32-bit integers", () => {
    const threads = [
      ({ i32 }: ModelMemory) => [Atomics.wait(i32, 0, 2 ** 32 + 1), Atomics.wait(i32, 0, 2 ** 32, 0)],
    ];
    expect(resultsOf({ threads })).toEqual(new Set(['[["not-equal","timed-out"]]']));
  });
});

describe("timeouts", () => {
  const nap = ({ i32 }: ModelMemory): string => Atomics.wait(i32, 0, 0, 10);

  test("a wait times out before, between and after the steps of others, or not at all", () => {
    const waker = ({ i32 }: ModelMemory): number => Atomics.notify(i32, 0);
    expect(resultsOf({ threads: [nap, waker] })).toEqual(new Set(['["ok",1]', '["timed-out",0]']));
  });

  test("one that times out is not there to be notified, before it has taken a step", () => {
    const waker = ({ i32 }: ModelMemory): number => Atomics.notify(i32, 0, 1);
    const seen = resultsOf({ threads: [nap, nap, waker] });
    expect(seen).toContain('["timed-out","ok",1]');
    expect(seen).toContain('["timed-out","timed-out",0]');
    expect(seen).not.toContain('["ok","ok",1]');
  });

  test("nobody to wake the napper is no deadlock", () => {
    expect(resultsOf({ threads: [nap] })).toEqual(new Set(['["timed-out"]']));
    expect(resultsOf({ threads: [nap], timeouts: 0 })).toEqual(new Set(['["timed-out"]']));
  });

  test("a wait for no time at all never sleeps", () => {
    const glance = ({ i32 }: ModelMemory): string => Atomics.wait(i32, 0, 0, 0);
    const waker = ({ i32 }: ModelMemory): number => Atomics.notify(i32, 0);
    expect(resultsOf({ threads: [glance, waker] })).toEqual(new Set(['["timed-out",0]']));
  });

  test("without a budget they happen only when nobody else can run", () => {
    const waker = ({ i32 }: ModelMemory): number => Atomics.notify(i32, 0);
    const threads = [
      ({ i32 }: ModelMemory) => (Atomics.load(i32, 1), nap({ i32 } as ModelMemory)),
      waker,
    ] as const;
    expect(resultsOf({ threads, timeouts: 0 })).toEqual(new Set(['["ok",1]', '["timed-out",0]']));
    const writer = ({ i32 }: ModelMemory): number => (
      Atomics.load(i32, 1), Atomics.load(i32, 1), Atomics.notify(i32, 0)
    );
    const early = explore({ threads: [nap, writer], timeouts: 0, schedule: "0" });
    expect(early.failure).toBeUndefined();
    expect(() => explore({ threads: [nap, writer], timeouts: 0, schedule: "0 0t" })).toThrow(
      /decision 2 is 0t/,
    );
  });

  test("napping until somebody comes ends", () => {
    const napper = ({ i32 }: ModelMemory): number => {
      let naps = 0;
      while (Atomics.load(i32, 0) === 0) if (Atomics.wait(i32, 0, 0, 1) === "timed-out") naps++;
      return naps;
    };
    const waker = ({ i32 }: ModelMemory): number => Atomics.store(i32, 0, 1);
    const seen = resultsOf({ threads: [napper, waker], timeouts: 2 });
    expect(seen).toContain("[0,1]");
    expect(seen).toContain("[2,1]");
  });

  test("napping for ever is a livelock", () => {
    const napper = ({ i32 }: ModelMemory): void => {
      while (Atomics.load(i32, 0) === 0) Atomics.wait(i32, 0, 0, 1);
    };
    const failure = expectFailure(explore({ threads: [napper] }), /thread 0 sleeps on word 0/);
    expect(failure.kind).toBe("livelock");
  });
});

describe("deadlock", () => {
  const lockBoth =
    (first: number, second: number) =>
    ({ i32 }: ModelMemory): void => {
      for (const lock of [first, second]) {
        while (Atomics.compareExchange(i32, lock, 0, 1) !== 0) Atomics.wait(i32, lock, 1);
      }
      for (const lock of [second, first]) {
        Atomics.store(i32, lock, 0);
        Atomics.notify(i32, lock);
      }
    };

  test("locks taken in different orders are reported, with who sleeps where", () => {
    const result = explore({ threads: [lockBoth(0, 1), lockBoth(1, 0)] });
    const failure = expectFailure(result, /^deadlock: thread 0 sleeps on word 1, thread 1 sleeps on word 0$/);
    expect(failure.kind).toBe("deadlock");
  });

  test("locks taken in one order pass", () => {
    expectNoFailure(explore({ threads: [lockBoth(0, 1), lockBoth(0, 1)], preemptions: Infinity }));
  });

  test("is no failure if the model allows it, and check learns who is blocked", () => {
    const ends = new Set<string>();
    const result = explore({
      threads: [lockBoth(0, 1), lockBoth(1, 0)],
      allowBlocked: true,
      check: (_memory, _results, _shared, end) => void ends.add(end.blocked.join()),
    });
    expectNoFailure(result);
    expect(ends).toEqual(new Set(["", "0,1"]));
  });
});

describe("spinning", () => {
  const spinUntilSet = ({ i32 }: ModelMemory): void => {
    while (Atomics.load(i32, 0) === 0);
  };

  test("a spinning thread waits for the others, whoever begins", () => {
    const setter = ({ i32 }: ModelMemory): number => Atomics.store(i32, 0, 1);
    const result = expectNoFailure(
      explore({ threads: [spinUntilSet, setter], preemptions: Infinity, reduce: false }),
    );
    // The setter comes after 0 to 17 looks at the word: the first tells something new, 16 more do not
    expect(result.executions).toBe(18);
  });

  test("a spinning thread comes back as soon as something has changed, not when the others are done", () => {
    const spinner = ({ i32 }: ModelMemory): number => {
      Atomics.store(i32, 1, 1);
      while (Atomics.load(i32, 0) === 0);
      return Atomics.load(i32, 0);
    };
    const writer = ({ i32 }: ModelMemory): number => {
      const spinnerHasBegun = Atomics.load(i32, 1);
      Atomics.store(i32, 0, 1);
      Atomics.store(i32, 0, 2);
      return spinnerHasBegun;
    };
    // One preemption must do: the spinning thread has given way of itself.
    expect(resultsOf({ threads: [spinner, writer], preemptions: 1 })).toContain("[1,1]");
  });

  test("two spinning threads wait for each other's turn", () => {
    const inTurn =
      (me: number) =>
      ({ i32 }: ModelMemory): void => {
        for (let round = 0; round < 3; round++) {
          while (Atomics.load(i32, 0) !== me);
          Atomics.store(i32, 0, 1 - me);
        }
      };
    expectNoFailure(explore({ threads: [inTurn(0), inTurn(1)] }));
  });

  test("a loop of plain reads ends, too", () => {
    const spinPlainly = ({ i32 }: ModelMemory): void => {
      while (i32[0] === 0);
    };
    const setter = ({ i32 }: ModelMemory): number => Atomics.store(i32, 0, 1);
    expectNoFailure(explore({ threads: [spinPlainly, setter] }));
  });

  test("a loop over several words and failing swaps is spinning", () => {
    const spin = ({ i32 }: ModelMemory): void => {
      while (
        Atomics.load(i32, 1) !== 0 ||
        Atomics.load(i32, 2) !== 0 ||
        Atomics.compareExchange(i32, 0, 1, 2) !== 1
      );
    };
    const setter = ({ i32 }: ModelMemory): number => Atomics.store(i32, 0, 1);
    expectNoFailure(explore({ threads: [spin, setter] }));
  });

  test("a hint gives way at once", () => {
    const spin = ({ i32, spinHint }: ModelMemory): void => {
      while (Atomics.load(i32, 0) === 0) spinHint();
    };
    const setter = ({ i32 }: ModelMemory): number => Atomics.store(i32, 0, 1);
    const result = explore({ threads: [spin, setter], preemptions: Infinity, reduce: false });
    expect(expectNoFailure(result).executions).toBe(2);
  });

  test("a bounded spin goes on to what comes after it, when nobody else can run", () => {
    const spinThenSleep = ({ i32 }: ModelMemory): string => {
      for (let spins = 0; spins < 40; spins++) if (Atomics.load(i32, 0) !== 0) return "seen";
      return Atomics.wait(i32, 0, 0);
    };
    expectFailure(explore({ threads: [spinThenSleep] }), /^deadlock/);
  });

  test("a bounded spin that is short enough may end while others are slow", () => {
    const spinThenSleep = ({ i32 }: ModelMemory): string => {
      for (let spins = 0; spins < 4; spins++) if (Atomics.load(i32, 0) !== 0) return "seen";
      return Atomics.wait(i32, 0, 0);
    };
    const setter = ({ i32 }: ModelMemory): number => {
      Atomics.store(i32, 0, 1);
      return Atomics.notify(i32, 0);
    };
    const seen = resultsOf({ threads: [spinThenSleep, setter] });
    expect(seen).toEqual(new Set(['["seen",0]', '["not-equal",0]', '["ok",1]']));
  });

  test("spinning for ever is a livelock, or blocked if the model allows it", () => {
    expect(expectFailure(explore({ threads: [spinUntilSet] }), /thread 0 spins/).kind).toBe("livelock");
    const blocked: number[] = [];
    const check = (...[, , , end]: [unknown, unknown, unknown, { blocked: readonly number[] }]): void =>
      void blocked.push(...end.blocked);
    expectNoFailure(explore({ threads: [spinUntilSet, spinUntilSet], allowBlocked: true, check }));
    expect(blocked.slice(0, 2)).toEqual([0, 1]);
  });

  test("reading what others change all the time is no spinning", () => {
    const reader = ({ i32 }: ModelMemory): void => {
      for (let i = 0; i < 60; i++) Atomics.load(i32, 0);
    };
    const writer = ({ i32 }: ModelMemory): void => {
      for (let i = 0; i < 30; i++) Atomics.add(i32, 0, 1);
    };
    // The schedule would not fit if the reader gave way between its two looks.
    expectNoFailure(explore({ threads: [reader, writer], schedule: "0 0 1 ".repeat(30) }));
  });

  test("a scan of many words is no spinning", () => {
    const scan = ({ i32 }: ModelMemory): number => {
      let sum = 0;
      for (let word = 0; word < 200; word++) sum += Atomics.load(i32, word);
      return sum;
    };
    const result = expectNoFailure(explore({ threads: [scan], reduce: false }));
    expect(result.steps).toBe(200);
  });

  test("a thread that changes memory without end is cut off", () => {
    const count = ({ i32 }: ModelMemory): void => {
      for (;;) Atomics.add(i32, 0, 1);
    };
    const countPlainly = ({ i32 }: ModelMemory): void => {
      for (;;) i32[0]++;
    };
    for (const thread of [count, countPlainly]) {
      const failure = expectFailure(explore({ threads: [thread], maxAccesses: 50 }), /made 50 accesses/);
      expect(failure.kind).toBe("endless");
    }
  });
});
