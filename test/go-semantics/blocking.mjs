/** What goes on while plain bodies hold their threads. */

import {
  AtomicInt,
  after,
  chan,
  context,
  go,
  goroutine,
  gosched,
  sleep,
  spawn,
  spawnWith,
  tasks,
  WaitGroup,
} from "heddle";

const blocks = goroutine(import.meta, function blocks(ch) {
  return ch.recv().block();
});

/** Starts a goroutine and blocks: the child has not begun, and is nobody's but the processor's. */
const startsAndBlocks = goroutine(import.meta, function startsAndBlocks(out) {
  return spawn(child, out).block();
});

const child = goroutine(import.meta, function* child(out) {
  yield* out.send("child came");
  return "child's";
});

/**
 * This goroutine may live on the very thread that blocks, and gives way all the time: it must not keep the processor from
 * the child, which has not begun, and which the blocked body waits for.
 */
export const givesWayForEver = goroutine(import.meta, function* givesWayForEver() {
  const out = chan(1);
  const handle = spawn(startsAndBlocks, out);
  while (!handle.done) yield* gosched();
  return [yield* handle, out.tryRecv()];
});

/** More bodies block than there are processors; the others go on. */
export const manyBlock = goroutine(import.meta, function* manyBlock(count) {
  const channels = Array.from({ length: count }, () => chan());
  const handles = channels.map((ch) => spawn(blocks, ch));
  const wg = new WaitGroup();
  const counter = new AtomicInt();
  for (let i = 0; i < 100; i++) wg.go(adds, counter);
  yield* wg.wait();
  for (const [i, ch] of channels.entries()) yield* ch.send(i);
  const received = [];
  for (const handle of handles) received.push(yield* handle);
  return [counter.load(), received];
});

/** An async body whose thread is held by the very body that waits for it: it sleeps, gives way, joins, and only then sends. */
export const asyncBeside = goroutine(import.meta, async function asyncBeside(rounds) {
  const ch = chan();
  const sum = spawn(sumsBlocking, ch, rounds);
  const counter = new AtomicInt();
  for (let i = 0; i < rounds; i++) {
    await sleep(0.1);
    await gosched();
    await spawn(adds, counter);
    await ch.send(i);
  }
  return [await sum, counter.load()];
});

const sumsBlocking = goroutine(import.meta, function sumsBlocking(ch, count) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += ch.recv().block();
  return sum;
});

/** Async bodies of which each is started by a blocked body on the thread of the one before. */
export const asyncUnderBlocked = goroutine(import.meta, async function asyncUnderBlocked(depth) {
  await gosched();
  if (depth === 0) return 0;
  return 1 + (await spawn(blocksForAsync, depth));
});

const blocksForAsync = goroutine(import.meta, function blocksForAsync(depth) {
  return spawn(asyncUnderBlocked, depth - 1).block();
});

const adds = goroutine(import.meta, function* adds(counter) {
  yield* gosched();
  counter.add(1);
});

/** Blocked bodies wait for each other in a ring; each is let on by the one before it. */
const passes = goroutine(import.meta, function passes(from, to, rounds) {
  for (let i = 0; i < rounds; i++) to.send(from.recv().block() + 1).block();
});

export const ring = goroutine(import.meta, function* ring(parties, rounds) {
  const channels = Array.from({ length: parties + 1 }, () => chan());
  for (let i = 0; i < parties; i++) go(passes, channels[i], channels[i + 1], rounds);
  let value = 0;
  for (let i = 0; i < rounds; i++) {
    yield* channels[0].send(value);
    value = yield* channels[parties].recv();
  }
  return value;
});

/** Gives way instead of blocking, until an async body and a generator that may live on this very thread have gone on. */
const givesWayUntil = goroutine(import.meta, function givesWayUntil(arrived, count) {
  while (arrived.load() < count) gosched().block();
  return arrived.load();
});

export const givingWay = goroutine(import.meta, function* givingWay() {
  const [arrived, start] = [new AtomicInt(), chan()];
  spawn(arrivesAsync, arrived, start);
  spawn(arrives, arrived, start);
  yield* gosched();
  const waiter = spawn(givesWayUntil, arrived, 2);
  start.close();
  return yield* waiter;
});

const arrivesAsync = goroutine(import.meta, async function arrivesAsync(arrived, start) {
  await start.recv();
  await gosched();
  arrived.add(1);
});

const arrives = goroutine(import.meta, function* arrives(arrived, start) {
  yield* start.recv();
  yield* gosched();
  arrived.add(1);
});

const late = tasks(new URL("late-module.mjs", import.meta.url));

const joinsBlocking = goroutine(import.meta, function joinsBlocking(handle) {
  return handle.block();
});

/** The thread that loads a goroutine's module is held by a body that waits for that goroutine. */
export const whileLoading = goroutine(import.meta, function* whileLoading() {
  const handle = spawn(late.answers);
  yield* gosched();
  return yield* spawn(joinsBlocking, handle);
});

/** Each goroutine finds itself, whatever ran on top of what: the blocked one, and async ones that go on meanwhile. */
export const whoAmI = goroutine(import.meta, function* whoAmI(count) {
  const [start, done] = [chan(), chan(count)];
  const named = (name) => ({ context: context.withValue(context.background(), "name", name) });
  const asyncs = Array.from({ length: count }, (_, i) =>
    spawnWith(named(`async ${i}`), namesAsync, start, done),
  );
  yield* gosched();
  const blocked = spawnWith(named("blocked"), namesBlocked, start, done, count);
  const names = [];
  for (const handle of [blocked, ...asyncs]) names.push(yield* handle);
  return names;
});

const ownName = () => context.current().value("name");
const childsName = goroutine(import.meta, function* childsName() {
  return ownName();
});

const namesAsync = goroutine(import.meta, async function namesAsync(start, done) {
  const names = new Set([ownName()]);
  await start.recv();
  names.add(ownName());
  const child = spawn(childsName);
  names.add(await child);
  await Promise.resolve();
  names.add(ownName());
  await done.send(true);
  return [...names].join();
});

const namesBlocked = goroutine(import.meta, function namesBlocked(start, done, count) {
  const names = new Set([ownName()]);
  start.close();
  for (let i = 0; i < count; i++) {
    done.recv().block();
    names.add(ownName());
  }
  names.add(spawn(childsName).block());
  return [...names].join();
});

/**
 * Async bodies that keep each other awake, on the thread of one that waits for its event loop, of one that waits for a timer, and of a generator.
 */
export const chainOfPromises = goroutine(import.meta, function* chainOfPromises() {
  const [there, back, stop] = [chan(), chan(), new AtomicInt()];
  const players = [spawn(plays, there, back, stop), spawn(plays, back, there, stop)];
  const others = [spawn(turnsEventLoop, 5), spawn(waitsForTimer), spawn(givesWay, 5)];
  yield* there.send("ball");
  const outcomes = [];
  for (const other of others) outcomes.push(yield* other);
  stop.store(1);
  for (const player of players) yield* player;
  return outcomes;
});

/** Passes the ball on, until it is told to stop, or its partner has. */
const plays = goroutine(import.meta, async function plays(from, to, stop) {
  for (;;) {
    const [ball, ok] = await from.recvOk();
    if (!ok || stop.load() === 1) {
      if (ok) to.close();
      return;
    }
    await to.send(ball);
  }
});

const turnsEventLoop = goroutine(import.meta, async function turnsEventLoop(turns) {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setTimeout(resolve, 1));
  return "turned";
});

const waitsForTimer = goroutine(import.meta, async function waitsForTimer() {
  await after(1).recv();
  return "timer";
});

const givesWay = goroutine(import.meta, function* givesWay(times) {
  for (let i = 0; i < times; i++) yield* gosched();
  return "gave way";
});
