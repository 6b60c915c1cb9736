import { getEventListeners } from "node:events";
import { CanceledError, chan, spawnWith } from "heddle";
import { describe, expect, test } from "vitest";
import * as programs from "./cancel.mjs";
import { onProcs, until } from "./support/on-procs.ts";

type Kind = "generator" | "async" | "plain";
const KINDS: Kind[] = ["generator", "async", "plain"];
const TOLD = "CanceledError: context canceled < why";

onProcs("Handle.cancel", (runtime) => {
  describe.each(KINDS)("%s body", (kind) => {
    describe.each(programs.OPERATIONS)("in %s", (operation) => {
      test.each([0, 5])(
        "is thrown there; finally blocks and deferred calls run, and wait; after %d turns",
        async (turns) => {
          const { outcome, log } = await runtime().run(programs.cancelParked, operation, kind, turns);
          expect(log).toEqual(["begun", TOLD, "finally", "deferred"]);
          expect(outcome).toBe(TOLD);
        },
      );
    });

    test("started under a context that is done: never starts", async () => {
      expect(await runtime().run(programs.startDone, kind)).toEqual({ outcome: TOLD, log: [] });
    });

    test("not started: never starts, or is thrown at its first wait", async () => {
      const { outcome, log } = (await runtime().run(programs.cancelUnstarted, kind)) as {
        outcome: string;
        log: string[];
      };
      expect(outcome).toBe(TOLD);
      // With several processors another machine may have been faster.
      expect(runtime().stats().procs === 1 ? log : [[], ["begun", TOLD, "finally", "deferred"]]).toEqual(
        runtime().stats().procs === 1 ? [] : expect.arrayContaining([log]),
      );
    });

    test.each(["gosched", "checkpoint", "shouldYield"])("running, looks at %s", async (what) => {
      const { handle, begun } = runtime().enter(() => programs.startRunning(what, kind));
      await begun;
      handle.cancel();
      await expect(handle).rejects.toBeInstanceOf(CanceledError);
    });

    test("is told once: who catches it goes on", async () => {
      expect(await runtime().run(programs.survive, kind)).toEqual(["CanceledError", "still served"]);
    });

    test.each(["a handle", "ErrGroup.wait"])(
      "parent and child: clean-up after %s is not interrupted",
      async (how) => {
        expect(await runtime().run(programs.cancelJoiner, how, kind)).toEqual(["CanceledError", "finally"]);
      },
    );

    test("deferred calls of a body that ended by itself are not interrupted", async () => {
      expect(await runtime().run(programs.cancelItself, kind)).toEqual({
        outcome: "ended by itself",
        log: ["deferred"],
      });
    });

    test("leaves no waiter behind", async () => {
      expect(await runtime().run(programs.leavesNothing[kind])).toEqual({
        names: ["CanceledError", "CanceledError", "CanceledError", "rlock"],
        taken: false,
        lock: true,
        permit: true,
      });
    });

    test("a wait for a condition holds the mutex again", async () => {
      expect(await runtime().run(programs.condIsRelocked, kind)).toEqual({ locked: true, free: true });
    });

    test.each([
      ["its own context", false],
      ["a context below its own", true],
    ])("a worker that selects on the end of %s is not interrupted", async (_which, derived) => {
      expect(await runtime().run(programs.goStyleWorker, kind, derived)).toEqual({
        done: 10,
        why: "enough",
        err: "context canceled",
      });
    });

    test("an AbortSignal of the host cancels, and its reason is the cause", async () => {
      const controller = new AbortController();
      const reason = await runtime().enter(async () => {
        const ready = chan<boolean>();
        const handle = spawnWith({ signal: controller.signal }, programs.waitsForEver[kind], ready);
        await ready.recv();
        controller.abort(new Error("changed my mind"));
        return Promise.resolve(handle).catch((error: Error) => error);
      });
      expect(reason).toBeInstanceOf(CanceledError);
      expect((reason as Error).cause).toMatchObject({ message: "changed my mind" });
      await until(() => getEventListeners(controller.signal, "abort").length === 0);
    });
  });

  test("after the end changes nothing", async () => {
    expect(await runtime().run(programs.cancelEnded)).toEqual([42, 42, 43]);
  });

  test("reaches children and their children", async () => {
    expect(await runtime().run(programs.inherited, 4)).toEqual([16, 8, 4, 2, 1]);
    expect(runtime().closed).toBe(false);
  });

  test("does not reach a child with a context of its own", async () => {
    expect(await runtime().run(programs.notInherited)).toBe("went on");
  });

  test("one after the other: no worker that waits for the end of its context is interrupted", async () => {
    const handles = await runtime().run(programs.goStyleWorkers, 200);
    for (const handle of handles) handle.cancel(new Error("enough"));
    const outcomes = await Promise.all(handles);
    expect(outcomes).toEqual(handles.map(() => ({ done: 0, why: "enough", err: "context canceled" })));
  });

  test("an async body in a promise of its own is told at its next operation", async () => {
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const ready = runtime().enter(() => chan<boolean>());
    const log = runtime().enter(() => chan<string>(10));
    const handle = runtime().spawn(programs.foreign, gate.buffer, ready, log);
    await ready.recv();
    handle.cancel();
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await expect(handle).rejects.toBeInstanceOf(CanceledError);
    expect(log.tryRecv()).toEqual(["opened", true]);
  });

  test("the signal of its own context reaches an async body at once", async () => {
    const ready = runtime().enter(() => chan<boolean>());
    const handle = runtime().spawn(programs.abortable, ready);
    await ready.recv();
    handle.cancel(new Error("enough"));
    expect(await handle).toBe("enough");
  });
});

onProcs("an AbortSignal given to spawnWith", (runtime) => {
  test("that is aborted already: the body is cancelled before it begins, or at its first wait", async () => {
    const ready = runtime().enter(() => chan<boolean>());
    const handle = runtime().spawnWith(
      { signal: AbortSignal.abort() },
      programs.waitsForEver.generator,
      ready,
    );
    await expect(handle).rejects.toBeInstanceOf(CanceledError);
  });

  test("ends the goroutine's own context, with the reason as cause", async () => {
    const controller = new AbortController();
    const ready = runtime().enter(() => chan<boolean>());
    const handle = runtime().spawnWith({ signal: controller.signal }, programs.seesCause, ready);
    await ready.recv();
    controller.abort("a reason");
    expect(await handle).toBe("a reason");
  });

  test("is left alone when the goroutine has ended", async () => {
    const controller = new AbortController();
    const handle = runtime().spawnWith({ signal: controller.signal }, programs.returnsValue, 42);
    expect(await handle).toBe(42);
    await until(() => getEventListeners(controller.signal, "abort").length === 0);
    controller.abort();
    expect(await handle).toBe(42);
  });

  test("one signal ends many goroutines", async () => {
    const controller = new AbortController();
    const ready = runtime().enter(() => chan<boolean>());
    const handles = Array.from({ length: 50 }, () =>
      runtime().spawnWith({ signal: controller.signal }, programs.waitsForEver.generator, ready),
    );
    for (let i = 0; i < handles.length; i++) await ready.recv();
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    controller.abort();
    const outcomes = await Promise.allSettled(handles);
    expect(
      outcomes.every((outcome) => outcome.status === "rejected" && outcome.reason instanceof CanceledError),
    ).toBe(true);
  });
});
