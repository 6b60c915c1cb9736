import { expectFailure, expectNoFailure, explore, type ModelMemory } from "@heddle/testkit";
import { describe, expect, test } from "vitest";

/** Each classic bug is found, and the version without it passes, under the same model. */

describe("lost update", () => {
  const count = (increment: (i32: Int32Array) => void) => {
    const thread = ({ i32 }: ModelMemory): void => increment(i32);
    const check = ({ i32 }: ModelMemory): void => {
      if (i32[0] !== 2) throw new Error(`two increments made ${i32[0]}`);
    };
    return explore({ threads: [thread, thread], check });
  };

  test("load and store lose one", () => {
    const failure = expectFailure(
      count((i32) => Atomics.store(i32, 0, Atomics.load(i32, 0) + 1)),
      /two increments made 1/,
    );
    expect(failure.kind).toBe("check");
    expect(failure.schedule).toBe("0 1 1 0");
  });

  test("a plain load before the first atomic operation loses one", () => {
    expectFailure(count((i32) => Atomics.store(i32, 0, i32[0] + 1)));
  });

  test("add does not", () => {
    expect(expectNoFailure(count((i32) => Atomics.add(i32, 0, 1))).exhausted).toBe(true);
  });
});

/** Two threads in a critical section that counts who is in it. */
function exploreExclusion(
  enter: (i32: Int32Array, me: number) => void,
  leave: (i32: Int32Array, me: number) => void,
) {
  const INSIDE = 10;
  const thread =
    (me: number) =>
    ({ i32 }: ModelMemory): void => {
      enter(i32, me);
      if (Atomics.add(i32, INSIDE, 1) !== 0) throw new Error("two are inside");
      Atomics.sub(i32, INSIDE, 1);
      leave(i32, me);
    };
  return explore({ threads: [thread(0), thread(1)], preemptions: 3 });
}

describe("mutual exclusion by loads and stores", () => {
  const WANTS = 0;
  const TURN = 2;
  const leave = (i32: Int32Array, me: number): void => void Atomics.store(i32, WANTS + me, 0);

  test("Peterson's lock holds", () => {
    const enter = (i32: Int32Array, me: number): void => {
      Atomics.store(i32, WANTS + me, 1);
      Atomics.store(i32, TURN, 1 - me);
      while (Atomics.load(i32, WANTS + 1 - me) === 1 && Atomics.load(i32, TURN) === 1 - me);
    };
    expectNoFailure(exploreExclusion(enter, leave));
  });

  test("without a look after announcing oneself it does not", () => {
    const enter = (i32: Int32Array, me: number): void => {
      while (Atomics.load(i32, WANTS + 1 - me) === 1);
      Atomics.store(i32, WANTS + me, 1);
    };
    expectFailure(exploreExclusion(enter, leave), /two are inside/);
  });

  test("with the turn given before announcing oneself it does not", () => {
    const enter = (i32: Int32Array, me: number): void => {
      Atomics.store(i32, TURN, 1 - me);
      Atomics.store(i32, WANTS + me, 1);
      while (Atomics.load(i32, WANTS + 1 - me) === 1 && Atomics.load(i32, TURN) === 1 - me);
    };
    expectFailure(exploreExclusion(enter, leave), /two are inside/);
  });

  test("two that only announce and look lock each other out", () => {
    const enter = (i32: Int32Array, me: number): void => {
      Atomics.store(i32, WANTS + me, 1);
      while (Atomics.load(i32, WANTS + 1 - me) === 1);
    };
    expect(expectFailure(exploreExclusion(enter, leave)).kind).toBe("livelock");
  });
});

describe("test-and-set lock", () => {
  const leave = (i32: Int32Array): void => void Atomics.store(i32, 0, 0);

  test("compare-and-swap holds", () => {
    expectNoFailure(
      exploreExclusion((i32) => {
        while (Atomics.compareExchange(i32, 0, 0, 1) !== 0);
      }, leave),
    );
  });

  test("a load and a store do not", () => {
    const result = exploreExclusion((i32) => {
      while (Atomics.load(i32, 0) !== 0);
      Atomics.store(i32, 0, 1);
    }, leave);
    expectFailure(result, /two are inside/);
  });
});

describe("Treiber stack", () => {
  /** Word 0 names the top node; node n links through word n. Three nodes: 1 on 2 on 3. A tag above the number makes each top unique. */
  const NUMBER = 0xff;
  const TAG = 0x100;

  function exploreStack(tagStep: number) {
    const pop = (i32: Int32Array): number => {
      for (;;) {
        const top = Atomics.load(i32, 0);
        if ((top & NUMBER) === 0) return 0;
        const next = Atomics.load(i32, top & NUMBER);
        if (Atomics.compareExchange(i32, 0, top, next | ((top & ~NUMBER) + tagStep)) === top)
          return top & NUMBER;
      }
    };
    const push = (i32: Int32Array, node: number): void => {
      for (;;) {
        const top = Atomics.load(i32, 0);
        Atomics.store(i32, node, top & NUMBER);
        if (Atomics.compareExchange(i32, 0, top, node | ((top & ~NUMBER) + tagStep)) === top) return;
      }
    };
    return explore({
      setup: ({ i32 }) => i32.set([1, 2, 3, 0]),
      threads: [
        ({ i32 }) => [pop(i32)],
        ({ i32 }) => {
          const [first, second] = [pop(i32), pop(i32)];
          push(i32, first);
          return [second];
        },
      ],
      check: ({ i32 }, [first, second]) => {
        const nodes = [...first, ...second];
        for (let node = pop(i32); node !== 0 && nodes.length < 9; node = pop(i32)) nodes.push(node);
        expect(nodes.toSorted((a, b) => a - b).join(), "each node is in one place").toBe("1,2,3");
      },
      preemptions: 1,
    });
  }

  test("without tags it suffers ABA", () => {
    expectFailure(exploreStack(0), /each node is in one place/);
  });

  test("with tags it does not", () => {
    expectNoFailure(exploreStack(TAG));
  });
});

describe("lost wake-up", () => {
  const ITEMS = 0;
  const BELL = 1;

  test("sleeping on a word that the waker does not change misses it", () => {
    const result = explore({
      threads: [
        ({ i32 }) => {
          if (Atomics.load(i32, ITEMS) === 0) Atomics.wait(i32, BELL, 0);
        },
        ({ i32 }) => {
          Atomics.add(i32, ITEMS, 1);
          Atomics.notify(i32, BELL);
        },
      ],
    });
    const failure = expectFailure(result, /deadlock: thread 0 sleeps on word 1/);
    expect(failure.schedule).toBe("0 1 1 0");
  });

  test("sleeping on the word that was looked at does not", () => {
    const result = explore({
      threads: [
        ({ i32 }) => {
          while (Atomics.load(i32, ITEMS) === 0) Atomics.wait(i32, ITEMS, 0);
        },
        ({ i32 }) => {
          Atomics.add(i32, ITEMS, 1);
          Atomics.notify(i32, ITEMS);
        },
      ],
      preemptions: Infinity,
    });
    expectNoFailure(result);
  });

  test("announcing sleep after the last look misses it, before the last look does not", () => {
    const ASLEEP = 2;
    const sleeper =
      (announceFirst: boolean) =>
      ({ i32 }: ModelMemory): void => {
        const ticket = Atomics.load(i32, BELL);
        if (announceFirst) Atomics.store(i32, ASLEEP, 1);
        if (Atomics.load(i32, ITEMS) > 0) return;
        if (!announceFirst) Atomics.store(i32, ASLEEP, 1);
        Atomics.wait(i32, BELL, ticket);
      };
    const waker = ({ i32 }: ModelMemory): void => {
      Atomics.add(i32, ITEMS, 1);
      if (Atomics.load(i32, ASLEEP) === 0) return;
      Atomics.add(i32, BELL, 1);
      Atomics.notify(i32, BELL);
    };
    expectFailure(explore({ threads: [sleeper(false), waker] }), /deadlock/);
    expectNoFailure(explore({ threads: [sleeper(true), waker] }));
  });
});

describe("ring of four between one writer and one reader", () => {
  const HEAD = 0;
  const TAIL = 1;
  const RING = 4;
  const COUNT = 6;

  function exploreRing(push: (i32: Int32Array, value: number) => boolean, plainAccessesAreSteps: boolean) {
    const writer = ({ i32 }: ModelMemory): void => {
      for (let value = 1; value <= COUNT; ) if (push(i32, value)) value++;
    };
    const reader = ({ i32 }: ModelMemory): void => {
      for (let value = 1; value <= COUNT; value++) {
        const head = Atomics.load(i32, HEAD);
        while (Atomics.load(i32, TAIL) === head);
        const read = i32[RING + (head & 3)];
        if (read !== value) throw new Error(`read ${read} in place of ${value}`);
        Atomics.store(i32, HEAD, head + 1);
      }
    };
    return explore({ threads: [writer, reader], plainAccessesAreSteps, spin: { reads: 4 } });
  }

  const push =
    (capacity: number, publishFirst: boolean) =>
    (i32: Int32Array, value: number): boolean => {
      const tail = Atomics.load(i32, TAIL);
      if (tail - Atomics.load(i32, HEAD) >= capacity) return false;
      if (publishFirst) Atomics.store(i32, TAIL, tail + 1);
      i32[RING + (tail & 3)] = value;
      if (!publishFirst) Atomics.store(i32, TAIL, tail + 1);
      return true;
    };

  test("passes, with plain accesses as steps, too", () => {
    expectNoFailure(exploreRing(push(4, false), false));
    expectNoFailure(exploreRing(push(4, false), true));
  });

  test("one place too many is overwritten before it is read", () => {
    expectFailure(exploreRing(push(5, false), false), /in place of/);
  });

  test("publishing before writing shows only when plain accesses are steps", () => {
    expectNoFailure(exploreRing(push(4, true), false));
    expectFailure(exploreRing(push(4, true), true), /in place of/);
  });
});

describe("ring of four with a thief", () => {
  const HEAD = 0;
  const TAIL = 1;
  const RING = 4;

  type Take = (i32: Int32Array) => number;

  const takeAfterReading: Take = (i32) => {
    for (;;) {
      const head = Atomics.load(i32, HEAD);
      if (head === Atomics.load(i32, TAIL)) return 0;
      const item = Atomics.load(i32, RING + (head & 3));
      if (Atomics.compareExchange(i32, HEAD, head, head + 1) === head) return item;
    }
  };

  const takeBeforeReading: Take = (i32) => {
    for (;;) {
      const head = Atomics.load(i32, HEAD);
      if (head === Atomics.load(i32, TAIL)) return 0;
      if (Atomics.compareExchange(i32, HEAD, head, head + 1) === head)
        return Atomics.load(i32, RING + (head & 3));
    }
  };

  const takeWithoutSwap: Take = (i32) => {
    const head = Atomics.load(i32, HEAD);
    if (head === Atomics.load(i32, TAIL)) return 0;
    Atomics.store(i32, HEAD, head + 1);
    return Atomics.load(i32, RING + (head & 3));
  };

  /** The owner takes one, pushes two into a ring that was full, and takes one; the thief takes two. */
  function exploreTheft(ownerTakes: Take, thiefTakes: Take) {
    const push = (i32: Int32Array, item: number): number => {
      const tail = Atomics.load(i32, TAIL);
      if (tail - Atomics.load(i32, HEAD) >= 4) return item;
      Atomics.store(i32, RING + (tail & 3), item);
      Atomics.store(i32, TAIL, tail + 1);
      return 0;
    };
    return explore({
      setup: ({ i32 }) => {
        i32[TAIL] = 4;
        i32.set([1, 2, 3, 4], RING);
      },
      threads: [
        ({ i32 }) => [ownerTakes(i32), push(i32, 5), push(i32, 6), ownerTakes(i32)],
        ({ i32 }) => [thiefTakes(i32), thiefTakes(i32)],
      ],
      check: ({ i32 }, [owned, stolen]) => {
        const items = [...owned, ...stolen];
        for (let item = takeAfterReading(i32); item !== 0; item = takeAfterReading(i32)) items.push(item);
        const present = items.filter((item) => item !== 0).toSorted((a, b) => a - b);
        expect(present.join(), "each item once").toBe("1,2,3,4,5,6");
      },
    });
  }

  test("reading before the compare-and-swap passes", () => {
    expectNoFailure(exploreTheft(takeAfterReading, takeAfterReading));
  });

  test("a thief that reads after it reads what the owner put there since", () => {
    expectFailure(exploreTheft(takeAfterReading, takeBeforeReading), /each item once/);
  });

  test("an owner that takes without compare-and-swap takes what is stolen", () => {
    expectFailure(exploreTheft(takeWithoutSwap, takeAfterReading), /each item once/);
  });
});

describe("three threads", () => {
  const DATA = 0;
  const FIRST = 1;
  const SECOND = 2;

  /** What thread 2 was told by thread 1 about thread 0's data. */
  function exploreRelay(relayLooks: boolean, messengers: number) {
    const threads = [
      ({ i32 }: ModelMemory): void => {
        Atomics.store(i32, FIRST, 1);
        Atomics.store(i32, DATA, 42);
        Atomics.store(i32, FIRST, 2);
      },
      ({ i32 }: ModelMemory): void => {
        const seen = Atomics.load(i32, FIRST);
        if (seen === 2 || (seen === 1 && !relayLooks)) Atomics.store(i32, SECOND, 1);
      },
      ({ i32 }: ModelMemory): void => {
        if (Atomics.load(i32, SECOND) !== 1) return;
        if (Atomics.load(i32, DATA) !== 42) throw new Error("told of data that is not there");
      },
    ];
    return explore({ threads: threads.slice(0, messengers) });
  }

  test("a failure that takes all three is found", () => {
    const failure = expectFailure(exploreRelay(false, 3), /told of data that is not there/);
    expect(new Set(failure.schedule.split(" "))).toEqual(new Set(["0", "1", "2"]));
    expectNoFailure(exploreRelay(false, 2));
  });

  test("the right version passes", () => {
    expectNoFailure(exploreRelay(true, 3));
  });
});

describe("invariants", () => {
  const move =
    (from: number, to: number) =>
    ({ i32 }: ModelMemory): void => {
      Atomics.sub(i32, from, 1);
      Atomics.add(i32, to, 1);
    };

  test("are looked at between the steps", () => {
    const result = explore({
      setup: ({ i32 }) => i32.set([3, 3]),
      threads: [move(0, 1), move(1, 0)],
      invariant: ({ i32 }) => {
        if (i32[0] + i32[1] < 5) throw new Error(`only ${i32[0] + i32[1]} left`);
      },
    });
    const failure = expectFailure(result, /invariant: only 4 left/);
    expect(failure.schedule).toBe("0 1");
  });

  test("that hold do not stop the exploration", () => {
    const result = explore({
      setup: ({ i32 }) => i32.set([3, 3]),
      threads: [move(0, 1), move(1, 0)],
      invariant: ({ i32 }) => expect(i32[0] + i32[1]).toBeGreaterThan(3),
      check: ({ i32 }) => expect([i32[0], i32[1]]).toEqual([3, 3]),
    });
    expectNoFailure(result);
  });
});
