/** Select: who is picked, what the others keep, and what is left behind. */

import { describe, expect, test } from "vitest";
import { CloneError, ClosedChannelError, MisuseError } from "../../src/base/errors.ts";
import { chan } from "../../src/channel/channel.ts";
import { select, trySelect } from "../../src/channel/select.ts";
import type { Chan, SelectCase } from "../../src/channel/types.ts";
import { C_RECEIVERS, C_SENDERS } from "../../src/memory/layout.ts";
import { go, spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import { body, singleMachine } from "../support/single-machine.ts";

/** A channel with these values in its buffer. */
function holding<T>(...values: T[]): Chan<T> {
  const ch = chan<T>(values.length);
  for (const value of values) ch.trySend(value);
  return ch;
}

/** Whether nobody stands in a queue of the channel. */
function hasNoWaiters(ch: Chan<unknown>): boolean {
  const { port, base } = ch as unknown as { port: { i32: Int32Array }; base: number };
  return port.i32[base + C_RECEIVERS] === 0 && port.i32[base + C_SENDERS] === 0;
}

/** Takes what a channel holds. */
const drain = (ch: Chan<unknown>): unknown[] => {
  const values: unknown[] = [];
  for (let got = ch.tryRecv(); got?.[1]; got = ch.tryRecv()) values.push(got[0]);
  return values;
};

const sender = body(function* (ch: Chan<unknown>, value: unknown) {
  yield* ch.send(value);
});
const receiver = body(function* (ch: Chan<unknown>) {
  return yield* ch.recv();
});

describe("a select that need not wait", () => {
  test("gives what the operation alone would give", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const empty = chan<number>();
      const closed = chan<number>();
      closed.close();
      const room = chan<number>(1);
      return [
        yield* select(holding(1).recv()),
        yield* select(empty.recv(), holding(2).recv()),
        yield* select(empty.recv(), holding(3).recvOk()),
        yield* select(closed.recv(), empty.recv()),
        yield* select(empty.recvOk(), closed.recvOk()),
        yield* select(empty.send(1), room.send(4)),
        drain(room),
      ];
    });
    expect(await run(main)).toEqual([
      { index: 0, value: 1 },
      { index: 1, value: 2 },
      { index: 1, value: [3, true] },
      { index: 0, value: undefined },
      { index: 1, value: [undefined, false] },
      { index: 1, value: undefined },
      [4],
    ]);
  });

  test("takes from one channel only", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const channels = [holding(0, 1, 2), holding(10, 11, 12), holding(20, 21, 22)];
      const seen: unknown[] = [];
      for (let i = 0; i < 9; i++) {
        const { value } = yield* select(...channels.map((ch) => (ch.length > 0 ? ch.recv() : undefined)));
        seen.push(value);
      }
      return [seen.length, seen.toSorted(), channels.map((ch) => ch.length)];
    });
    expect(await run(main)).toEqual([9, [0, 1, 2, 10, 11, 12, 20, 21, 22].toSorted(), [0, 0, 0]]);
  });

  test("picks evenly: within 2.5 points over 10,000 trials, whatever stands beside the ready ones", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const ready = [holding(1), holding(1), holding(1)];
      const idle = chan<number>();
      const counts = [0, 0, 0, 0, 0, 0];
      for (let i = 0; i < 10_000; i++) {
        const [a, b, c] = ready as [Chan<number>, Chan<number>, Chan<number>];
        const { index, value } = yield* select(
          a.recv(),
          idle.recv(),
          undefined,
          b.recv(),
          idle.send(1),
          c.recv(),
        );
        counts[index]++;
        yield* (ready[[0, 0, 0, 1, 0, 2][index] as number] as Chan<number>).send(value as number);
      }
      return counts;
    });
    const counts = (await run(main)) as number[];
    expect([counts[1], counts[2], counts[4]]).toEqual([0, 0, 0]);
    for (const place of [0, 3, 5])
      expect(Math.abs((counts[place] as number) / 10_000 - 1 / 3)).toBeLessThan(0.025);
  });

  test("picks evenly between the same channel's receive and send, and among copied values", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const ch = chan<string>(2);
      ch.trySend("held");
      const counts = [0, 0, 0];
      for (let i = 0; i < 10_000; i++) {
        const { index } = yield* select(ch.recv(), ch.send("one"), ch.send("two"));
        counts[index]++;
        if (index === 0) ch.trySend("held");
        else ch.tryRecv();
      }
      return counts;
    });
    for (const count of (await run(main)) as number[])
      expect(Math.abs(count / 10_000 - 1 / 3)).toBeLessThan(0.025);
  });
});

describe("falsy cases", () => {
  test("never fire", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const results: unknown[] = [];
      for (const dead of [undefined, null, false] as const) {
        results.push(trySelect(dead), yield* select(dead, holding(1).recv(), dead));
      }
      results.push(trySelect());
      return results;
    });
    const picked = { index: 1, value: 1 };
    expect(await run(main)).toEqual([undefined, picked, undefined, picked, undefined, picked, undefined]);
  });

  test("what is no case is refused by its place", () => {
    singleMachine();
    const ch = chan<number>();
    expect(() => select(ch.recv(), 0 as never)).toThrow(
      new TypeError(
        "select: cases[1] must be a channel's send(…), recv() or recvOk(), or undefined, null or false; not number 0",
      ),
    );
    expect(() => select({} as never)).toThrow(/select: cases\[0\] .*not an object/);
    expect(() => select(ch as never)).toThrow(TypeError);
    expect(() => trySelect(undefined, "x" as never)).toThrow(/trySelect: cases\[1\] .*not string x/);
  });

  test("an operation cannot be a case twice, or after it was used", async () => {
    const { run } = singleMachine();
    const ch = chan<number>(3);
    const op = ch.send(1);
    expect(() => select(op, op)).toThrow(MisuseError);
    const used = ch.send(1);
    await run(
      body(function* () {
        yield* used;
      }),
    );
    expect(() => trySelect(used)).toThrow(MisuseError);
    expect(() => trySelect(ch.send(1), 5 as never)).toThrow(TypeError);
    expect(ch.length).toBe(1);
  });
});

describe("trySelect", () => {
  test("goes through, or gives nothing", () => {
    singleMachine();
    const ch = chan<number>(1);
    const other = chan<string>();
    expect(trySelect(ch.recv())).toBeUndefined();
    expect(trySelect(ch.recv(), other.recv(), other.send("text"))).toBeUndefined();
    expect(trySelect(ch.send(1))).toEqual({ index: 0, value: undefined });
    expect(trySelect(ch.send(2))).toBeUndefined();
    expect(trySelect(other.send("text"), ch.recvOk())).toEqual({ index: 1, value: [1, true] });
    expect([hasNoWaiters(ch), hasNoWaiters(other)]).toEqual([true, true]);
  });

  test("finds those who wait", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const ch = chan<unknown>();
      const other = chan<unknown>();
      go(sender, ch, "from a sender that waits");
      const handle = spawn(receiver, other);
      yield* gosched();
      return [
        trySelect(ch.recv(), undefined),
        trySelect(ch.recv(), other.send({ to: "a receiver that waits" })),
        yield* handle,
        trySelect(ch.recv(), other.send(1)),
      ];
    });
    expect(await run(main)).toEqual([
      { index: 0, value: "from a sender that waits" },
      { index: 1, value: undefined },
      { to: "a receiver that waits" },
      undefined,
    ]);
  });
});

describe("a select that waits", () => {
  test("is served by a send, a receive or a close, and leaves every queue", async () => {
    const { run, machine } = singleMachine();
    const waiting = body(function* (a: Chan<string>, b: Chan<string>, c: Chan<string>) {
      return yield* select(a.recv(), b.send("a text from the select"), c.recvOk());
    });
    const main = body(function* () {
      const channels = [chan<string>(), chan<string>(), chan<string>()] as const;
      const [a, b, c] = channels;
      const results: unknown[] = [];
      for (const serve of [
        () => a.send("sent to it"),
        () => b.recv(),
        () => c.send("third"),
        () => {
          c.close();
          return undefined;
        },
      ]) {
        const handle = spawn(waiting, a, b, c);
        yield* gosched();
        const op = serve();
        if (op !== undefined) results.push(yield* op);
        results.push(yield* handle, channels.every(hasNoWaiters));
      }
      return results;
    });
    expect(await run(main)).toEqual([
      undefined,
      { index: 0, value: "sent to it" },
      true,
      "a text from the select",
      { index: 1, value: undefined },
      true,
      undefined,
      { index: 2, value: ["third", true] },
      true,
      { index: 2, value: [undefined, false] },
      true,
    ]);
    expect(machine.slab.census().blocks).toBe(0);
  });

  test("with a send on a channel that is closed throws, and nothing stays", async () => {
    const { run, machine } = singleMachine();
    const waiting = body(function* (a: Chan<string>, b: Chan<string>) {
      try {
        return yield* select(a.recv(), b.send("lost"), b.send("a longer text that is lost as well"));
      } catch (error) {
        return [error instanceof ClosedChannelError, (error as Error).message];
      }
    });
    const main = body(function* () {
      const a = chan<string>();
      const b = chan<string>();
      const handle = spawn(waiting, a, b);
      yield* gosched();
      b.close();
      const parked = yield* handle;
      const direct = yield* spawn(waiting, a, b);
      return [parked, direct, hasNoWaiters(a), hasNoWaiters(b)];
    });
    const closed = [true, "send on closed channel"];
    expect(await run(main)).toEqual([closed, closed, true, true]);
    expect(machine.slab.census().blocks).toBe(0);
  });

  test("can have the same channel in many cases, to send and to receive", async () => {
    const { run } = singleMachine();
    const waiting = body(function* (ch: Chan<number>, n: number) {
      return (yield* select(ch.recv(), ch.send(n), ch.recv(), ch.send(n + 1))).index % 2;
    });
    const main = body(function* () {
      const ch = chan<number>();
      // Two such selects serve each other.
      const handles = Array.from({ length: 10 }, (_, i) => spawn(waiting, ch, i * 10));
      const sides = [0, 0];
      for (const handle of handles) sides[(yield* handle) as number]++;
      return [sides, hasNoWaiters(ch)];
    });
    expect(await run(main)).toEqual([[5, 5], true]);
  });

  test("does not serve itself", async () => {
    const { run, settle } = singleMachine();
    let picked: unknown = "nothing";
    const waiting = body(function* (ch: Chan<number>) {
      picked = yield* select(ch.recv(), ch.send(1));
    });
    const ch = chan<number>();
    await run(
      body(function* () {
        go(waiting, ch);
        yield* gosched();
        yield* gosched();
      }),
    );
    expect(picked).toBe("nothing");
    expect(ch.trySend(5)).toBe(true);
    await settle();
    expect(picked).toEqual({ index: 0, value: 5 });
  });

  test("moves a value into the room that a receive makes", async () => {
    const { run } = singleMachine();
    const waiting = body(function* (ch: Chan<string>, other: Chan<string>) {
      return yield* select(other.recv(), ch.send("two"));
    });
    const main = body(function* () {
      const ch = chan<string>(1);
      const other = chan<string>();
      yield* ch.send("one");
      const handle = spawn(waiting, ch, other);
      yield* gosched();
      return [yield* ch.recv(), yield* handle, ch.length, yield* ch.recv(), hasNoWaiters(other)];
    });
    expect(await run(main)).toEqual(["one", { index: 1, value: undefined }, 1, "two", true]);
  });

  test("with no live case waits for ever", async () => {
    const { run, settle } = singleMachine();
    let passed = false;
    const stuck = body(function* (...dead: SelectCase[]) {
      yield* select(...dead);
      passed = true;
    });
    await run(
      body(function* () {
        go(stuck);
        go(stuck, undefined, false, null);
        yield* gosched();
      }),
    );
    await settle();
    expect(passed).toBe(false);
  });

  test("works in async bodies, several at a time", async () => {
    const { run } = singleMachine();
    const main = body(async () => {
      const a = chan<number>();
      const b = chan<number>();
      const done = chan<number>();
      const both = Promise.all([select(a.recv(), done.recv()), select(b.recv(), done.recv())]);
      await gosched();
      b.trySend(1);
      done.close();
      return [await both, hasNoWaiters(a), hasNoWaiters(b), hasNoWaiters(done)];
    });
    expect(await run(main)).toEqual([
      [
        { index: 1, value: undefined },
        { index: 0, value: 1 },
      ],
      true,
      true,
      true,
    ]);
  });

  test("has the outcome at once with block() when it need not wait", async () => {
    const { run } = singleMachine();
    const main = body(() => select(chan<number>().recv(), holding(3).recv()).block());
    expect(await run(main)).toEqual({ index: 1, value: 3 });
  });
});

describe("values to be sent", () => {
  test("are copied once, in source order, before anything else", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const order: number[] = [];
      const value = (n: number) => ({
        get n() {
          order.push(n);
          return n;
        },
      });
      const full = chan<object>();
      const room = chan<object>(2);
      yield* select(full.send(value(1)), room.send(value(2)), full.send(value(3)));
      const handle = spawn(receiver, full as Chan<unknown>);
      yield* gosched();
      const { index } = yield* select(full.send(value(4)), undefined, full.send(value(5)));
      return [
        order,
        index === 0 || index === 2,
        ((yield* handle) as { n: number }).n === 4 + index / 2,
        room.length,
      ];
    });
    expect(await run(main)).toEqual([[1, 2, 3, 4, 5], true, true, 1]);
  });

  test("that cannot be copied refuse the whole select, and the copies are dropped", async () => {
    const { run, machine } = singleMachine();
    const main = body(function* () {
      const messages: string[] = [];
      const full = chan<unknown>();
      const room = chan<unknown>(5);
      for (const make of [() => [full, full], () => [room, room]] as const) {
        const [a, b] = make() as [Chan<unknown>, Chan<unknown>];
        try {
          yield* select(a.send("a text that takes a block"), b.send({ x: () => {} }));
        } catch (error) {
          messages.push(`${error instanceof CloneError} ${(error as Error).message.split(":")[0]}`);
        }
        expect(() => trySelect(a.send("a text that takes a block"), b.send({ x: () => {} }))).toThrow(
          CloneError,
        );
      }
      return [messages, room.length, hasNoWaiters(full)];
    });
    expect(await run(main)).toEqual([["true value.x", "true value.x"], 0, true]);
    expect(machine.slab.census().blocks).toBe(1);
  });

  test("are dropped when another case is picked", async () => {
    const { run, machine } = singleMachine();
    const main = body(function* () {
      const full = chan<unknown>();
      for (let i = 0; i < 100; i++)
        yield* select(full.send({ text: "x".repeat(200) }), holding(1).recv(), full.send("y".repeat(200)));
      for (let i = 0; i < 100; i++) trySelect(full.send({ text: "x".repeat(200) }), full.recv());
    });
    await run(main);
    // What is left are the buffers of channels that have not been collected.
    expect(machine.slab.census().bytes).toBe(100 * 64);
  });
});

describe("many selects", () => {
  test("100,000 four-way selects with no loss and no duplicate", async () => {
    const { run } = singleMachine();
    const EACH = 25_000;
    const feeding = body(function* (ch: Chan<number>, first: number) {
      for (let i = 0; i < EACH; i++) yield* ch.send(first + i);
    });
    const main = body(function* () {
      const channels = [chan<number>(), chan<number>(1), chan<number>(7), chan<number>()];
      channels.forEach((ch, i) => go(feeding, ch, i * EACH));
      const [a, b, c, d] = channels as [Chan<number>, Chan<number>, Chan<number>, Chan<number>];
      const next = [0, EACH, 2 * EACH, 3 * EACH];
      for (let i = 0; i < 4 * EACH; i++) {
        const { index, value } = yield* select(a.recv(), b.recv(), c.recv(), d.recv());
        if (value !== next[index]++) throw new Error(`case ${index} gave ${value}`);
      }
      return [next, channels.map(hasNoWaiters)];
    });
    expect(await run(main)).toEqual([
      [EACH, 2 * EACH, 3 * EACH, 4 * EACH],
      [true, true, true, true],
    ]);
  });
});
