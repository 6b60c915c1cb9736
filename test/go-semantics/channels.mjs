/** Channels in use: order, hand-off, copies, what travels through them. */

import { AtomicInt, chan, go, goroutine, gosched, Mutex, range, select, spawn, WaitGroup } from "heddle";
import { inEveryForm, KINDS } from "./support/forms.mjs";

const produce = inEveryForm(import.meta, function* produce(ch, from, to) {
  for (let i = from; i < to; i++) yield ch.send(i);
});

const consume = inEveryForm(import.meta, function* consume(ch, count) {
  const seen = [];
  while (seen.length < count) seen.push(yield ch.recv());
  return seen;
});

/** One sender, one receiver, of any kinds: first in, first out. */
export const inOrder = goroutine(import.meta, function* inOrder(sender, receiver, capacity, count) {
  const ch = chan(capacity);
  go(produce[sender], ch, 0, count);
  const seen = yield* spawn(consume[receiver], ch, count);
  return seen.every((value, i) => value === i);
});

/** Many of each: nothing is lost, nothing comes twice, and each sender's values come in its order. */
export const manyToMany = goroutine(import.meta, function* manyToMany(capacity, each) {
  const ch = chan(capacity);
  const senders = KINDS.flatMap((kind) => [kind, kind]);
  for (const [i, kind] of senders.entries()) go(produce[kind], ch, i * each, (i + 1) * each);
  const receivers = KINDS.flatMap((kind) => [kind, kind]).map((kind) => spawn(consume[kind], ch, each));
  const counts = Array.from({ length: senders.length * each }, () => 0);
  let ordered = true;
  for (const receiver of receivers) {
    const seen = yield* receiver;
    const latest = senders.map(() => -1);
    for (const value of seen) {
      counts[value]++;
      const sender = Math.floor(value / each);
      if (value <= latest[sender]) ordered = false;
      latest[sender] = value;
    }
  }
  return [counts.every((count) => count === 1), ordered, ch.length];
});

/** The capacity is never exceeded, and a sender is let on only when there is room: seen by how far it is ahead. */
export const bounded = goroutine(import.meta, function* bounded(capacity, count) {
  const ch = chan(capacity);
  const sent = new AtomicInt();
  go(countsSends, ch, sent, count);
  let most = 0;
  for (let received = 0; received < count; received++) {
    for (let i = 0; i < 3; i++) yield* gosched();
    // At the most the buffer is full, and one more value is about to be counted.
    most = Math.max(most, sent.load() - received, ch.length);
    yield* ch.recv();
  }
  return most <= capacity + 1;
});

const countsSends = goroutine(import.meta, function* countsSends(ch, sent, count) {
  for (let i = 0; i < count; i++) {
    yield* ch.send(i);
    sent.add(1);
  }
});

/** An unbuffered send ends only when somebody has received. */
export const rendezvous = inEveryForm(import.meta, function* rendezvous() {
  const ch = chan();
  const received = new AtomicInt();
  const receiver = spawn(marksReceived, ch, received);
  yield ch.send("value");
  const early = ch.length;
  yield receiver;
  return [early, received.load()];
});

const marksReceived = goroutine(import.meta, function* marksReceived(ch, received) {
  yield* ch.recv();
  received.store(1);
});

/** A value is the receiver's own: what either does with it afterwards, the other does not see. */
export const copies = inEveryForm(import.meta, function* copies() {
  const ch = chan(1);
  const original = { list: [1], date: new Date(0), map: new Map([["a", 1]]), self: undefined };
  original.self = original;
  yield ch.send(original);
  original.list.push(2);
  const received = yield ch.recv();
  received.map.set("b", 2);
  return {
    list: received.list,
    date: received.date instanceof Date && received.date.getTime(),
    map: original.map.size,
    cycle: received.self === received,
    other: received !== original,
  };
});

/** What cannot be copied is refused where it is sent, by its path, and nothing is sent. */
export const uncloneable = inEveryForm(import.meta, function* uncloneable() {
  const ch = chan(1);
  const errors = [];
  const attempts = [
    function* () {
      yield ch.send({ deep: [{ call() {} }] });
    },
    function* () {
      ch.trySend(() => {});
    },
    function* () {
      yield select(ch.send(Symbol("mine")));
    },
  ];
  for (const attempt of attempts) {
    try {
      yield* attempt();
    } catch (error) {
      errors.push(error.name);
    }
  }
  return [errors, ch.length];
});

// ── references ──

/** Answers each request on the channel that came with it, deep inside. */
const serve = goroutine(import.meta, function* serve(requests) {
  yield* range(requests, function* ({ reply: [{ to }], question, lock, counter }) {
    yield* lock.lock();
    counter.add(1);
    lock.unlock();
    yield* to.send({ answer: question * 2, back: to });
  });
});

export const requestReply = inEveryForm(import.meta, function* requestReply(rounds) {
  const requests = chan();
  const [lock, counter] = [new Mutex(), new AtomicInt()];
  go(serve, requests);
  const answers = [];
  for (let i = 0; i < rounds; i++) {
    const to = chan();
    yield requests.send({ reply: [{ to }], question: i, lock, counter });
    const { answer, back } = yield to.recv();
    answers.push(answer, back === to);
  }
  requests.close();
  return [answers, counter.load()];
});

const squares = goroutine(import.meta, function* squares(n) {
  yield* gosched();
  return n * n;
});

const joinsAll = goroutine(import.meta, function* joinsAll(batches) {
  let sum = 0;
  yield* range(batches, function* ({ handles }) {
    for (const handle of handles) sum += yield* handle;
  });
  return sum;
});

/** Handles travel, and may be joined by several. */
export const handles = goroutine(import.meta, function* handles(count) {
  const batches = chan(1);
  const joiners = [spawn(joinsAll, batches), spawn(joinsAll, batches)];
  const started = Array.from({ length: count }, (_, i) => spawn(squares, i));
  for (let i = 0; i < 2; i++) yield* batches.send({ handles: started });
  batches.close();
  let sum = 0;
  for (const joiner of joiners) sum += yield* joiner;
  let own = 0;
  for (const handle of started) own += yield* handle;
  return [sum, own];
});

/** A channel sent through itself, and a chain of channels, each inside the one before. */
export const nested = inEveryForm(import.meta, function* nested(depth) {
  const self = chan(1);
  yield self.send({ self });
  const [{ self: received }] = yield self.recvOk();
  const first = chan(1);
  let at = first;
  for (let i = 0; i < depth; i++) {
    const inner = chan(1);
    at.trySend({ inner });
    at = inner;
  }
  at.trySend({ end: true });
  let found = first.tryRecv()[0];
  let levels = 0;
  while (found.inner !== undefined) {
    levels++;
    found = found.inner.tryRecv()[0];
  }
  return [received === self, levels, found.end];
});

// ── closing ──

const receivesOk = inEveryForm(import.meta, function* receivesOk(ready, ch) {
  yield ready.send(true);
  return yield ch.recvOk();
});

const sends = inEveryForm(import.meta, function* sends(ready, ch) {
  yield ready.send(true);
  try {
    yield ch.send("late");
  } catch (error) {
    return error.message;
  }
  return "sent";
});

/** Closing wakes all who wait, of every kind. */
export const closeWakesAll = goroutine(import.meta, function* closeWakesAll(what, each) {
  const [ready, ch] = [chan(), chan()];
  const bodies = what === "receivers" ? receivesOk : sends;
  const waiting = KINDS.flatMap((kind) =>
    Array.from({ length: kind === "plain" ? 3 : each }, () => spawn(bodies[kind], ready, ch)),
  );
  for (let i = 0; i < waiting.length; i++) yield* ready.recv();
  for (let i = 0; i < 5; i++) yield* gosched();
  ch.close();
  const outcomes = new Set();
  for (const handle of waiting) outcomes.add(JSON.stringify(yield* handle));
  return [...outcomes];
});

/** Of several who close one channel, one succeeds; the others are told. */
const closes = goroutine(import.meta, function* closes(ch, start) {
  yield* start.recv();
  try {
    ch.close();
    return "closed";
  } catch (error) {
    return error.message;
  }
});

export const oneCloses = goroutine(import.meta, function* oneCloses(closers) {
  const [ch, start] = [chan(3), chan()];
  const handles = Array.from({ length: closers }, () => spawn(closes, ch, start));
  start.close();
  const outcomes = [];
  for (const handle of handles) outcomes.push(yield* handle);
  return outcomes.sort();
});

/** The host and goroutines of all kinds at the two ends of one channel. */
export async function withHost(kind, count) {
  const [up, down] = [chan(2), chan()];
  const wg = new WaitGroup();
  wg.go(echoes[kind], up, down);
  const received = [];
  const reader = (async () => {
    for await (const value of down) received.push(value);
  })();
  for (let i = 0; i < count; i++) await up.send(i);
  up.close();
  await reader;
  await wg.wait();
  return received.every((value, i) => value === i) && received.length === count;
}

const echoes = inEveryForm(import.meta, function* echoes(source, out) {
  for (;;) {
    const [value, ok] = yield source.recvOk();
    if (!ok) break;
    yield out.send(value);
  }
  out.close();
});
