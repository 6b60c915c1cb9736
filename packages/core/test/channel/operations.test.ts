/** How operations on channels are used: `yield*`, `await`, `for await`, `block()`, `range`. */

import { describe, expect, test } from "vitest";
import { MisuseError } from "../../src/base/errors.ts";
import { chan } from "../../src/channel/channel.ts";
import { range } from "../../src/channel/range.ts";
import type { Chan } from "../../src/channel/types.ts";
import { go } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import { body, singleMachine } from "../support/single-machine.ts";

describe("operations", () => {
  test("do nothing until they are used", () => {
    singleMachine();
    const ch = chan<number>(1);
    ch.send(1);
    ch.recv();
    expect(ch.length).toBe(0);
  });

  test("are used once", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const ch = chan<number>(2);
      const op = ch.send(1);
      yield* op;
      try {
        yield* op;
      } catch (error) {
        return [error instanceof MisuseError, ch.length];
      }
      return "not refused";
    });
    expect(await run(main)).toEqual([true, 1]);
  });

  test("can be awaited in async bodies, several at a time", async () => {
    const { run } = singleMachine();
    const sender = body(function* (ch: Chan<number>) {
      for (let i = 1; i <= 3; i++) yield* ch.send(i);
      ch.close();
    });
    const main = body(async () => {
      const ch = chan<number>();
      const results = Promise.all([ch.recv(), ch.recvOk(), ch.recv(), ch.recv(), ch.recvOk()]);
      go(sender, ch);
      return results;
    });
    expect(await run(main)).toEqual([1, [2, true], 3, undefined, [undefined, false]]);
  });

  test("`for await` ends when the channel is closed and drained", async () => {
    const { run } = singleMachine();
    const sender = body(function* (ch: Chan<number>) {
      for (let i = 1; i <= 5; i++) yield* ch.send(i);
      ch.close();
    });
    const main = body(async () => {
      const ch = chan<number>(2);
      go(sender, ch);
      const seen: number[] = [];
      for await (const value of ch) seen.push(value);
      return seen;
    });
    expect(await run(main)).toEqual([1, 2, 3, 4, 5]);
  });

  test("leaving `for await` leaves the channel open", async () => {
    const { run } = singleMachine();
    const main = body(async () => {
      const ch = chan<number>(2);
      ch.trySend(1);
      ch.trySend(2);
      for await (const value of ch) if (value === 1) break;
      return [await ch.recv(), ch.trySend(3)];
    });
    expect(await run(main)).toEqual([2, true]);
  });

  test("an awaited send is refused by close", async () => {
    const { run } = singleMachine();
    const main = body(async () => {
      const ch = chan<string>();
      const sending = ch.send("a long text, which needs a block of its own").then(
        () => "sent",
        (error: Error) => error.message,
      );
      ch.close();
      return sending;
    });
    expect(await run(main)).toBe("send on closed channel");
  });

  test("block() goes through when nobody need wait", async () => {
    const { run } = singleMachine();
    const main = body(() => {
      const ch = chan<number>(1);
      ch.send(4).block();
      return ch.recvOk().block();
    });
    expect(await run(main)).toEqual([4, true]);
  });
});

describe("range", () => {
  test("runs what the call returns before the next value", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const ch = chan<number>(3);
      const out = chan<number>(10);
      for (let i = 1; i <= 3; i++) yield* ch.send(i);
      ch.close();
      yield* range(ch, function* (value) {
        yield* out.send(value * 10);
        yield* gosched();
        yield* out.send(value * 10 + 1);
      });
      out.close();
      const seen: number[] = [];
      yield* range(out, (value) => void seen.push(value));
      return seen;
    });
    expect(await run(main)).toEqual([10, 11, 20, 21, 30, 31]);
  });

  test("an error in the call leaves the rest in the channel", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const ch = chan<number>(3);
      for (let i = 1; i <= 3; i++) yield* ch.send(i);
      try {
        yield* range(ch, () => {
          throw new Error("enough");
        });
      } catch (error) {
        return [(error as Error).message, ch.length];
      }
      return "not thrown";
    });
    expect(await run(main)).toEqual(["enough", 2]);
  });

  test("refuses what is no channel", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      yield* range({} as never, () => {});
    });
    await expect(run(main)).rejects.toThrow(
      new TypeError("range: the first argument must be a channel, not object"),
    );
  });
});
