import { describe, expect, test } from "vitest";
import { onProcs } from "./support/on-procs.ts";
import * as programs from "./sync.mjs";

const KINDS = ["generator", "async", "plain"] as const;

const ORDERS: Record<string, unknown> = {
  "a large request to a semaphore is not overtaken": {
    overtaken: false,
    meanwhile: ["large"],
    log: ["large", "small"],
    all: true,
  },
  "one release may let several in": [["a", "b", "c"], false],
  "a waiting writer holds off new readers, and readers come before the next writer": {
    shared: true,
    heldOff: false,
    meanwhile: ["writer"],
    between: ["writer", "first", "second"],
    free: true,
  },
  "a lock is passed on in the order of the waiters": [["a", "b", "c"], true],
  "a barrier lets all go when the last has come, and begins anew": Array.from({ length: 3 }, () => [0, 1]),
  "a WaitGroup at zero lets all go, and can be used again": Array.from({ length: 3 }, () => [0, 2]),
  "Once calls once, and the others wait for the call": [0, "called", ["first", "second"]],
  "Once is done even if the call throws": ["boom", "went through"],
};

const MISTAKES = {
  "Mutex.unlock": "MisuseError: sync: unlock of unlocked mutex",
  "a guard, twice": true,
  "RWMutex.unlock": "MisuseError: sync: Unlock of unlocked RWMutex",
  "RWMutex.runlock": "MisuseError: sync: RUnlock of unlocked RWMutex",
  "WaitGroup.done": "MisuseError: sync: negative WaitGroup counter",
  "WaitGroup.add": "MisuseError: sync: negative WaitGroup counter",
  "Semaphore.release": "MisuseError: semaphore: released more than held",
  "Cond.wait": "MisuseError: sync: unlock of unlocked mutex",
};

onProcs("sync", (runtime) => {
  test.each(["Mutex", "RWMutex"])("%s: one at a time, whatever the kinds of bodies", async (what) => {
    expect(await runtime().run(programs.exclusion, what, 200)).toBe(true);
  });

  describe.each(KINDS)("%s bodies", (kind) => {
    test.each([1, 2])("a mutex is fair beside hogs: %d of them", async (hogs) => {
      expect(await runtime().run(programs.besideHogs, kind, hogs)).toBe(5);
    });

    test("signal wakes in the order of the waits", async () => {
      const order = await runtime().run(programs.condOrder, kind, 8, "signal");
      expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    });

    test("broadcast wakes all", async () => {
      const order = await runtime().run(programs.condOrder, kind, 8, "broadcast");
      expect(order.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    });

    test("conditions carry a bounded queue", async () => {
      expect(await runtime().run(programs.boundedQueue, kind, 100)).toBe(true);
    });

    test("a barrier keeps all in step", async () => {
      expect(await runtime().run(programs.barrierRounds, kind, 4, 20)).toEqual([["in step"], 20]);
    });

    test("a semaphore lends no more than it has", async () => {
      expect(await runtime().run(programs.borrowing, kind, 50)).toEqual([["within"], 0, true]);
    });

    test("a mutex may be unlocked by another goroutine", async () => {
      expect(await runtime().run(programs.unlockedByAnother, kind)).toBe(true);
    });

    test("WaitGroup.go counts the end", async () => {
      expect(await runtime().run(programs.groupGo, kind, 10)).toBe(10);
    });

    test("mistakes are told in Go's words", async () => {
      expect(await runtime().run(programs.mistakes[kind])).toEqual(MISTAKES);
    });
  });

  test("mistakes of the host, too", async () => {
    expect(await runtime().enter(() => programs.mistakes.host())).toEqual(MISTAKES);
  });

  test.each(Object.entries(ORDERS))("%s", async (name, expected) => {
    const { async: body, host } = programs.ORDER_BODIES[name];
    expect(await runtime().run(body as () => Promise<unknown>), "async body").toEqual(expected);
    expect(await runtime().enter(host as () => Promise<unknown>), "host").toEqual(expected);
  });

  test("Once: one call for all machines", async () => {
    expect(await runtime().run(programs.onceForAll, 100)).toEqual([1, true]);
  });

  test("AtomicInt: nothing is lost", async () => {
    expect(await runtime().run(programs.counting, 500)).toEqual([3000, 6000, 3005, false, 0]);
  });
});
