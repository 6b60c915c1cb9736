/** Programs about contexts. Each is run in every form, on the host, too. */

import { chan, context, go, goroutine, gosched, select, sleep, spawn, spawnWith } from "heddle";
import { inEveryForm } from "./support/forms.mjs";
import { thrown } from "./support/thrown.mjs";

const NEVER = 1e9;

/** What a context says of itself. */
function state(ctx) {
  const cause = ctx.cause();
  return {
    done: ctx.done().tryRecv() !== undefined,
    err: ctx.err() && `${ctx.err().name}: ${ctx.err().message}`,
    cause: cause instanceof Error ? cause.message : cause,
  };
}

export const PROGRAMS = {
  *background() {
    yield atOnce();
    const ctx = context.background();
    return { ...state(ctx), deadline: ctx.deadline, value: ctx.value("key"), aborted: ctx.signal.aborted };
  },

  *"cancel ends the context and all below it, not those above and beside it"() {
    const top = context.background();
    const [parent] = context.withCancel(top);
    const [child, cancel] = context.withCancel(parent);
    const [sibling] = context.withCancel(parent);
    const valued = context.withValue(child, "key", 1);
    const [grandchild] = context.withTimeout(valued, NEVER);
    const before = [parent, child, sibling, valued, grandchild].map((ctx) => state(ctx).done);
    cancel();
    yield grandchild.done().recv();
    return { before, after: [parent, child, sibling, valued, grandchild].map((ctx) => state(ctx).err) };
  },

  *"the end is final: the first call counts"() {
    const [ctx, cancel] = context.withCancel(context.background());
    cancel("first");
    cancel("second");
    yield ctx.done().recv();
    return state(ctx);
  },

  *"a cause goes down the tree; one who ended before keeps his own"() {
    const [parent, cancelParent] = context.withCancel(context.background());
    const [early, cancelEarly] = context.withCancel(parent);
    const [late] = context.withCancel(parent);
    cancelEarly(new Error("early"));
    cancelParent(new Error("parent's"));
    yield late.done().recv();
    return [early, late].map((ctx) => [ctx.cause().message, ctx.err().cause.message]);
  },

  *"without a cause, the cause is the error"() {
    const [ctx, cancel] = context.withCancel(context.background());
    cancel();
    yield ctx.done().recv();
    return `${ctx.cause().name}: ${ctx.cause().message}`;
  },

  *"below a context that is done nothing begins"() {
    const [parent, cancel] = context.withCancel(context.background());
    cancel("over");
    const below = [
      context.withCancel(parent)[0],
      context.withTimeout(parent, NEVER)[0],
      context.withValue(parent, "key", 1),
    ];
    yield parent.done().recv();
    return below.map(state);
  },

  *"done gives one channel, which is closed once"() {
    const [ctx, cancel] = context.withCancel(context.background());
    const channels = [ctx.done(), ctx.done()];
    cancel();
    const ends = [];
    for (const ch of channels) ends.push(yield ch.recvOk(), yield ch.recvOk());
    return ends;
  },

  *"a timeout ends the context"() {
    const [ctx] = context.withTimeout(context.background(), 1);
    yield ctx.done().recv();
    return { ...state(ctx), passed: Date.now() >= ctx.deadline };
  },

  *"a deadline in the past ends it at once"() {
    const results = [];
    for (const [ctx] of [
      context.withDeadline(context.background(), Date.now() - 1000),
      context.withTimeout(context.background(), 0),
      context.withTimeout(context.background(), -5),
    ])
      results.push(state(ctx));
    yield atOnce();
    return results;
  },

  *"of two deadlines the earlier counts"() {
    const [parent] = context.withDeadline(context.background(), 8e15);
    const [later] = context.withDeadline(parent, 8.5e15);
    const [earlier] = context.withDeadline(parent, 7e15);
    const [below] = context.withCancel(context.withValue(earlier, "key", 1));
    yield atOnce();
    return [parent, later, earlier, below].map((ctx) => ctx.deadline);
  },

  *"cancelled before its deadline it stays cancelled"() {
    let ctx;
    do {
      const made = context.withTimeout(context.background(), 5);
      ctx = made[0];
      made[1]();
      // A slow machine may take longer than that between the two calls.
    } while (state(ctx).err.startsWith("Deadline"));
    yield sleep(10);
    return state(ctx).err;
  },

  *"a parent's deadline ends the child"() {
    const [parent] = context.withTimeout(context.background(), 1);
    const [child] = context.withTimeout(parent, NEVER);
    yield child.done().recv();
    return [parent, child].map((ctx) => state(ctx).err);
  },

  *"the nearest value counts"() {
    const top = context.withValue(context.background(), "a", "top");
    const middle = context.withCancel(context.withValue(top, "b", { deep: [1, 2] }))[0];
    const bottom = context.withValue(middle, "a", undefined);
    yield atOnce();
    return {
      top: [top.value("a"), top.value("b")],
      middle: [middle.value("a"), middle.value("b")],
      bottom: [bottom.value("a"), bottom.value("b"), bottom.value("c")],
    };
  },

  *"a value is a copy; a channel in it is the channel"() {
    const original = { list: [1], ch: chan(1) };
    const ctx = context.withValue(context.background(), "key", original);
    original.list.push(2);
    ctx.value("key").list.push(3);
    ctx.value("key").ch.trySend("through");
    return [ctx.value("key").list, yield original.ch.recv()];
  },

  *"the signal aborts with the cause"() {
    const [ctx, cancel] = context.withCancel(context.background());
    const { signal } = ctx;
    const before = signal.aborted;
    const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    cancel(new Error("why"));
    return { before, aborted, signal };
  },

  *"the signal of a context that is done"() {
    const [ctx, cancel] = context.withCancel(context.background());
    cancel("why");
    yield ctx.done().recv();
    return [ctx.signal.aborted, ctx.signal.reason, ctx.signal === ctx.signal];
  },

  *"hundred below one, and one below hundred"() {
    const [top, cancel] = context.withCancel(context.background());
    const wide = Array.from({ length: 100 }, () => context.withCancel(top)[0]);
    let deep = top;
    for (let i = 0; i < 100; i++)
      deep = i % 2 === 0 ? context.withValue(deep, `${i}`, i) : context.withCancel(deep)[0];
    cancel();
    yield deep.done().recv();
    return [...wide, deep].every((ctx) => ctx.err() !== undefined) && deep.value("0") === 0;
  },

  *"who sees the end of a context sees that of those above"() {
    const [parent, cancel] = context.withCancel(context.background());
    const [child] = context.withCancel(parent);
    const seen = spawnWith({ context: context.background() }, reportAtEnd, child, parent);
    cancel();
    return yield seen;
  },

  *mistakes() {
    yield atOnce();
    return [
      () => context.withCancel(undefined),
      () => context.withCancel(null),
      () => context.withTimeout({}, 1),
      () => context.withTimeout(context.background(), "soon"),
      () => context.withDeadline(context.background(), Number.NaN),
      () => context.withValue(context.background(), undefined, 1),
      () => context.withValue(context.background(), 7, 1),
      () => context.withValue(context.background(), "key", () => {}),
    ].map(thrown);
  },
};

/** An operation that goes through at once, also where there is nobody to give way to: so that every program is a generator. */
function atOnce() {
  return sleep(0);
}

const reportAtEnd = goroutine(import.meta, function* reportAtEnd(ctx, above) {
  yield* ctx.done().recv();
  return [ctx.err()?.message, above.err()?.message];
});

// The program with a promise of its own, for bodies that can await it.
const { "the signal aborts with the cause": signalled, ...others } = PROGRAMS;

export const BODIES = Object.fromEntries(
  Object.entries(others).map(([name, program]) => [
    name,
    inEveryForm(import.meta, Object.defineProperty(program, "name", { value: name })),
  ]),
);

export async function signalOf() {
  const { value } = signalled().next();
  const { before, aborted, signal } = value;
  await aborted;
  return [before, signal.aborted, signal.reason.message];
}

export const signalInBody = goroutine(import.meta, signalOf);

// ── across threads ──

/** Ends with the context that was sent to it, on whatever thread it lives. */
export const followsSent = inEveryForm(import.meta, function* followsSent(contexts) {
  const [ctx] = yield contexts.recvOk();
  yield ctx.done().recv();
  return [ctx.err().message, ctx.cause(), ctx.value("key"), ctx.signal.aborted];
});

/** Makes a context, and cancels it when asked; for others to watch. */
export const ownsContext = goroutine(import.meta, function* ownsContext(out, stop) {
  const [ctx, cancel] = context.withCancel(context.withValue(context.background(), "key", "value"));
  yield* out.send(ctx);
  yield* stop.recv();
  cancel("asked to");
});

// ── goroutines under a context ──

export const parked = inEveryForm(import.meta, function* parked(ready) {
  yield ready.send(true);
  yield chan().recv();
});

export const looksAtOwn = goroutine(import.meta, function* looksAtOwn() {
  yield* gosched();
  const own = context.current();
  return { deadline: own.deadline, value: own.value("key"), child: yield* spawn(looksAtOwnChild) };
});

const looksAtOwnChild = goroutine(import.meta, async function looksAtOwnChild() {
  const before = context.current();
  await sleep(0.1);
  return [before.value("key"), context.current().value("key")];
});

/** A context that a body makes ends neither the body nor those it started before. */
export const ownIsSeparate = goroutine(import.meta, function* ownIsSeparate() {
  const [ctx, cancel] = context.withCancel(context.current());
  const results = chan(2);
  const stop = chan();
  const ready = chan();
  const below = spawnWith({ context: ctx }, reportsOutcome, ready, results, stop, "below");
  const beside = spawn(reportsOutcome, ready, results, stop, "beside");
  yield* ready.recv();
  yield* ready.recv();
  cancel();
  const first = yield* results.recv();
  stop.close();
  const second = yield* results.recv();
  yield* beside;
  yield* below;
  return [first, second, context.current().err()];
});

const reportsOutcome = goroutine(import.meta, function* reportsOutcome(ready, results, stop, name) {
  yield* ready.send(true);
  try {
    yield* stop.recv();
    yield* results.send(`${name} went on`);
  } catch (error) {
    yield* results.send(`${name}: ${error.name}`);
  }
});

/** A pipeline as in Go's tutorial: generator, squares, and a reader that stops early by its context. */
export const pipeline = goroutine(import.meta, function* pipeline(count) {
  const [ctx, cancel] = context.withCancel(context.current());
  const numbers = chan();
  const squares = chan();
  const left = chan();
  go(generate, ctx, numbers, left);
  go(square, ctx, numbers, squares, left);
  const seen = [];
  while (seen.length < count) seen.push(yield* squares.recv());
  cancel();
  return [seen, [yield* left.recv(), yield* left.recv()].sort()];
});

const generate = goroutine(import.meta, function* generate(ctx, out, left) {
  for (let i = 1; ; i++) {
    const { index } = yield* select(out.send(i), ctx.done().recv());
    if (index === 1) break;
  }
  yield* left.send("generate");
});

const square = goroutine(import.meta, function* square(ctx, source, out, left) {
  for (;;) {
    const taken = yield* select(source.recv(), ctx.done().recv());
    if (taken.index === 1) break;
    const given = yield* select(out.send(taken.value ** 2), ctx.done().recv());
    if (given.index === 1) break;
  }
  yield* left.send("square");
});
