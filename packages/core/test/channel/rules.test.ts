/** What channels do when they are empty, full and closed: Go's table of who goes on, who parks and who panics. */

import { describe, expect, test } from "vitest";
import { ClosedChannelError } from "../../src/base/errors.ts";
import { chan, MAX_CAPACITY } from "../../src/channel/channel.ts";
import { range } from "../../src/channel/range.ts";
import type { Chan, Received } from "../../src/channel/types.ts";
import { isGenerator } from "../../src/goroutine/functions.ts";
import { go, numGoroutine, spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { body, singleMachine } from "../support/single-machine.ts";

/** A generator body, or a function that does it at once. */
type Step = (ch: Chan<number>) => unknown;

/** A channel with `held` values in it, closed or not. */
const prepared = (capacity: number, held: number, closed: boolean): Chan<number> => {
  const ch = chan<number>(capacity);
  for (let i = 1; i <= held; i++) ch.trySend(i);
  if (closed) ch.close();
  return ch;
};

/** What a step does: its outcome, the error it throws, or "parks". */
async function outcome(make: () => Chan<number>, step: Step): Promise<unknown> {
  const { run } = singleMachine();
  let ended: unknown = "parks";
  const stepping = body(function* (ch: Chan<number>) {
    try {
      const result = step(ch);
      ended = isGenerator(result) ? yield* result as Goroutine<unknown> : result;
    } catch (error) {
      ended = `${(error as Error).name}: ${(error as Error).message}`;
    }
  });
  const main = body(function* () {
    go(stepping, make());
    yield* gosched();
    yield* gosched();
  });
  await run(main);
  return ended;
}

const send: Step = function* (ch) {
  yield* ch.send(9);
  return "sent";
};
const recv: Step = function* (ch) {
  return yield* ch.recv();
};
const recvOk: Step = function* (ch) {
  return yield* ch.recvOk();
};
const tryRecv: Step = function tryRecv(ch) {
  return ch.tryRecv();
};
const trySend: Step = function trySend(ch) {
  return ch.trySend(9);
};
const close: Step = function close(ch) {
  ch.close();
  return "closed";
};
const ranging: Step = function* (ch) {
  const seen: number[] = [];
  yield* range(ch, (value) => void seen.push(value));
  return seen;
};

const SEND_CLOSED = "ClosedChannelError: send on closed channel";
const CLOSE_CLOSED = "ClosedChannelError: close of closed channel";

describe("one step on a channel that nobody else uses", () => {
  const table: [string, () => Chan<number>, [Step, unknown][]][] = [
    [
      "unbuffered and open",
      () => prepared(0, 0, false),
      [
        [send, "parks"],
        [recv, "parks"],
        [recvOk, "parks"],
        [tryRecv, undefined],
        [trySend, false],
        [close, "closed"],
        [ranging, "parks"],
      ],
    ],
    [
      "unbuffered and closed",
      () => prepared(0, 0, true),
      [
        [send, SEND_CLOSED],
        [recv, undefined],
        [recvOk, [undefined, false]],
        [tryRecv, [undefined, false]],
        [trySend, SEND_CLOSED],
        [close, CLOSE_CLOSED],
        [ranging, []],
      ],
    ],
    [
      "empty",
      () => prepared(2, 0, false),
      [
        [send, "sent"],
        [recv, "parks"],
        [recvOk, "parks"],
        [tryRecv, undefined],
        [trySend, true],
        [close, "closed"],
        [ranging, "parks"],
      ],
    ],
    [
      "half full",
      () => prepared(2, 1, false),
      [
        [send, "sent"],
        [recv, 1],
        [recvOk, [1, true]],
        [tryRecv, [1, true]],
        [trySend, true],
        [close, "closed"],
        [ranging, "parks"],
      ],
    ],
    [
      "full",
      () => prepared(2, 2, false),
      [
        [send, "parks"],
        [recv, 1],
        [recvOk, [1, true]],
        [tryRecv, [1, true]],
        [trySend, false],
        [close, "closed"],
        [ranging, "parks"],
      ],
    ],
    [
      "closed and empty",
      () => prepared(2, 0, true),
      [
        [send, SEND_CLOSED],
        [recv, undefined],
        [recvOk, [undefined, false]],
        [tryRecv, [undefined, false]],
        [trySend, SEND_CLOSED],
        [close, CLOSE_CLOSED],
        [ranging, []],
      ],
    ],
    [
      "closed with values left",
      () => prepared(2, 2, true),
      [
        [send, SEND_CLOSED],
        [recv, 1],
        [recvOk, [1, true]],
        [tryRecv, [1, true]],
        [trySend, SEND_CLOSED],
        [close, CLOSE_CLOSED],
        [ranging, [1, 2]],
      ],
    ],
  ];
  for (const [state, make, steps] of table) {
    test(state, async () => {
      for (const [step, expected] of steps) {
        expect([step.name, await outcome(make, step)]).toEqual([step.name, expected]);
      }
    });
  }

  test("a value that is undefined is told from a closed channel", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const ch = chan<undefined>(2);
      yield* ch.send(undefined);
      ch.close();
      return [yield* ch.recvOk(), yield* ch.recvOk()];
    });
    expect(await run(main)).toEqual([
      [undefined, true],
      [undefined, false],
    ]);
  });
});

describe("chan", () => {
  test("a capacity out of range names argument, value and bounds", () => {
    singleMachine();
    for (const bad of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, MAX_CAPACITY + 1]) {
      expect(() => chan(bad)).toThrow(
        new RangeError(
          `makechan: size out of range: capacity must be an integer from 0 to ${MAX_CAPACITY}, not ${bad}`,
        ),
      );
    }
    expect(() => chan("5" as never)).toThrow(
      'makechan: size out of range: capacity must be an integer from 0 to 16777216, not "5"',
    );
    expect(() => chan(null as never)).toThrow(RangeError);
  });

  test("length and capacity", () => {
    singleMachine();
    const ch = chan<number>(3);
    ch.trySend(1);
    ch.trySend(2);
    expect([ch.length, ch.capacity, chan().length, chan().capacity]).toEqual([2, 3, 0, 0]);
  });

  test("a large buffer holds what it says", () => {
    singleMachine();
    const ch = chan<number>(1_000_000);
    let sent = 0;
    while (ch.trySend(sent)) sent++;
    expect(sent).toBe(1_000_000);
    for (let i = 0; i < sent; i++)
      if ((ch.tryRecv() as Received<number>)[0] !== i) throw new Error(`at ${i}`);
  });
});

describe("first in, first out", () => {
  test("among values, around the end of the buffer", () => {
    singleMachine();
    const ch = chan<number>(3);
    let sent = 0;
    let received = 0;
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i <= round % 3; i++) ch.trySend(sent++);
      while (ch.length > 0) expect(ch.tryRecv()).toEqual([received++, true]);
    }
    expect(received).toBe(sent);
  });

  test.each([0, 1, 2])("among senders that wait, capacity %i", async (capacity) => {
    const { run } = singleMachine();
    const sender = body(function* (ch: Chan<number>, value: number) {
      yield* ch.send(value);
    });
    const main = body(function* () {
      const ch = chan<number>(capacity);
      for (let i = 0; i < 6; i++) {
        go(sender, ch, i);
        yield* gosched();
      }
      const seen: number[] = [];
      for (let i = 0; i < 6; i++) seen.push((yield* ch.recv()) as number);
      return seen;
    });
    expect(await run(main)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("among receivers that wait", async () => {
    const { run } = singleMachine();
    const got: [number, number][] = [];
    const receiver = body(function* (ch: Chan<number>, place: number) {
      got.push([place, (yield* ch.recv()) as number]);
    });
    const main = body(function* () {
      const ch = chan<number>();
      for (let i = 0; i < 5; i++) {
        go(receiver, ch, i);
        yield* gosched();
      }
      for (let i = 0; i < 5; i++) yield* ch.send(i);
      while (got.length < 5) yield* gosched();
    });
    await run(main);
    expect(got.sort()).toEqual([0, 1, 2, 3, 4].map((i) => [i, i]));
  });

  test("a receive from a full buffer takes the head and moves the waiting sender's value in", async () => {
    const { run } = singleMachine();
    const sender = body(function* (ch: Chan<number>) {
      yield* ch.send(3);
    });
    const main = body(function* () {
      const ch = chan<number>(2);
      yield* ch.send(1);
      yield* ch.send(2);
      go(sender, ch);
      yield* gosched();
      const first = yield* ch.recv();
      return [first, ch.length, yield* ch.recv(), yield* ch.recv()];
    });
    expect(await run(main)).toEqual([1, 2, 2, 3]);
  });
});

describe("close", () => {
  test("wakes every receiver with nothing", async () => {
    const { run } = singleMachine();
    const receiver = body(function* (ch: Chan<number>) {
      return yield* ch.recvOk();
    });
    const main = body(function* () {
      const ch = chan<number>();
      const handles = Array.from({ length: 10 }, () => spawn(receiver, ch));
      yield* gosched();
      ch.close();
      const results: unknown[] = [];
      for (const handle of handles) results.push(yield* handle);
      return results;
    });
    expect(await run(main)).toEqual(Array.from({ length: 10 }, () => [undefined, false]));
  });

  test.each([0, 1])(
    "wakes every sender with an error, and their values are gone, capacity %i",
    async (capacity) => {
      const { run, machine } = singleMachine();
      const sender = body(function* (ch: Chan<object>) {
        try {
          yield* ch.send({ text: "x".repeat(1000) });
          return "sent";
        } catch (error) {
          return error instanceof ClosedChannelError ? error.message : error;
        }
      });
      const main = body(function* () {
        const ch = chan<object>(capacity);
        const handles = Array.from({ length: 5 }, () => spawn(sender, ch));
        yield* gosched();
        ch.close();
        const results: unknown[] = [];
        for (const handle of handles) results.push(yield* handle);
        while (ch.tryRecv()?.[1]) results.push("left");
        return results;
      });
      const sent = capacity === 0 ? [] : ["sent"];
      const failed = Array.from({ length: 5 - sent.length }, () => "send on closed channel");
      expect(await run(main)).toEqual([...sent, ...failed, ...sent.map(() => "left")]);
      expect(machine.slab.census().bytes).toBeLessThanOrEqual(64);
    },
  );

  test("wakes 5000 receivers", async () => {
    const { run } = singleMachine();
    const receiver = body(function* (ch: Chan<number>) {
      yield* ch.recv();
    });
    const main = body(function* () {
      const ch = chan<number>();
      for (let i = 0; i < 5000; i++) go(receiver, ch);
      yield* gosched();
      ch.close();
      while (numGoroutine() > 1) yield* gosched();
      return "all gone";
    });
    expect(await run(main)).toBe("all gone");
  });
});
