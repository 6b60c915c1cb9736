import { describe, expect, test } from "vitest";
import * as locks from "./locks.mjs";
import { KINDS } from "./support/forms.mjs";
import { onProcs } from "./support/on-procs.ts";

type Program = { [kind: string]: never };

onProcs("locks", (runtime) => {
  describe.each([...KINDS, "host"])("a %s body", (kind) => {
    const run = (program: unknown, ...args: unknown[]): Promise<unknown> => {
      const body = (program as Program)[kind] as (...args: unknown[]) => unknown;
      return kind === "host"
        ? (runtime().enter(() => body(...args)) as Promise<unknown>)
        : runtime().run(body, ...args);
    };

    test("gets a mutex beside a hog", async () => {
      await run(locks.besideHog);
    });

    test("signals wake in the order of waiting", async () => {
      expect(await run(locks.signals, 20)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    });

    test("a broadcast wakes all that wait, and nobody later", async () => {
      expect(await run(locks.broadcast, 5)).toEqual({ all: [0, 1, 2, 3, 4], early: false });
    });

    test("a call that throws is done: one is thrown it, the others go on", async () => {
      expect(await run(locks.onceThatThrows)).toEqual(["the call failed", "went on", "went on"]);
    });

    test("a call may park", async () => {
      expect(await run(locks.onceThatParks)).toBe("begun");
    });

    test("a waiting writer comes before later readers", async () => {
      expect(await run(locks.writerFirst)).toEqual(["wrote", "read"]);
    });

    test("broken rules have Go's texts", async () => {
      expect(await run(locks.misuse)).toEqual([
        "sync: unlock of unlocked mutex",
        "sync: Unlock of unlocked RWMutex",
        "sync: RUnlock of unlocked RWMutex",
        "sync: negative WaitGroup counter",
        "sync: unlock of unlocked mutex",
      ]);
    });
  });
});
