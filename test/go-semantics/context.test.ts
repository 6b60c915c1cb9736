import { CanceledError, type Context, chan, context, DeadlineExceededError, spawnWith } from "heddle";
import { describe, expect, test } from "vitest";
import * as programs from "./context.mjs";
import { onProcs } from "./support/on-procs.ts";

type Form = "generator" | "async" | "plain" | "host";
const FORMS: Form[] = ["generator", "async", "plain", "host"];
const CANCELED = "CanceledError: context canceled";
const EXCEEDED = "DeadlineExceededError: context deadline exceeded";
const NOT_DONE = { done: false, err: undefined, cause: undefined };

const TABLE: Record<string, unknown> = {
  background: { ...NOT_DONE, deadline: undefined, value: undefined, aborted: false },
  "cancel ends the context and all below it, not those above and beside it": {
    before: [false, false, false, false, false],
    after: [undefined, CANCELED, undefined, CANCELED, CANCELED],
  },
  "the end is final: the first call counts": { done: true, err: CANCELED, cause: "first" },
  "a cause goes down the tree; one who ended before keeps his own": [
    ["early", "early"],
    ["parent's", "parent's"],
  ],
  "without a cause, the cause is the error": CANCELED,
  "below a context that is done nothing begins": Array.from({ length: 3 }, () => ({
    done: true,
    err: CANCELED,
    cause: "over",
  })),
  "done gives one channel, which is closed once": Array.from({ length: 4 }, () => [undefined, false]),
  "a timeout ends the context": {
    done: true,
    err: EXCEEDED,
    cause: "context deadline exceeded",
    passed: true,
  },
  "a deadline in the past ends it at once": Array.from({ length: 3 }, () => ({
    done: true,
    err: EXCEEDED,
    cause: "context deadline exceeded",
  })),
  "of two deadlines the earlier counts": [8e15, 8e15, 7e15, 7e15],
  "cancelled before its deadline it stays cancelled": CANCELED,
  "a parent's deadline ends the child": [EXCEEDED, EXCEEDED],
  "the nearest value counts": {
    top: ["top", undefined],
    middle: ["top", { deep: [1, 2] }],
    bottom: [undefined, { deep: [1, 2] }, undefined],
  },
  "a value is a copy; a channel in it is the channel": [[1], "through"],
  "the signal of a context that is done": [true, "why", true],
  "hundred below one, and one below hundred": true,
  "who sees the end of a context sees that of those above": ["context canceled", "context canceled"],
  mistakes: [
    "TypeError",
    "TypeError",
    "TypeError",
    "TypeError",
    "TypeError",
    "TypeError",
    "TypeError",
    "CloneError",
  ],
};

onProcs("contexts", (runtime) => {
  describe.each(FORMS)("%s", (form) => {
    test.each(Object.entries(TABLE))("%s", async (name, expected) => {
      const body = programs.BODIES[name][form];
      const outcome = form === "host" ? runtime().enter(() => body()) : runtime().run(body);
      expect(await outcome).toEqual(expected);
    });
  });

  test("the signal aborts with the cause", async () => {
    expect(await runtime().run(programs.signalInBody)).toEqual([false, true, "why"]);
    expect(await runtime().enter(programs.signalOf)).toEqual([false, true, "why"]);
  });

  describe("across threads", () => {
    test.each(["generator", "async", "plain"] as const)(
      "a context of the host ends in a %s body",
      async (kind) => {
        const [contexts, [ctx, cancel]] = runtime().enter(() => [
          chan(),
          context.withCancel(context.withValue(context.background(), "key", "value")),
        ]);
        const handle = runtime().spawn(programs.followsSent[kind], contexts);
        await contexts.send(ctx);
        cancel("enough");
        expect(await handle).toEqual(["context canceled", "enough", "value", true]);
      },
    );

    test("a context of a goroutine ends on the host, and aborts its signal there", async () => {
      const [out, stop] = runtime().enter(() => [chan<Context>(), chan()] as const);
      const handle = runtime().spawn(programs.ownsContext, out, stop);
      const ctx = (await out.recv()) as Context;
      const aborted = new Promise((resolve) => ctx.signal.addEventListener("abort", resolve, { once: true }));
      expect(ctx.err()).toBeUndefined();
      stop.close();
      await Promise.all([ctx.done().recv(), aborted, handle]);
      expect([ctx.cause(), ctx.signal.reason, ctx.value("key")]).toEqual(["asked to", "asked to", "value"]);
    });
  });

  describe("goroutines", () => {
    test.each(["generator", "async", "plain"] as const)(
      "are thrown their context's end where they wait, %s body",
      async (kind) => {
        const [ready, [ctx, cancel]] = runtime().enter(() => [
          chan(),
          context.withCancel(context.background()),
        ]);
        const canceled = runtime().enter(() => spawnWith({ context: ctx }, programs.parked[kind], ready));
        await ready.recv();
        cancel();
        await expect(canceled).rejects.toBeInstanceOf(CanceledError);
      },
    );

    test.each(["generator", "async", "plain"] as const)(
      "are thrown their deadline where they wait, %s body",
      async (kind) => {
        const ready = runtime().enter(() => chan(1));
        const exceeded = runtime().enter(() => {
          const [ctx] = context.withTimeout(context.background(), 30);
          return spawnWith({ context: ctx }, programs.parked[kind], ready);
        });
        await expect(exceeded).rejects.toBeInstanceOf(DeadlineExceededError);
      },
    );

    test("find what they were started with, and so do those they start", async () => {
      const seen = await runtime().enter(() => {
        const [ctx] = context.withDeadline(context.withValue(context.background(), "key", "value"), 8e15);
        return spawnWith({ context: ctx }, programs.looksAtOwn);
      });
      expect(seen).toEqual({ deadline: 8e15, value: "value", child: ["value", "value"] });
    });

    test("are not touched by the end of a context that they made", async () => {
      expect(await runtime().run(programs.ownIsSeparate)).toEqual([
        "below: CanceledError",
        "beside went on",
        undefined,
      ]);
    });

    test("a pipeline stops when its reader has enough", async () => {
      expect(await runtime().run(programs.pipeline, 5)).toEqual([
        [1, 4, 9, 16, 25],
        ["generate", "square"],
      ]);
    });
  });
});
