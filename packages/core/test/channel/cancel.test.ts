/** A cancelled goroutine is out of every queue, and takes along what it wanted to send. */

import { describe, expect, test } from "vitest";
import { CanceledError } from "../../src/base/errors.ts";
import { chan } from "../../src/channel/channel.ts";
import { select } from "../../src/channel/select.ts";
import type { Chan } from "../../src/channel/types.ts";
import { C_RECEIVERS, C_SENDERS } from "../../src/memory/layout.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import { body, singleMachine } from "../support/single-machine.ts";

const LARGE = { text: "x".repeat(300) };

/** Waiters in both queues of a channel. */
function queues(ch: Chan<unknown>): number[] {
  const { port, base } = ch as unknown as { port: { i32: Int32Array }; base: number };
  return [port.i32[base + C_RECEIVERS] as number, port.i32[base + C_SENDERS] as number];
}

const waits = {
  "a receive": body(function* (ch: Chan<unknown>) {
    yield* ch.recv();
  }),
  "a send": body(function* (ch: Chan<unknown>) {
    yield* ch.send(LARGE);
  }),
  "a select": body(function* (ch: Chan<unknown>, other: Chan<unknown>) {
    yield* select(ch.send(LARGE), other.recv(), ch.recv(), other.send(LARGE));
  }),
  "an awaited send": body(async (ch: Chan<unknown>) => {
    await ch.send(LARGE);
  }),
  "an awaited select": body(async (ch: Chan<unknown>, other: Chan<unknown>) => {
    await select(ch.send(LARGE), other.recv());
  }),
};

describe("cancelled while it waits", () => {
  test.each(Object.entries(waits))("%s is in no queue, and its value is gone", async (_name, waiting) => {
    const { run, machine } = singleMachine();
    const channels: Chan<unknown>[] = [];
    const main = body(function* () {
      const ch = chan<unknown>();
      const other = chan<unknown>();
      channels.push(ch, other);
      const handle = spawn(waiting as never, ch as never, other as never);
      const waiters = () => [...queues(ch), ...queues(other)];
      while (waiters().every((waiter) => waiter === 0)) yield* gosched();
      handle.cancel();
      let error: unknown = "not cancelled";
      try {
        yield* handle;
      } catch (thrown) {
        error = thrown;
      }
      return [error instanceof CanceledError, queues(ch), queues(other), ch.tryRecv(), other.trySend(1)];
    });
    expect(await run(main)).toEqual([true, [0, 0], [0, 0], undefined, false]);
    expect(channels.length).toBe(2);
    expect(machine.slab.census().blocks).toBe(0);
  });

  test("those behind it keep their order", async () => {
    const { run } = singleMachine();
    const sender = body(function* (ch: Chan<number>, value: number) {
      yield* ch.send(value);
    });
    const main = body(function* () {
      const ch = chan<number>();
      const handles = [];
      for (let i = 0; i < 5; i++) {
        handles.push(spawn(sender, ch, i));
        yield* gosched();
      }
      for (const place of [0, 2, 4]) (handles[place] as { cancel(): void }).cancel();
      yield* gosched();
      yield* gosched();
      return [yield* ch.recv(), yield* ch.recv(), ch.tryRecv()];
    });
    expect(await run(main)).toEqual([1, 3, undefined]);
  });

  test("one that has been served keeps what it was given", async () => {
    const { run } = singleMachine();
    const receiver = body(function* (ch: Chan<number>) {
      return yield* ch.recv();
    });
    const main = body(function* () {
      const ch = chan<number>();
      const handle = spawn(receiver, ch);
      yield* gosched();
      ch.trySend(7);
      handle.cancel();
      return yield* handle;
    });
    expect(await run(main)).toBe(7);
  });
});
