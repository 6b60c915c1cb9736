/** What becomes of a value that is sent: copied, refused before anything is queued, or passed on by reference. */

import { describe, expect, test } from "vitest";
import { CloneError } from "../../src/base/errors.ts";
import { chan } from "../../src/channel/channel.ts";
import type { Chan } from "../../src/channel/types.ts";
import { go, spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import { body, singleMachine } from "../support/single-machine.ts";

describe("values", () => {
  test("are copied when they are sent, parked or not", async () => {
    const { run } = singleMachine();
    const sender = body(function* (ch: Chan<{ n: number }>) {
      const value = { n: 1 };
      const sending = ch.send(value);
      value.n = 2;
      const step = (sending as unknown as Iterator<unknown>).next();
      value.n = 3;
      expect(step.done).toBe(false);
      yield step.value as never;
      (sending as unknown as Iterator<unknown>).next();
      ch.trySend(value);
    });
    const main = body(function* () {
      const ch = chan<{ n: number }>();
      go(sender as never, ch);
      yield* gosched();
      return yield* ch.recv();
    });
    expect(await run(main)).toEqual({ n: 2 });
  });

  test.each([
    ["a number", 1.5],
    ["NaN", Number.NaN],
    ["minus zero", -0],
    ["a short text", "abc"],
    ["a long text", "x".repeat(500)],
    ["null", null],
    ["a bigint", 2n ** 80n],
    ["an object", { a: [1, { b: new Date(5) }], m: new Map([[1, 2]]) }],
    ["bytes", new Uint8Array([1, 2, 3])],
  ])(
    "%s arrives through a buffer, from a sender that waits and at a receiver that waits",
    async (_name, value) => {
      const { run, machine } = singleMachine();
      const sender = body(function* (ch: Chan<unknown>, v: unknown) {
        yield* ch.send(v);
      });
      const receiver = body(function* (ch: Chan<unknown>) {
        return yield* ch.recv();
      });
      const main = body(function* (v: unknown) {
        const ch = chan<unknown>();
        const buffered = chan<unknown>(1);
        yield* buffered.send(v);
        go(sender, ch, v);
        yield* gosched();
        const first = yield* ch.recv();
        const handle = spawn(receiver, ch);
        yield* gosched();
        yield* ch.send(v);
        return [yield* buffered.recv(), first, yield* handle];
      });
      expect(await run(main, value)).toEqual([value, value, value]);
      expect(machine.slab.census().blocks).toBeLessThanOrEqual(1);
    },
  );

  test("what cannot be copied is refused with its path before anything is queued", async () => {
    const { run, machine } = singleMachine();
    const main = body(function* () {
      const results: unknown[] = [];
      for (const ch of [chan<unknown>(1), chan<unknown>()]) {
        for (const attempt of [
          () => ch.send({ a: [() => {}] }),
          () => ch.send({ list: ["x".repeat(100), Symbol("s")] }),
        ]) {
          try {
            yield* attempt();
          } catch (error) {
            expect(error).toBeInstanceOf(CloneError);
            results.push((error as Error).message.split(":")[0]);
          }
        }
        results.push(ch.length);
      }
      expect(() => chan(1).trySend((() => {}) as never)).toThrow(CloneError);
      yield* gosched();
      return results;
    });
    expect(await run(main)).toEqual(["value.a[0]", "value.list[1]", 0, "value.a[0]", "value.list[1]", 0]);
    expect(machine.slab.census().blocks).toBe(2);
  });

  test("what a getter throws comes out of the send, also when that would have parked", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const ch = chan<object>();
      let thrown: unknown = "nothing";
      try {
        yield* ch.send({
          get bad(): number {
            throw undefined;
          },
        });
      } catch (error) {
        thrown = error;
      }
      return [thrown, ch.tryRecv()];
    });
    expect(await run(main)).toEqual([undefined, undefined]);
  });

  test("a getter may use other channels", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const other = chan<string>(4);
      const ch = chan<object>(1);
      yield* ch.send({
        get a() {
          other.trySend("a long text from the getter, beyond eight letters");
          return other.tryRecv()?.[0];
        },
      });
      return yield* ch.recv();
    });
    expect(await run(main)).toEqual({ a: "a long text from the getter, beyond eight letters" });
  });

  test("channels travel through channels, nested, and are the same object here", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const inner = chan<number>(1);
      const outer = chan<{ list: Chan<number>[] }>(1);
      yield* outer.send({ list: [inner, inner] });
      const got = (yield* outer.recv()) as { list: Chan<number>[] };
      yield* got.list[0].send(7);
      return [got.list[0] === inner, got.list[1] === inner, yield* inner.recv()];
    });
    expect(await run(main)).toEqual([true, true, 7]);
  });

  test("a channel goes through itself", async () => {
    const { run } = singleMachine();
    const main = body(function* () {
      const ch = chan<unknown>(1);
      yield* ch.send(ch);
      return (yield* ch.recv()) === ch;
    });
    expect(await run(main)).toBe(true);
  });
});
