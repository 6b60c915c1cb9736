// Bodies for the thread tests of channels.

import { chan, go, goroutine, gosched, numGoroutine, range, select, spawn, trySelect } from "heddle";

export const produce = goroutine(import.meta, function* produce(ch, from, count) {
  for (let i = 0; i < count; i++) yield* ch.send(from + i);
  return count;
});

export const produceAsync = goroutine(import.meta, async function produceAsync(ch, from, count) {
  for (let i = 0; i < count; i++) await ch.send(from + i);
  return count;
});

export const produceBlocking = goroutine(import.meta, function produceBlocking(ch, from, count) {
  for (let i = 0; i < count; i++) ch.send(from + i).block();
  return count;
});

export const consume = goroutine(import.meta, function* consume(ch) {
  const got = [];
  yield* range(ch, (value) => void got.push(value));
  return got;
});

export const consumeAsync = goroutine(import.meta, async function consumeAsync(ch) {
  const got = [];
  for await (const value of ch) got.push(value);
  return got;
});

export const consumeBlocking = goroutine(import.meta, function consumeBlocking(ch) {
  const got = [];
  for (let next = ch.recvOk().block(); next[1]; next = ch.recvOk().block()) got.push(next[0]);
  return got;
});

/** Receives from all channels until each has been closed. */
export const consumeSelecting = goroutine(import.meta, function* consumeSelecting(...channels) {
  const got = [];
  const open = [...channels];
  while (open.some((ch) => ch !== undefined)) {
    const { index, value } = yield* select(...open.map((ch) => ch?.recvOk()));
    if (value[1]) got.push(value[0]);
    else open[index] = undefined;
  }
  return got;
});

export const consumeSelectingBlocking = goroutine(import.meta, function consumeSelectingBlocking(a, b) {
  const got = [];
  for (let open = 2; open > 0; ) {
    const { index, value } = select(a?.recvOk(), b?.recvOk()).block();
    if (value[1]) got.push(value[0]);
    else {
      open--;
      if (index === 0) a = undefined;
      else b = undefined;
    }
  }
  return got;
});

/** Sends every value on whichever channel takes it. */
export const produceSelecting = goroutine(import.meta, function* produceSelecting(a, b, from, count) {
  const sent = [0, 0];
  for (let i = 0; i < count; i++) sent[(yield* select(a.send(from + i), b.send(from + i))).index]++;
  return sent;
});

/** Sends on and receives from one channel, whichever goes: equally often in all. */
export const swap = goroutine(import.meta, function* swap(ch, count) {
  let balance = 0;
  for (let i = 0; i < count; i++) balance += (yield* select(ch.recv(), ch.send(i))).index === 0 ? -1 : 1;
  return balance;
});

/** Answers every request on the channel that comes with it. */
export const answer = goroutine(import.meta, function* answer(requests) {
  yield* range(requests, function* ({ n, reply }) {
    yield* reply.send(n * n);
  });
});

export const ask = goroutine(import.meta, function* ask(requests, from, count) {
  let sum = 0;
  for (let i = from; i < from + count; i++) {
    const reply = chan();
    yield* requests.send({ n: i, reply });
    sum += yield* reply.recv();
  }
  return sum;
});

/** Counts values of a channel that others fill, without ever waiting. */
export const poll = goroutine(import.meta, function* poll(ch) {
  let count = 0;
  for (;;) {
    const picked = trySelect(ch.recvOk());
    if (picked === undefined) yield* gosched();
    else if (picked.value[1]) count++;
    else return count;
  }
});

export const waitForEver = goroutine(import.meta, function* waitForEver(ch, woken) {
  const got = yield* ch.recvOk();
  woken.add(got[1] ? 1000 : 1);
});

export const park = goroutine(import.meta, function park(ch, count, woken) {
  for (let i = 0; i < count; i++) go(waitForEver, ch, woken);
});

export const waitSelecting = goroutine(import.meta, function* waitSelecting(a, b, state) {
  state.add(1);
  try {
    return yield* select(a.recv(), b.send("from a cancelled select"));
  } finally {
    state.add(100);
  }
});

export const receiveOnce = goroutine(import.meta, function* receiveOnce(ch, state) {
  state.add(1);
  return yield* ch.recv();
});

export const sendOnce = goroutine(import.meta, function* sendOnce(ch, value, state) {
  state.add(1);
  yield* ch.send(value);
  return "sent";
});

// ───────────────────────────── channels that come and go ─────────────────────────────

/** Makes channels in a loop that never gives the event loop a turn, and uses them in one of four ways. */
export const churn = goroutine(import.meta, function* churn(count, use) {
  for (let i = 0; i < count; i++) {
    const ch = chan(use === "made" ? 0 : 1);
    if (use === "sent") {
      yield* ch.send(i);
      yield* ch.recv();
    } else if (use === "left") {
      ch.trySend({ text: "left behind in the buffer", i });
    } else if (use === "travelled") {
      go(sendInto, ch, i);
      if ((yield* ch.recv()) !== i) throw new Error("another channel's value");
    }
  }
  return process.memoryUsage().rss;
});

export const sendInto = goroutine(import.meta, function* sendInto(ch, value) {
  yield* ch.send(value);
});

/** A chain of channels, each in the buffer of the next. */
export const chain = goroutine(import.meta, function chain(length) {
  let last = chan(1);
  for (let i = 0; i < length; i++) {
    const next = chan(1);
    next.trySend(last);
    last = next;
  }
  return length;
});

export const liveCount = goroutine(import.meta, function* liveCount() {
  yield* gosched();
  return numGoroutine();
});

export const spawnConsumers = goroutine(import.meta, function* spawnConsumers(ch, count) {
  const handles = Array.from({ length: count }, () => spawn(consume, ch));
  const all = [];
  for (const handle of handles) all.push(yield* handle);
  return all;
});

/** Drops channels with a megabyte in each. */
export const leaveMuch = goroutine(import.meta, function leaveMuch(count) {
  for (let i = 0; i < count; i++) chan(1).trySend(new Uint8Array(2 ** 20));
  return count;
});
