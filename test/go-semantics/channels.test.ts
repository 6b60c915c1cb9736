import { describe, expect, test } from "vitest";
import * as programs from "./channels.mjs";
import { onProcs } from "./support/on-procs.ts";

const FORMS = ["generator", "async", "plain", "host"] as const;
const KINDS = ["generator", "async", "plain"] as const;
const PAIRS = KINDS.flatMap((sender) => KINDS.map((receiver) => [sender, receiver] as const));

onProcs("channels in use", (runtime) => {
  describe.each(PAIRS)("%s sends, %s receives", (sender, receiver) => {
    test.each([0, 1, 5])("first in, first out; capacity %d", async (capacity) => {
      expect(await runtime().run(programs.inOrder, sender, receiver, capacity, 100)).toBe(true);
    });
  });

  test.each([0, 1, 7])(
    "many senders, many receivers: no loss, no duplicate, order kept; capacity %d",
    async (capacity) => {
      expect(await runtime().run(programs.manyToMany, capacity, 100)).toEqual([true, true, 0]);
    },
  );

  test.each([0, 1, 4])("no sender is ahead by more than the capacity, %d", async (capacity) => {
    expect(await runtime().run(programs.bounded, capacity, 50)).toBe(true);
  });

  describe.each(FORMS)("%s", (form) => {
    const run = (
      program: { [F in (typeof FORMS)[number]]: (...args: never[]) => unknown },
      ...args: unknown[]
    ) =>
      form === "host"
        ? runtime().enter(() => program.host(...(args as never[])))
        : runtime().run(program[form], ...(args as never[]));

    test("an unbuffered send meets a receive", async () => {
      expect(await run(programs.rendezvous)).toEqual([0, 1]);
    });

    test("values are copied at the send", async () => {
      expect(await run(programs.copies)).toEqual({ list: [1], date: 0, map: 1, cycle: true, other: true });
    });

    test("what cannot be copied is not sent", async () => {
      expect(await run(programs.uncloneable)).toEqual([["CloneError", "CloneError", "CloneError"], 0]);
    });

    test("channels, locks and counters travel by reference, deep inside", async () => {
      expect(await run(programs.requestReply, 3)).toEqual([[0, true, 2, true, 4, true], 3]);
    });

    test("channels in channels in channels", async () => {
      expect(await run(programs.nested, 20)).toEqual([true, 20, true]);
    });
  });

  test("handles travel, and are joined by several", async () => {
    const sum = Array.from({ length: 20 }, (_, i) => i * i).reduce((a, b) => a + b);
    expect(await runtime().run(programs.handles, 20)).toEqual([2 * sum, sum]);
  });

  test("closing wakes all receivers and all senders", async () => {
    expect(await runtime().run(programs.closeWakesAll, "receivers", 20)).toEqual(["[null,false]"]);
    expect(await runtime().run(programs.closeWakesAll, "senders", 20)).toEqual(['"send on closed channel"']);
  });

  test("one of several closers succeeds", async () => {
    const outcomes = await runtime().run(programs.oneCloses, 10);
    expect(outcomes).toEqual([...Array.from({ length: 9 }, () => "close of closed channel"), "closed"]);
  });

  test.each(KINDS)("the host at both ends, a %s body between", async (kind) => {
    expect(await runtime().enter(() => programs.withHost(kind, 100))).toBe(true);
  });
});
