import { expectFailure, expectNoFailure, explore, formatFailure, type ModelMemory } from "@heddle/testkit";
import { describe, expect, test } from "vitest";

const increment = ({ i32 }: ModelMemory): void => void Atomics.add(i32, 0, 1);
const loseUpdate = ({ i32 }: ModelMemory): void => void Atomics.store(i32, 0, Atomics.load(i32, 0) + 1);
const expectTwo = ({ i32 }: ModelMemory): void => {
  if (i32[0] !== 2) throw new Error(`made ${i32[0]}`);
};

describe("a failure can be followed", () => {
  const model = {
    threads: [loseUpdate, loseUpdate],
    check: expectTwo,
    name: (word: number) => ["count"][word],
  };

  test("its schedule brings it back", () => {
    const failure = expectFailure(explore(model));
    const again = expectFailure(explore({ ...model, schedule: failure.schedule }));
    expect(again).toEqual(failure);
  });

  test("a schedule that does not fail does not", () => {
    const result = expectNoFailure(explore({ ...model, schedule: "1 1 0 0" }));
    expect(result).toMatchObject({ executions: 1, exhausted: false });
  });

  test("a schedule may be given in part: the rest runs without preemptions", () => {
    expectFailure(explore({ ...model, schedule: "1 0" }), /made 1/);
    expectNoFailure(explore({ ...model, schedule: "1" }));
  });

  test("a schedule of another model is refused", () => {
    expect(() => explore({ ...model, schedule: "0 0 0" })).toThrow(
      "schedule: decision 3 is 0, but possible there is only 1",
    );
    expect(() => explore({ ...model, schedule: "0 x" })).toThrow(
      'schedule: "x" is not like 0, 0t, 0k or 0*9',
    );
  });

  test("its trace tells thread, operation, word, change and result", () => {
    const failure = expectFailure(explore(model));
    expect(failure.trace[2]).toEqual({
      decision: 3,
      thread: 1,
      operation: "store",
      word: 0,
      name: "count",
      operands: [1],
      before: 0,
      after: 1,
      result: 1,
    });
    const lines = formatFailure(failure).split("\n");
    expect(lines.slice(0, 2)).toEqual(["check: made 1", 'schedule: "0 1 1 0"']);
    expect(lines[4].replaceAll(/ +/g, " ").trim()).toBe("3 T1 store(1) count [0] 0 → 1 = 1");
  });

  test("sleeping, timing out, dying and returning are in the trace", () => {
    const thread = ({ i32 }: ModelMemory): string => Atomics.wait(i32, 0, 0, 5);
    const check = (): never => {
      throw new Error("told");
    };
    const told = (schedule: string, kill?: { thread: number }): string[] =>
      expectFailure(explore({ threads: [thread], check, schedule, ...(kill && { kill }) })).trace.map(
        ({ operation, result }) => [operation, result].join(" ").trim(),
      );
    expect(told("0 0t 0")).toEqual(["wait sleeps", "times out", "returns timed-out"]);
    expect(told("0 0k", { thread: 0 })).toEqual(["wait sleeps", "is killed"]);
  });

  test("a long spin takes one line, and a long trace is cut in the middle", () => {
    const spin = ({ i32 }: ModelMemory): void => {
      while (Atomics.load(i32, 0) === 0);
    };
    const spinning = formatFailure(expectFailure(explore({ threads: [spin] }))).split("\n");
    expect(spinning[1]).toMatch(/^schedule: "0\*\d+"$/);
    expect(spinning[2]).toMatch(/load .* \(\d+ times\)$/);
    expect(spinning.length).toBe(3);
    const walk = ({ i32 }: ModelMemory): never => {
      for (let word = 0; word < 200; word++) Atomics.add(i32, word, 1);
      throw new Error("far enough");
    };
    const walking = formatFailure(expectFailure(explore({ threads: [walk] }))).split("\n");
    expect(walking.length).toBe(2 + 60 + 1 + 60);
    expect(walking[62]).toContain("… 80 more …");
  });

  test("a schedule with runs of decisions brings its failure back", () => {
    const spin = ({ i32 }: ModelMemory): void => {
      while (Atomics.load(i32, 0) === 0) Atomics.wait(i32, 0, 0, 1);
    };
    const dying = ({ i32 }: ModelMemory): void => {
      for (let i = 0; i < 10; i++) Atomics.add(i32, 1, 1);
      Atomics.store(i32, 0, 1);
    };
    const failing = { threads: [dying, spin], kill: { thread: 0 } };
    const failure = expectFailure(explore(failing), /livelock/);
    expect(failure.schedule).toMatch(/^0\*10 0k 1 1 1t /);
    expect(expectFailure(explore({ ...failing, schedule: failure.schedule }))).toEqual(failure);
  });

  test("expectNoFailure shows all of it and keeps the cause", () => {
    const error = (() => {
      try {
        expectNoFailure(explore(model));
      } catch (thrown) {
        return thrown as Error;
      }
      throw new Error("nothing was thrown");
    })();
    expect(error.message).toMatch(/check: made 1\nschedule: "0 1 1 0"\n.*count \[0\]/s);
    expect(error.cause).toEqual(new Error("made 1"));
  });

  test("expectFailure wants a failure, and the right one", () => {
    expect(() => expectFailure(explore({ threads: [increment] }))).toThrow(
      "expected a failure; 1 executions had none",
    );
    expect(() => expectFailure(explore(model), /deadlock/)).toThrow(
      /expected a failure like \/deadlock\/; got: check/,
    );
  });

  test("is told with as few preemptions as it takes", () => {
    const long = ({ i32 }: ModelMemory): void => {
      for (let i = 0; i < 6; i++) Atomics.add(i32, 1, 1);
      loseUpdate({ i32 } as ModelMemory);
    };
    const failure = expectFailure(
      explore({ threads: [long, long], check: expectTwo, random: { runs: 1000, seed: 5 } }),
    );
    const switches = failure.schedule
      .split(" ")
      .filter((thread, at, all) => at > 0 && thread !== all[at - 1]);
    expect(switches.length).toBe(2); // one preemption, and back when the other is done
  });
});

describe("random runs", () => {
  const model = { threads: [loseUpdate, loseUpdate, loseUpdate], random: { runs: 200, seed: 9 } };

  test("find what they can, repeat with their seed, and print it", () => {
    const check = ({ i32 }: ModelMemory): void => {
      if (i32[0] === 1) throw new Error("two were lost");
    };
    const first = explore({ ...model, check });
    expect(explore({ ...model, check })).toEqual(first);
    expect(() => expectNoFailure(first)).toThrow(/two were lost\nseed: 9\nschedule/);
  });

  test("that find nothing have run as often as told", () => {
    const result = expectNoFailure(explore({ ...model, threads: [increment, increment], check: expectTwo }));
    expect(result).toMatchObject({ executions: 200, exhausted: false, seed: 9 });
  });

  test("meet a bug that takes one switch at a certain place and no other in long threads", () => {
    const short = ({ i32 }: ModelMemory): void => {
      for (let i = 0; i < 100; i++) Atomics.add(i32, 0, 1);
    };
    const long = ({ i32 }: ModelMemory): void => {
      const begun = Atomics.load(i32, 0);
      for (let i = 0; i < 1000; i++) Atomics.add(i32, 1, 1);
      if (begun === Atomics.load(i32, 0) && begun > 0 && begun < 100)
        throw new Error("all in the middle of the other");
    };
    const result = explore({ threads: [short, long], random: { runs: 300, seed: 1 } });
    expectFailure(result, /all in the middle/);
  });

  test("meet a bug that takes three switches at certain places of long threads", () => {
    const STEPS = 30;
    const pad = (i32: Int32Array): void => {
      for (let i = 0; i < STEPS; i++) Atomics.add(i32, 5, 1);
    };
    const asker = ({ i32 }: ModelMemory): void => {
      pad(i32);
      Atomics.store(i32, 0, 1);
      if (Atomics.load(i32, 1) === 1 && Atomics.load(i32, 1) === 2) throw new Error("answered in between");
      pad(i32);
    };
    const answerer = ({ i32 }: ModelMemory): void => {
      pad(i32);
      if (Atomics.load(i32, 0) !== 1) return;
      Atomics.store(i32, 1, 1);
      Atomics.store(i32, 1, 2);
      pad(i32);
    };
    const result = explore({ threads: [asker, answerer], random: { runs: 20_000, seed: 1 } });
    expectFailure(result, /answered in between/);
  });
});

describe("limits", () => {
  const model = { threads: [loseUpdate, loseUpdate, loseUpdate], preemptions: Infinity, maxExecutions: 5 };

  test("an exploration that was cut short does not pass for a complete one", () => {
    const result = explore(model);
    expect(result).toMatchObject({ exhausted: false, limited: true });
    expect(() => expectNoFailure(result)).toThrow(/not all there are/);
  });

  test("unless the model accepts it", () => {
    expectNoFailure(explore({ ...model, onLimit: "accept" }));
  });

  test("options out of range are named with their bounds", () => {
    const refused = (options: object): unknown => explore({ threads: [increment], ...options });
    expect(() => refused({ preemptions: -1 })).toThrow(
      "explore: preemptions is -1, not a whole number from 0 to Infinity",
    );
    expect(() => refused({ words: 1.5 })).toThrow(/words is 1.5/);
    expect(() => refused({ kill: { thread: 1 } })).toThrow(
      /kill.thread is 1, not a whole number from 0 to 0/,
    );
    expect(() => refused({ threads: [] })).toThrow(/threads is 0/);
    expect(() => refused({ spin: { reads: 0 } })).toThrow(/spin.reads is 0/);
    expect(() => refused({ timeouts: 16 })).toThrow(/timeouts is 16/);
  });
});

describe("code that cannot be explored is reported, not mistaken", () => {
  const refused = (thread: (memory: ModelMemory) => unknown, message: RegExp): void => {
    const run = (): unknown => explore({ threads: [thread, loseUpdate] });
    expect(run).toThrow(
      expect.objectContaining({ name: "ExplorerError", message: expect.stringMatching(message) }),
    );
  };

  test("a catch that swallows the explorer's exception", () => {
    const swallowing = ({ i32 }: ModelMemory): string => {
      try {
        return Atomics.wait(i32, 0, 0, 1);
      } catch {
        return "recovered";
      }
    };
    refused(
      swallowing,
      /thread 0 swallowed the exception by which the explorer stops it, and returned recovered/,
    );
  });

  test("a catch that throws something else in its place", () => {
    const wrapping = ({ i32 }: ModelMemory): string => {
      try {
        return Atomics.wait(i32, 0, 0, 1);
      } catch (error) {
        throw new Error("wrapped", { cause: error });
      }
    };
    refused(wrapping, /swallowed .* and threw Error: wrapped/);
  });

  test("a thread that does something else when it is run again", () => {
    let runs = 0;
    refused(({ i32 }) => {
      Atomics.add(i32, runs++, 1);
      Atomics.add(i32, 0, 1);
      Atomics.add(i32, 0, 1);
    }, /thread 0 is not deterministic: its access 0 was a add of word 0, run again it is: add of word 1/);
  });

  test("a thread that does less when it is run again", () => {
    let runs = 0;
    refused(({ i32 }) => {
      if (runs++ > 0) return;
      Atomics.add(i32, 0, 1);
      Atomics.add(i32, 0, 1);
    }, /not deterministic: .* run again it is: the end/);
  });

  test("a thread that swallows the report of its own mistake", () => {
    let runs = 0;
    refused(({ i32 }) => {
      try {
        Atomics.add(i32, runs++, 1);
      } catch {
        return;
      }
      Atomics.add(i32, 0, 1);
      Atomics.add(i32, 0, 1);
    }, /not deterministic/);
  });

  test("a failure that depends on what is outside the memory", () => {
    let checks = 0;
    const check = (): void => {
      if (checks++ === 1) throw new Error("now and then");
    };
    expect(() => explore({ threads: [increment, increment], check })).toThrow(/failed once and not again/);
  });

  test("asynchronous threads", () => {
    refused(async ({ i32 }) => Atomics.add(i32, 0, 1), /thread 0 is asynchronous/);
  });

  test("views that the thread makes itself", () => {
    refused(({ buffer }) => Atomics.add(new Int32Array(buffer), 0, 1), /any view but the model's own i32/);
    refused(({ u8 }) => Atomics.add(u8, 0, 1), /any view but the model's own i32/);
  });

  test("operations that it has no model of", () => {
    refused(({ i32 }) => Atomics.waitAsync(i32, 0, 0), /Atomics.waitAsync is not understood/);
    refused(({ i32 }) => i32.subarray(1), /subarray of a typed array is not understood/);
    const own = new Int32Array(new SharedArrayBuffer(4));
    refused(() => Atomics.wait(own, 0, 0, 1), /Atomics.wait on memory other than the model's/);
    refused(({ i32 }) => {
      try {
        return Atomics.waitAsync(i32, 0, 0);
      } catch {
        return "cannot wait";
      }
    }, /Atomics.waitAsync is not understood/);
  });

  test("waiting where nobody can wake", () => {
    const setup = ({ i32 }: ModelMemory): void => void Atomics.wait(i32, 0, 0);
    expect(() => explore({ setup, threads: [() => 0] })).toThrow(/would never return/);
  });

  test("a model inside a model", () => {
    refused(() => explore({ threads: [increment] }), /cannot explore another model/);
  });
});

describe("code under test runs as it does outside", () => {
  test("finally blocks run, but have no effect while the thread is only stopped", () => {
    const locked = ({ i32 }: ModelMemory): void => {
      while (Atomics.compareExchange(i32, 1, 0, 1) !== 0);
      try {
        Atomics.wait(i32, 3, 0, 1);
        loseUpdate({ i32 } as ModelMemory);
      } finally {
        Atomics.store(i32, 1, 0);
        i32[2]++;
      }
    };
    const check = ({ i32 }: ModelMemory): void => expect([i32[0], i32[1], i32[2]]).toEqual([2, 0, 2]);
    expectNoFailure(explore({ threads: [locked, locked], check }));
    expectNoFailure(explore({ threads: [locked, locked], check, random: { runs: 100, seed: 1 } }));
  });

  test("a catch of everything does no harm, where the model allows it", () => {
    const napping =
      (wrap: boolean) =>
      ({ i32 }: ModelMemory): string => {
        try {
          return Atomics.wait(i32, 0, 0, 1);
        } catch (error) {
          if (wrap) throw new Error("wrapped", { cause: error });
          return "recovered";
        }
      };
    const check = ({ i32 }: ModelMemory, results: string[]): void => {
      expect(results).toEqual(["timed-out", "timed-out"]);
      expect(i32[0]).toBe(0);
    };
    expectNoFailure(explore({ threads: [napping(false), napping(true)], check, allowCatchAll: true }));
  });

  test("a thread that throws is a failure, and shows what it threw", () => {
    const error = new TypeError("on purpose");
    const thread = ({ i32 }: ModelMemory): void => {
      if (Atomics.add(i32, 0, 1) === 1) throw error;
    };
    const failure = expectFailure(explore({ threads: [thread, thread] }), /^thread \d threw: on purpose$/);
    expect(failure).toMatchObject({ kind: "thread", error });
  });

  test("errors of its own it may catch", () => {
    const thread = ({ i32 }: ModelMemory): string => {
      try {
        Atomics.load(i32, 1000);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        Atomics.add(i32, 0, 1);
        return error.message;
      }
      return "";
    };
    const check = (_: ModelMemory, results: string[]): void =>
      expect(results).toEqual(Array(2).fill("memory access: index 1000 is not in 0..255"));
    expectNoFailure(explore({ threads: [thread, thread], check }));
  });

  test("an access beyond the end is an error, also a plain one", () => {
    expectFailure(explore({ threads: [({ i32 }) => i32[256]] }), /index 256 is not in 0..255/);
    expectFailure(explore({ threads: [({ i32 }) => (i32[-1] = 1)] }), /not in 0..255/);
  });

  test("other shared memory works meanwhile", () => {
    const thread = ({ i32 }: ModelMemory): number => {
      const own = new Int32Array(new SharedArrayBuffer(8));
      Atomics.add(own, 1, 5);
      Atomics.notify(own, 1);
      return Atomics.add(i32, 0, Atomics.load(own, 1));
    };
    const check = ({ i32 }: ModelMemory): void => expect(i32[0]).toBe(10);
    expectNoFailure(explore({ threads: [thread, thread], check }));
  });

  test("results of all operations are those of the engine", () => {
    const all = ({ i32 }: { readonly i32: Int32Array }): unknown[] => [
      Atomics.store(i32, 0, 5.9),
      Atomics.store(i32, 1, 2 ** 31),
      Atomics.load(i32, 1),
      Atomics.add(i32, 0, -7),
      Atomics.sub(i32, 0, 2 ** 31),
      Atomics.and(i32, 0, 0xff),
      Atomics.or(i32, 0, 0x100),
      Atomics.xor(i32, 0, -1),
      Atomics.exchange(i32, 0, 3),
      Atomics.compareExchange(i32, 0, 3, 2 ** 32 + 4),
      Atomics.compareExchange(i32, 0, 3, 5),
      (i32[0] = 2.5),
      i32[0]++,
      Atomics.notify(i32, 0),
      Atomics.wait(i32, 0, 0),
      i32[0],
    ];
    const real = all({ i32: new Int32Array(new SharedArrayBuffer(8)) });
    const other = ({ i32 }: ModelMemory): number => Atomics.load(i32, 2);
    const check = (_: ModelMemory, results: readonly unknown[]): void => expect(results[0]).toEqual(real);
    expectNoFailure(explore({ threads: [all, other], check }));
  });

  test("Atomics is put back, after failures and mistakes, too", () => {
    const original = globalThis.Atomics;
    explore({ threads: [increment, increment] });
    explore({ threads: [loseUpdate, loseUpdate], check: expectTwo });
    expect(() => explore({ threads: [async () => {}] })).toThrow();
    expect(() =>
      explore({
        setup: () => {
          throw new Error("in setup");
        },
        threads: [increment],
      }),
    ).toThrow("in setup");
    expect(globalThis.Atomics).toBe(original);
  });
});
