/** Channels between real threads: machines, blocked ones among them, and the host. */

import {
  AtomicInt,
  CanceledError,
  type Chan,
  ClosedChannelError,
  chan,
  MisuseError,
  type Runtime,
  select,
  start,
  trySelect,
} from "heddle";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as bodies from "./channel-bodies.mjs";

let rt: Runtime;
beforeEach(async () => {
  rt = await start({ procs: 4 });
});
afterEach(() => rt.close({ graceMs: 0 }));

const EACH = 3000;
const numbers = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
const ascending = (a: number, b: number): number => a - b;

/** Waits until a counter has reached a value. */
async function until(counter: AtomicInt, value: number): Promise<void> {
  while (counter.load() < value) await new Promise((resolve) => setImmediate(resolve));
}

/** Checks that all values came once, and each producer's in order at each consumer. */
function expectAll(got: number[][], producers: number, each = EACH): void {
  expect(got.flat().toSorted(ascending)).toEqual(numbers(0, producers * each));
  for (const list of got) {
    for (let p = 0; p < producers; p++) {
      const its = list.filter((value) => Math.floor(value / each) === p);
      expect(its).toEqual(its.toSorted(ascending));
    }
  }
}

describe.each([0, 1, 64])("capacity %i", (capacity) => {
  test("producers and consumers of all kinds on all machines: nothing lost, nothing twice, in order", async () => {
    const ch = chan<number>(capacity);
    const kinds = [bodies.produce, bodies.produceAsync, bodies.produceBlocking, bodies.produce];
    const producing = kinds.map((kind, p) => rt.run(kind, ch, p * EACH, EACH));
    const consuming = [bodies.consume, bodies.consumeAsync, bodies.consumeBlocking, bodies.consume].map(
      (kind) => rt.run(kind, ch),
    );
    await Promise.all(producing);
    ch.close();
    expectAll((await Promise.all(consuming)) as number[][], 4);
  });

  test("the host is a party like any other", async () => {
    const ch = chan<number>(capacity);
    const back = chan<number>(capacity);
    const producing = rt.run(bodies.produce, ch, 0, EACH);
    const consuming = rt.run(bodies.consume, back);
    for (let i = 0; i < EACH; i++) await back.send((await ch.recv()) as number);
    await producing;
    back.close();
    expect(await consuming).toEqual(numbers(0, EACH));
  });
});

describe("the host", () => {
  test("receives with `for await` what machines send", async () => {
    const ch = chan<number>(8);
    const producing = Promise.all([0, 1, 2].map((p) => rt.run(bodies.produce, ch, p * EACH, EACH)));
    void producing.then(() => ch.close());
    const got: number[] = [];
    for await (const value of ch) got.push(value);
    expectAll([got], 3);
  });

  test("selects, and may not block", async () => {
    const a = chan<number>();
    const b = chan<number>();
    const producing = [rt.run(bodies.produce, a, 0, EACH), rt.run(bodies.produce, b, EACH, EACH)];
    const got: number[] = [];
    for (let i = 0; i < 2 * EACH; i++) got.push((await select(a.recv(), b.recv())).value as number);
    await Promise.all(producing);
    expectAll([got], 2);
    expect(trySelect(a.recv(), b.recv())).toBeUndefined();
    expect(() => a.recv().block()).toThrow(MisuseError);
    expect(() => select(a.recv(), b.recv()).block()).toThrow(MisuseError);
  });

  test("is woken by a close on a machine, and its sends fail", async () => {
    const ch = chan<string>();
    const sending = ch.send("never taken");
    const failing = expect(Promise.resolve(sending)).rejects.toThrow(
      new ClosedChannelError("send on closed channel"),
    );
    await new Promise((resolve) => setImmediate(resolve));
    ch.close();
    await failing;
    expect(await ch.recvOk()).toEqual([undefined, false]);
    expect(() => ch.close()).toThrow("close of closed channel");
  });
});

describe("select", () => {
  test("many selecting producers and consumers of all kinds", async () => {
    const a = chan<number>();
    const b = chan<number>(3);
    const producing = [0, 1, 2, 3].map((p) => rt.run(bodies.produceSelecting, a, b, p * EACH, EACH));
    const consuming = [bodies.consumeSelecting, bodies.consumeSelecting, bodies.consumeSelectingBlocking].map(
      (kind) => rt.run(kind, a, b),
    );
    const sent = (await Promise.all(producing)) as [number, number][];
    a.close();
    b.close();
    const got = (await Promise.all(consuming)) as number[][];
    expect(got.flat().toSorted(ascending)).toEqual(numbers(0, 4 * EACH));
    expect(sent.flat().reduce((sum, n) => sum + n)).toBe(4 * EACH);
  });

  test("on one channel, to send and to receive, on four machines", async () => {
    const ch = chan<number>();
    const running = [1, 2, 3, 4].map(() => rt.run(bodies.swap, ch, EACH));
    // Whoever is left over at the end has nobody to swap with.
    let ended = 0;
    const balances = Promise.all(
      running.map(async (one) => {
        const balance = (await one) as number;
        ended++;
        return balance;
      }),
    );
    let own = 0;
    while (ended < 4) {
      if (ch.tryRecv() !== undefined) own--;
      else if (ch.trySend(-1)) own++;
      else await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await balances).reduce((sum, n) => sum + n, own)).toBe(0);
  });

  test("polled while machines send", async () => {
    const ch = chan<number>(2);
    const polling = [rt.run(bodies.poll, ch), rt.run(bodies.poll, ch)];
    await Promise.all([rt.run(bodies.produce, ch, 0, EACH), rt.run(bodies.produce, ch, 0, EACH)]);
    ch.close();
    expect(((await Promise.all(polling)) as number[]).reduce((sum, n) => sum + n)).toBe(2 * EACH);
  });
});

describe("channels in values", () => {
  test("answer on the channel that came with the request", async () => {
    const requests = chan<{ n: number; reply: Chan<number> }>(2);
    const answering = [rt.run(bodies.answer, requests), rt.run(bodies.answer, requests)];
    const sums = (await Promise.all(
      [0, 1, 2].map((p) => rt.run(bodies.ask, requests, p * 500, 500)),
    )) as number[];
    const reply = chan<number>();
    await requests.send({ n: 12, reply });
    expect(await reply.recv()).toBe(144);
    requests.close();
    await Promise.all(answering);
    expect(sums.reduce((sum, n) => sum + n)).toBe(numbers(0, 1500).reduce((sum, n) => sum + n * n, 0));
  });

  test("are one and the same where they were before", async () => {
    const outer = chan<{ list: Chan<number>[] }>(1);
    const inner = chan<number>();
    await outer.send({ list: [inner] });
    expect((await outer.recv())?.list[0]).toBe(inner);
  });
});

describe("cancelled while waiting", () => {
  test.each([
    ["a receive", (ch: Chan<unknown>, state: AtomicInt) => rt.spawn(bodies.receiveOnce, ch, state)],
    [
      "a send",
      (ch: Chan<unknown>, state: AtomicInt) => rt.spawn(bodies.sendOnce, ch, { text: "not sent" }, state),
    ],
    ["a select", (ch: Chan<unknown>, state: AtomicInt) => rt.spawn(bodies.waitSelecting, ch, ch, state)],
  ])("%s has left the queue, and the channel works on", async (_name, begin) => {
    const ch = chan<unknown>();
    const state = new AtomicInt(0);
    const handle = begin(ch, state);
    await until(state, 1);
    handle.cancel();
    await expect(Promise.resolve(handle)).rejects.toThrow(CanceledError);
    expect([ch.tryRecv(), ch.trySend(1)]).toEqual([undefined, false]);
    const receiving = ch.recv().then((value) => value);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ch.trySend("still works")).toBe(true);
    expect(await receiving).toBe("still works");
  });

  test("against senders: what was received and what is left is what was sent", async () => {
    const ch = chan<number>(1);
    const state = new AtomicInt(0);
    let received = 0;
    for (let round = 0; round < 200; round++) {
      const handle = rt.spawn(bodies.receiveOnce, ch, state);
      const sending = rt.spawn(bodies.produce, ch, round, 1);
      if (round % 3 !== 0) await until(state, round % 2);
      handle.cancel();
      try {
        expect(await handle).toBe(round);
        received++;
      } catch (error) {
        expect(error).toBeInstanceOf(CanceledError);
      }
      await sending;
      if (ch.tryRecv() !== undefined) received++;
    }
    expect(received).toBe(200);
  });
});

test("100,000 goroutines parked on a channel are woken by one close", async () => {
  const ch = chan<number>();
  const woken = new AtomicInt(0);
  await rt.run(bodies.park, ch, 100_000, woken);
  while (rt.numGoroutine() < 100_000 || rt.stats().parks < 100_000)
    await new Promise((resolve) => setImmediate(resolve));
  ch.close();
  await until(woken, 100_000);
  expect(woken.load()).toBe(100_000);
});
