import { CanceledError, chan, context, DeadlockError, Mutex, type Runtime, start, WaitGroup } from "heddle";
import { describe, expect, test } from "vitest";
import * as programs from "./deadlock.mjs";
import { onProcs } from "./support/on-procs.ts";

const KINDS = ["generator", "async", "plain"] as const;
const PROCS = [1, 4];

/** How a case that is no deadlock is given time to be mistaken for one, in ms: several looks of the watch. */
const LOOKS = 60;

/** Runs to a deadlock; what it was told. */
async function deadlock(
  procs: number,
  begin: (runtime: Runtime) => Promise<unknown>,
): Promise<DeadlockError> {
  const runtime = await start({ procs });
  try {
    const [told, besides] = await Promise.allSettled([begin(runtime), runtime.run(programs.waitsForEver)]);
    const { reason } = told as PromiseRejectedResult;
    expect(reason).toBeInstanceOf(DeadlockError);
    expect((besides as PromiseRejectedResult).reason).toBeInstanceOf(DeadlockError);
    expect(runtime.closed).toBe(true);
    await expect(runtime.run(programs.waitsForEver)).rejects.toBeInstanceOf(DeadlockError);
    return reason;
  } finally {
    await runtime.close();
  }
}

describe.each(PROCS)("a total deadlock, procs %d", (procs) => {
  test.each(KINDS)("%s bodies: lists who sleeps, and for what", async (kind) => {
    const { message, code } = await deadlock(procs, (runtime) =>
      runtime.run(programs.sleepers, kind, programs.REASONS),
    );
    expect(code).toBe("ERR_HEDDLE_DEADLOCK");
    expect(message).toMatch(/^all goroutines are asleep - deadlock!\n\ngoroutine \d+ \[/);
    for (const reason of programs.REASONS) {
      const header = message.split("\n\n").find((part) => part.includes(`\nwaits for ${reason}(...)`));
      expect(header?.slice(header.indexOf("[")), reason).toMatch(`[${reason}]:`);
      expect(header).toMatch(/created by sleepers in goroutine \d+$/);
    }
    expect(message).toMatch(/goroutine \d+ \[join\]:\nsleepers\(/);
  });
});

describe("deadlocks of textbooks", () => {
  test.each(Object.entries(programs.DEADLOCKS))("%s", async (_what, program) => {
    await deadlock(1, (runtime) => runtime.run(program));
    await deadlock(2, (runtime) => runtime.run(program));
  });
});

test("who waits for the limit of a group is listed so", async () => {
  const { message } = await deadlock(1, (runtime) =>
    runtime.run(programs.DEADLOCKS["a group whose members wait for ever"]),
  );
  expect(message).toMatch(/goroutine \d+ \[errgroup limit\]:\ncannotEnter\(/);
});

onProcs("no deadlock", (runtime) => {
  test.each(Object.entries(programs.NO_DEADLOCKS))("while %s is pending", async (_what, program) => {
    expect(await runtime().run(program, LOOKS)).toBe("came");
  });

  const pause = () => new Promise((resolve) => setTimeout(resolve, LOOKS));

  test.each(KINDS)("while the host has what a %s body waits for", async (kind) => {
    const ch = runtime().enter(() => chan<string>());
    const received = runtime().run(programs.waitsForHost[kind], "a channel", ch);
    await pause();
    await ch.send("came");
    expect(await received).toBe("came");
  });

  test("while the host has a mutex, a WaitGroup or a context that somebody waits for", async () => {
    const [mu, wg, [ctx, cancel]] = runtime().enter(() => [
      new Mutex(),
      new WaitGroup(),
      context.withCancel(context.background()),
    ]);
    mu.tryLock();
    wg.add(1);
    const waiting: [string, unknown, () => void][] = [
      ["a mutex", mu, () => mu.unlock()],
      ["a WaitGroup", wg, () => wg.done()],
      ["a context", ctx, () => cancel()],
    ];
    for (const [what, object, release] of waiting) {
      const came = runtime().run(programs.waitsForHost.generator, what, object);
      await pause();
      release();
      expect(await came).toBe("came");
    }
  });

  test("while the host could cancel: by its handle, by a context, by a signal", async () => {
    const controller = new AbortController();
    const [ctx, cancel] = runtime().enter(() => context.withCancel(context.background()));
    const handle = runtime().spawn(programs.waitsForEver);
    const under = runtime().spawnWith({ context: ctx }, programs.waitsForEver);
    const signalled = runtime().spawnWith({ signal: controller.signal }, programs.waitsForEver);
    const outcomes = Promise.allSettled([handle, under, signalled]);
    await pause();
    handle.cancel();
    cancel();
    controller.abort();
    for (const outcome of await outcomes) {
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(CanceledError);
    }
  });

  test("while one goroutine runs, whoever else sleeps", async () => {
    const handle = runtime().spawn(programs.waitsForEver);
    const cancelled = expect(handle).rejects.toBeInstanceOf(CanceledError);
    expect(await runtime().run(programs.NO_DEADLOCKS["a sleep"], LOOKS)).toBe("came");
    handle.cancel();
    await cancelled;
  });
});
