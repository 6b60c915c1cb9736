/** Programs about select. */

import { chan, context, go, goroutine, gosched, range, select, spawn, spawnWith, trySelect } from "heddle";
import { inEveryForm } from "./support/forms.mjs";

// ── no duplicate, no loss ──

const sender = goroutine(import.meta, function* sender(count, a, b, c, d) {
  for (let i = 0; i < count; i++) yield* select(a.send(i), b.send(i), c.send(i), d.send(i));
  for (const ch of [a, b, c, d]) ch.close();
});

const forward = goroutine(import.meta, function* forward(source, out, done) {
  yield* range(source, function* (value) {
    yield* out.send(value);
  });
  yield* done.send(true);
});

/** One goroutine sends each number to one of four channels; how often did each number arrive at the other end? */
export const fourWays = goroutine(import.meta, function* fourWays(count) {
  const ways = [chan(), chan(), chan(), chan()];
  const out = chan();
  const done = chan();
  go(sender, count, ...ways);
  for (const way of ways) go(forward, way, out, done);
  const arrivals = new Uint8Array(count);
  for (let open = ways.length; open > 0; ) {
    const { index, value } = yield* select(out.recv(), done.recv());
    if (index === 0) arrivals[value]++;
    else open--;
  }
  return arrivals;
});

// ── fairness ──

/** How often each of four cases was picked, of which the first two are always ready. */
export const picksOfTwo = inEveryForm(import.meta, function* picksOfTwo(trials) {
  const ready = [chan(trials), chan(trials)];
  for (const ch of ready) for (let i = 0; i < trials; i++) yield ch.send(i);
  const never = [chan(), chan()];
  const picks = [0, 0, 0, 0];
  for (let i = 0; i < trials; i++) {
    const { index } = yield select(ready[0].recv(), ready[1].recv(), never[0].recv(), never[1].send(0));
    picks[index]++;
  }
  return picks;
});

/** How often each of four cases was picked that are all ready, receives and sends. */
export const picksOfFour = goroutine(import.meta, function* picksOfFour(trials) {
  const closed = [chan(), chan()];
  for (const ch of closed) ch.close();
  const room = [chan(trials), chan(trials)];
  const picks = [0, 0, 0, 0];
  for (let i = 0; i < trials; i++) {
    const { index } = yield* select(closed[0].recv(), room[0].send(i), closed[1].recvOk(), room[1].send(i));
    picks[index]++;
  }
  return picks;
});

/** The same by trySelect. */
export const triesOfFour = goroutine(import.meta, function triesOfFour(trials) {
  const closed = Array.from({ length: 4 }, () => chan());
  for (const ch of closed) ch.close();
  const picks = [0, 0, 0, 0];
  for (let i = 0; i < trials; i++) picks[trySelect(...closed.map((ch) => ch.recv())).index]++;
  return picks;
});

/** Whether a select that waits for a sender which takes the channels in turn always goes on with the channel that was sent to. */
export const wokenCases = goroutine(import.meta, function* wokenCases(rounds) {
  const ways = [chan(), chan(), chan(), chan()];
  const feeder = spawn(feedInTurn, rounds, ...ways);
  const order = [];
  for (let i = 0; i < rounds * ways.length; i++) {
    const { index, value } = yield* select(...ways.map((way) => way.recv()));
    order.push(index === value);
  }
  yield* feeder;
  return order.every(Boolean);
});

const feedInTurn = goroutine(import.meta, function* feedInTurn(rounds, ...ways) {
  for (let i = 0; i < rounds; i++) for (let way = 0; way < ways.length; way++) yield* ways[way].send(way);
});

// ── cases ──

/** A value's getter tells how often it was copied. */
export const copiesOfSentValue = inEveryForm(import.meta, function* copiesOfSentValue() {
  const counts = [0, 0];
  const counted = (place) => ({
    get value() {
      return ++counts[place];
    },
  });
  const full = chan(1);
  full.trySend(0);
  const free = chan(1);
  yield select(full.send(counted(0)), free.send(counted(1)));
  return { picked: counts[1], notPicked: counts[0], value: free.tryRecv()[0] };
});

/** Falsy cases never fire, wherever they stand. */
export const falsyCases = inEveryForm(import.meta, function* falsyCases(rounds) {
  const ch = chan();
  ch.close();
  for (let i = 0; i < rounds; i++) {
    const { index } = yield select(undefined, null, false, ch.recv(), undefined);
    if (index !== 3) return `case ${index} fired`;
  }
  return [trySelect(undefined), trySelect(null, false), trySelect()];
});

/** A switched-off case, as Go programs do it with nil channels: each source is dropped when it is closed. */
export const mergeUntilClosed = inEveryForm(import.meta, function* mergeUntilClosed(a, b) {
  const merged = [];
  let sources = [a, b];
  while (sources.some(Boolean)) {
    const { index, value } = yield select(...sources.map((source) => source?.recvOk()));
    const [item, ok] = value;
    if (ok) merged.push(item);
    else sources = sources.map((source, place) => (place === index ? undefined : source));
  }
  return merged;
});

/** Fills a channel and closes it. */
export const fill = goroutine(import.meta, function* fill(ch, from, to) {
  for (let i = from; i < to; i++) yield* ch.send(i);
  ch.close();
});

/** One channel in all cases: every value is received once. */
export const sameChannel = goroutine(import.meta, function* sameChannel(count) {
  const ch = chan();
  go(fill, ch, 0, count);
  const seen = [];
  for (;;) {
    const { value } = yield* select(ch.recvOk(), ch.recvOk(), ch.recvOk());
    if (!value[1]) return seen;
    seen.push(value[0]);
  }
});

/** Select never meets itself: send and receive of one unbuffered channel need a second goroutine. */
export const notWithItself = goroutine(import.meta, function* notWithItself() {
  const ch = chan();
  if (trySelect(ch.send(1), ch.recv()) !== undefined) return "met itself";
  const other = spawn(echoOnce, ch);
  const { index, value } = yield* select(ch.send("mine"), ch.recv());
  const theirs = yield* other;
  // One of the two sent and the other received.
  return index === 0
    ? theirs.index === 1 && theirs.value === "mine"
    : theirs.index === 0 && value === "theirs";
});

const echoOnce = goroutine(import.meta, function* echoOnce(ch) {
  return yield* select(ch.send("theirs"), ch.recv());
});

/** Both sides select over send and receive of the same channel. */
export const sendAndReceive = goroutine(import.meta, function* sendAndReceive(rounds) {
  const ch = chan();
  const other = spawn(sendAndReceiveSide, ch, rounds);
  const mine = yield* countSides(ch, rounds);
  const theirs = yield* other;
  return (
    mine.sent === theirs.received && mine.received === theirs.sent && mine.sent + mine.received === rounds
  );
});

function* countSides(ch, rounds) {
  const counts = { sent: 0, received: 0 };
  for (let i = 0; i < rounds; i++) {
    const { index } = yield* select(ch.send(i), ch.recv());
    if (index === 0) counts.sent++;
    else counts.received++;
  }
  return counts;
}

const sendAndReceiveSide = goroutine(import.meta, countSides);

/** The cases that lost are in no queue any more: nobody is there to take a value, or to give one. */
export const losersLeave = inEveryForm(import.meta, function* losersLeave(rounds) {
  const wins = chan();
  const loses = chan();
  const other = spawn(winning, wins, rounds);
  for (let i = 0; i < rounds; i++) {
    const { index } = yield select(loses.recv(), wins.recv(), loses.send("lost"));
    if (index !== 1) return `case ${index} fired`;
    if (loses.trySend("left over")) return "a receiver was left over";
    if (loses.tryRecv() !== undefined) return "a sender was left over";
  }
  yield other;
  return "none left over";
});

const winning = goroutine(import.meta, function* winning(ch, rounds) {
  for (let i = 0; i < rounds; i++) yield* ch.send(i);
});

/** A goroutine that is parked in `select()` for ever: only cancelling ends it. */
export const noCases = inEveryForm(import.meta, function* noCases() {
  yield select();
  return "woken";
});

export const onlyFalsyCases = inEveryForm(import.meta, function* onlyFalsyCases() {
  yield select(undefined, null, false);
  return "woken";
});

// ── closing ──

export const parkedWhenClosed = inEveryForm(import.meta, function* parkedWhenClosed(ready, ch, other) {
  yield ready.send(true);
  return yield select(ch.recvOk(), other.recvOk());
});

export const sendingWhenClosed = inEveryForm(import.meta, function* sendingWhenClosed(ready, ch, other) {
  yield ready.send(true);
  try {
    yield select(ch.send(1), other.send(1));
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
  return "sent";
});

/** Starts one of the two, and closes the channel once it has begun. */
export const closeUnder = goroutine(import.meta, function* closeUnder(what, kind) {
  const ready = chan();
  const ch = chan();
  const handle = spawn((what === "receive" ? parkedWhenClosed : sendingWhenClosed)[kind], ready, ch, chan());
  yield* ready.recv();
  for (let i = 0; i < 5; i++) yield* gosched();
  ch.close();
  return yield* handle;
});

// ── stress ──

/** Senders and receivers, half of them by select, over channels of every capacity: all values arrive. */
export const mixed = goroutine(import.meta, function* mixed(each) {
  const [ctx, cancel] = context.withCancel(context.current());
  const channels = [chan(), chan(), chan(1), chan(3)];
  const work = [];
  for (const ch of channels) {
    work.push(spawn(sendAll, ch, each), spawn(receiveAll, ch, each));
  }
  work.push(spawn(selectSends, channels, each), spawn(selectReceives, channels, each));
  let sum = 0;
  for (const handle of work) sum += yield* handle;
  const idle = spawnWith({ context: ctx }, selectReceives, channels, 1);
  cancel();
  try {
    yield* idle;
  } catch (error) {
    return { sum, left: channels.map((ch) => ch.length), idle: error.name };
  }
  return "a value was left";
});

const sendAll = goroutine(import.meta, function* sendAll(ch, count) {
  let sum = 0;
  for (let i = 1; i <= count; i++) {
    yield* ch.send(i);
    sum += i;
  }
  return sum;
});

const receiveAll = goroutine(import.meta, function* receiveAll(ch, count) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum -= yield* ch.recv();
  return sum;
});

const selectSends = goroutine(import.meta, function* selectSends(channels, each) {
  const left = channels.map(() => each);
  let sum = 0;
  while (left.some((count) => count > 0)) {
    const { index } = yield* select(...channels.map((ch, i) => left[i] > 0 && ch.send(left[i])));
    sum += left[index]--;
  }
  return sum;
});

const selectReceives = goroutine(import.meta, function* selectReceives(channels, each) {
  const left = channels.map(() => each);
  let sum = 0;
  while (left.some((count) => count > 0)) {
    const { index, value } = yield* select(...channels.map((ch, i) => left[i] > 0 && ch.recv()));
    left[index]--;
    sum -= value;
  }
  return sum;
});
