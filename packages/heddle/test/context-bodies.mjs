// Bodies for the thread tests of contexts.

import { AtomicInt, chan, context, ErrGroup, goroutine, gosched, select, spawn, spawnWith } from "heddle";

/** Makes and drops contexts, each with a value, a channel and a context below it; every other one is ended. */
export const churn = goroutine(import.meta, function* churn(rounds) {
  for (let i = 0; i < rounds; i++) {
    const [ctx, cancel] = context.withCancel(context.background());
    const below = context.withValue(ctx, "key", i);
    const done = below.done();
    if (i % 2 === 0) cancel();
    if ((done.tryRecv() !== undefined) !== (i % 2 === 0) || below.value("key") !== i)
      return `wrong in round ${i}`;
    if (i % 1000 === 0) yield* gosched();
  }
  return "right";
});

/** Groups that are made, used and dropped. */
export const churnGroups = goroutine(import.meta, function* churnGroups(rounds) {
  const counter = new AtomicInt();
  for (let i = 0; i < rounds; i++) {
    const group = new ErrGroup();
    group.go(addsOne, counter);
    yield* group.wait();
  }
  return counter.load();
});

const addsOne = goroutine(import.meta, function* addsOne(counter) {
  yield* gosched();
  counter.add(1);
});

const parked = goroutine(import.meta, function* parked(ready) {
  ready.add(1);
  yield* select();
});

/** Many goroutines under one context, which ends them all. */
export const manyUnderOne = goroutine(import.meta, function* manyUnderOne(count) {
  const [ctx, cancel] = context.withCancel(context.background());
  const ready = new AtomicInt();
  const handles = Array.from({ length: count }, () => spawnWith({ context: ctx }, parked, ready));
  while (ready.load() < count) yield* gosched();
  cancel(new Error("all of you"));
  let told = 0;
  for (const handle of handles) {
    try {
      yield* handle;
    } catch (error) {
      if (error.cause?.message === "all of you") told++;
    }
  }
  return told;
});

/** Cancels a goroutine as soon as it hears of it. */
const canceller = goroutine(import.meta, function* canceller(handles, name) {
  for (;;) {
    const [received, ok] = yield* handles.recvOk();
    if (!ok) return;
    received.handle.cancel(name);
  }
});

const seesCause = goroutine(import.meta, function* seesCause() {
  const ctx = context.current();
  yield* ctx.done().recv();
  const first = ctx.cause();
  yield* gosched();
  return [first, ctx.cause(), ctx.err().cause];
});

/** Several cancel the same goroutine at once: it sees one cause, and the same one whenever it looks. */
export const cancelStorm = goroutine(import.meta, function* cancelStorm(rounds) {
  const handles = chan();
  const names = ["a", "b", "c", "d"];
  const cancellers = names.map((name) => spawn(canceller, handles, name));
  const wrong = [];
  for (let i = 0; i < rounds; i++) {
    const handle = spawn(seesCause);
    for (let n = 0; n < names.length; n++) yield* handles.send({ handle });
    try {
      const [first, again, ofError] = yield* handle;
      if (!names.includes(first) || again !== first || ofError !== first) wrong.push([first, again, ofError]);
    } catch (error) {
      // Cancelled before it began.
      if (!names.includes(error.cause)) wrong.push(error);
    }
  }
  handles.close();
  for (const each of cancellers) yield* each;
  return wrong;
});

/** Makes contexts below one that ends meanwhile, and waits for the end of each: none may be missed. */
const makesBelow = goroutine(import.meta, function* makesBelow(ctx) {
  for (let made = 1; ; made++) {
    const [below] = context.withCancel(context.withValue(ctx, "made", made));
    if (ctx.err() !== undefined) {
      yield* below.done().recv();
      return made;
    }
    if (made % 10 === 0) yield* gosched();
  }
});

export const endWhileMaking = goroutine(import.meta, function* endWhileMaking(rounds) {
  for (let i = 0; i < rounds; i++) {
    const [ctx, cancel] = context.withCancel(context.background());
    const handles = Array.from({ length: 4 }, () => spawn(makesBelow, ctx));
    for (let n = 0; n < i % 20; n++) yield* gosched();
    cancel();
    for (const handle of handles) yield* handle;
  }
  return "none missed";
});

/** Starts goroutines under a context that ends meanwhile: each ends, whether it had begun or not. */
export const endWhileStarting = goroutine(import.meta, function* endWhileStarting(rounds) {
  let begun = 0;
  for (let i = 0; i < rounds; i++) {
    const [ctx, cancel] = context.withCancel(context.background());
    const ready = new AtomicInt();
    const starter = spawnWith({ context: ctx }, startsMany, ready, 20);
    for (let n = 0; n < i % 8; n++) yield* gosched();
    cancel();
    try {
      yield* starter;
    } catch {}
    begun += ready.load();
  }
  return begun >= 0;
});

const startsMany = goroutine(import.meta, function* startsMany(ready, count) {
  const handles = Array.from({ length: count }, () => spawn(parked, ready));
  for (const handle of handles) yield* handle;
});

/** A context inside other values, and in another context's value. */
export const unpack = goroutine(import.meta, function* unpack({ list: [ctx], map }) {
  yield* ctx.done().recv();
  const inner = ctx.value("inner").ctx;
  yield* inner.done().recv();
  return [ctx.cause(), map.get("ctx").cause(), inner.cause()];
});

/** The signal of one context on several threads. */
export const awaitsAbort = goroutine(import.meta, async function awaitsAbort(ctx, ready) {
  const { signal } = ctx;
  const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  await ready.send(true);
  if (!signal.aborted) await aborted;
  return signal.reason;
});
