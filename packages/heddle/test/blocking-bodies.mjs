import { blocking, chan, checkpoint, go, goroutine, gosched, sleep, spawn } from "heddle";

const throwsInTick = goroutine(import.meta, async function throwsInTick(start) {
  await start.recv();
  process.nextTick(() => {
    throw new Error("stray");
  });
});

/** Blocks for ever on the thread where a nextTick throws meanwhile, and would catch what is not meant for it. */
const catchesAll = goroutine(import.meta, function catchesAll(start) {
  start.close();
  try {
    return chan().recv().block();
  } catch (error) {
    return String(error);
  }
});

export const strayError = goroutine(import.meta, function* strayError() {
  const start = chan();
  const handles = [spawn(throwsInTick, start)];
  yield* gosched();
  handles.push(spawn(catchesAll, start));
  for (const handle of handles) yield* handle;
  return "nobody noticed";
});

const sends = goroutine(import.meta, async function sends(out, count) {
  for (let i = 0; i < count; i++) await out.send(i);
});

/** Async bodies in turn with a generator. */
export const asyncTurns = goroutine(import.meta, function* asyncTurns(count) {
  const out = chan();
  spawn(sends, out, count);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += yield* out.recv();
  return sum;
});

// ── blocking(fn) ──

/** What a synchronous call is in these tests: it holds the thread until somebody else has stored a number, and returns it. */
function heldUntil(flag) {
  while (flag.load() === 0);
  return flag.load();
}

const stores = goroutine(import.meta, function* stores(flag, value) {
  flag.store(value);
});

const fails = () => {
  throw new RangeError("from the call");
};

function outcomeOf(call) {
  try {
    return call();
  } catch (error) {
    return error.message;
  }
}

/** Starts a goroutine, which has not begun, and holds the thread until it has run. Then an error, and calls within a call. */
function callsFor(flag) {
  go(stores, flag, 7);
  return [
    blocking(() => heldUntil(flag)),
    outcomeOf(() => blocking(fails)),
    blocking(() => blocking(() => blocking(() => "inner"))),
    blocking(() => spawn(answers).block()),
  ];
}

const answers = goroutine(import.meta, async function answers() {
  await sleep(0.1);
  return 42;
});

export const CALLERS = {
  generator: goroutine(import.meta, function* generatorCalls(flag) {
    yield* gosched();
    const outcomes = callsFor(flag);
    return [...outcomes, yield* spawn(answers)];
  }),
  "async, before its first await": goroutine(import.meta, async function asyncCalls(flag) {
    const outcomes = callsFor(flag);
    return [...outcomes, await spawn(answers)];
  }),
  "async, after an await": goroutine(import.meta, async function continuationCalls(flag) {
    await sleep(0.1);
    const outcomes = callsFor(flag);
    return [...outcomes, await spawn(answers)];
  }),
  "async, after a turn of the event loop": goroutine(import.meta, async function eventCalls(flag) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const outcomes = callsFor(flag);
    return [...outcomes, await spawn(answers)];
  }),
  plain: goroutine(import.meta, function plainCalls(flag) {
    const outcomes = callsFor(flag);
    return [...outcomes, spawn(answers).block()];
  }),
};

export const holds = goroutine(import.meta, function* holds(flag) {
  return blocking(() => heldUntil(flag));
});

export const holdsAfterAwait = goroutine(import.meta, async function holdsAfterAwait(flag) {
  await sleep(0.1);
  return blocking(() => heldUntil(flag));
});

export const holdsAndNotes = goroutine(import.meta, function* holdsAndNotes(flag, out, value) {
  if (flag.load() === 0) blocking(() => heldUntil(flag));
  yield* out.send(value);
});

// ── bodies that compute ──

const counts = goroutine(import.meta, function* counts(counter) {
  counter.add(1);
});

/** Starts others and keeps its processor until they have all run. */
export const keepsUntilRun = goroutine(import.meta, function keepsUntilRun(counter, children) {
  for (let i = 0; i < children; i++) go(counts, counter);
  while (counter.load() < children);
  return counter.load();
});

export const computes = goroutine(import.meta, function computes(flag) {
  return heldUntil(flag);
});

/** Gives way whenever it is asked to, and never parks. */
const givesWayWhenAsked = goroutine(import.meta, function* givesWayWhenAsked(running, stop) {
  running.store(1);
  while (stop.load() === 0) yield* checkpoint();
});

/** Comes back from a call while another goroutine has the only processor. */
export const comesBack = goroutine(import.meta, function* comesBack(running, stop) {
  const other = spawn(givesWayWhenAsked, running, stop);
  blocking(() => heldUntil(running));
  stop.store(1);
  yield* other;
  return "came back";
});

const wakes = goroutine(import.meta, function* wakes(ready, stop) {
  yield* ready.recv();
  stop.store(1);
});

/** Goroutines that live on a thread which is held, and are made ready while another has the only processor. */
export const pinnedGoOn = goroutine(import.meta, function* pinnedGoOn(running, stop) {
  const ready = chan();
  spawn(wakes, ready, stop);
  yield* gosched();
  spawn(blocksUntil, ready, running, stop);
  return yield* spawn(waitsForStop, stop);
});

const blocksUntil = goroutine(import.meta, function blocksUntil(ready, running, stop) {
  const other = spawn(givesWayWhenAsked, running, stop);
  while (running.load() === 0) gosched().block();
  ready.close();
  other.block();
});

const waitsForStop = goroutine(import.meta, function* waitsForStop(stop) {
  while (stop.load() === 0) yield* gosched();
  return "ran again";
});
