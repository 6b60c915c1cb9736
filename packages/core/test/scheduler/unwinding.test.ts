/** The end of a goroutine, step by step: what is kept between its deferred calls, and what its frame leaves behind. */

import { describe, expect, test } from "vitest";
import { MisuseError } from "../../src/base/errors.ts";
import { chan } from "../../src/channel/channel.ts";
import type { Chan } from "../../src/channel/types.ts";
import { defer, goexit, recover } from "../../src/scheduler/api/defer.ts";
import { go, spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { EXIT, Unwinding } from "../../src/scheduler/machine/unwinding.ts";
import { body, singleMachine } from "../support/single-machine.ts";

/** An unwinding inside a deferred call. */
function calling(value: unknown, failed: boolean): Unwinding {
  const unwinding = new Unwinding(value, failed);
  unwinding.calling = true;
  return unwinding;
}

describe("what ends a goroutine", () => {
  test("a result stays the result", () => {
    const unwinding = calling("result", false);
    expect(unwinding.recover()).toBeUndefined();
    expect(unwinding.outcome()).toBe("result");
  });

  test("a recovered error leaves no result, and is recovered once", () => {
    const error = new Error("boom");
    const unwinding = calling(error, true);
    expect(unwinding.recover()).toBe(error);
    expect(unwinding.recover()).toBeUndefined();
    expect(unwinding.outcome()).toBeUndefined();
  });

  test("recover between the calls does nothing", () => {
    const error = new Error("boom");
    const unwinding = new Unwinding(error, true);
    expect(unwinding.recover()).toBeUndefined();
    expect(() => unwinding.outcome()).toThrow(error);
  });

  test("undefined can be thrown and recovered", () => {
    const unwinding = calling(undefined, true);
    expect(unwinding.recover()).toBeUndefined();
    expect(unwinding.outcome()).toBeUndefined();
    expect(() => calling(undefined, true).outcome()).toThrow();
  });

  test("a later error keeps the earlier as its cause, unless it has one", () => {
    const first = new Error("first");
    const second = new Error("second");
    const unwinding = calling(first, true);
    unwinding.replaceBy(second);
    expect(second.cause).toBe(first);
    expect(Object.keys(second), "not listed among its properties").toEqual([]);
    const own = new Error("third", { cause: "own" });
    unwinding.replaceBy(own);
    expect(own.cause).toBe("own");
    expect(unwinding.recover()).toBe(own);
  });

  test.each([["a string"], [Object.freeze(new Error("frozen"))], [null]])(
    "%s has no room for a cause",
    (error) => {
      const unwinding = calling(new Error("first"), true);
      unwinding.replaceBy(error);
      expect(unwinding.recover()).toBe(error);
    },
  );

  test("after a recovered error a new one has no cause", () => {
    const unwinding = calling(new Error("first"), true);
    unwinding.recover();
    const second = new Error("second");
    unwinding.replaceBy(second);
    expect(second.cause).toBeUndefined();
  });

  test("goexit drops the error", () => {
    const unwinding = calling(new Error("boom"), true);
    unwinding.exit();
    expect(unwinding.recover()).toBeUndefined();
    expect(unwinding.outcome()).toBeUndefined();
  });

  test("its signal is no error", () => {
    expect(EXIT).not.toBeInstanceOf(Error);
    expect(Object.isFrozen(EXIT)).toBe(true);
  });
});

const caught = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    return await promise;
  } catch (error) {
    return error;
  }
};

describe("a body", () => {
  test("has its deferred calls run once, however many goroutines use the frame after it", async () => {
    const { run } = singleMachine();
    let calls = 0;
    const deferring = body(function* deferring(): Goroutine<void> {
      defer(() => {
        calls++;
      });
      yield* gosched();
    });
    const quiet = body(function* quiet(): Goroutine<void> {
      yield* gosched();
    });
    for (let i = 0; i < 5; i++) {
      await run(deferring);
      await run(quiet);
    }
    expect(calls).toBe(5);
  });

  test("that is called again in its own deferred call has a stack of its own", async () => {
    const { run } = singleMachine();
    const log: string[] = [];
    const main = body(function* main(): Goroutine<string> {
      defer(function* () {
        const child = spawn(failing);
        try {
          yield* child;
        } catch (error) {
          log.push(`child: ${(error as Error).message}`);
        }
        log.push(`own: ${(recover() as Error).message}`);
      });
      yield* gosched();
      throw new Error("parent's");
    });
    const failing = body(function* failing(): Goroutine<void> {
      defer(() => {
        log.push("child's call");
      });
      yield* gosched();
      throw new Error("child's");
    });
    expect(await run(main)).toBeUndefined();
    expect(log).toEqual(["child's call", "child: child's", "own: parent's"]);
  });

  test("that exits has its handle filled, and is no panic", async () => {
    const { run, panics, settle } = singleMachine();
    const exits = body(function* exits(): Goroutine<string> {
      yield* gosched();
      goexit();
    });
    const main = body(function* main(): Goroutine<unknown> {
      go(exits);
      return yield* spawn(exits);
    });
    expect(await run(main)).toBeUndefined();
    await settle();
    expect(panics).toEqual([]);
  });

  test("whose deferred call fails is a panic with that error", async () => {
    const { run, panics, settle } = singleMachine();
    const fails = body(function* fails(): Goroutine<void> {
      defer(async () => {
        await gosched();
        throw new Error("second");
      });
      yield* gosched();
      throw new Error("first");
    });
    const main = body(function main(): void {
      go(fails);
    });
    await run(main);
    await settle();
    expect(panics).toMatchObject([{ message: "second", cause: { message: "first" } }]);
  });

  test("that catches everything for ever ends at goexit all the same", async () => {
    const { run } = singleMachine();
    let rounds = 0;
    const stubborn = body(function* stubborn(ch: Chan<number>): Goroutine<void> {
      while (rounds < 100) {
        try {
          rounds++;
          if (rounds === 1) goexit();
          yield* ch.recv();
        } catch {}
      }
    });
    const main = body(function* main(): Goroutine<unknown> {
      return yield* spawn(stubborn, chan<number>());
    });
    expect(await run(main)).toBeUndefined();
    expect(rounds).toBe(100);
  });
});

describe("what an async body leaves behind", () => {
  test("belongs to nobody: its frame is not another goroutine's later", async () => {
    const { run, settle } = singleMachine();
    const gate: { open(): void } = { open: () => {} };
    const seen: unknown[] = [];
    const opened = new Promise<void>((resolve) => {
      gate.open = resolve;
    });
    const leaves = body(async (): Promise<string> => {
      // Nobody waits for this.
      void opened.then(() => {
        seen.push(recover());
        try {
          defer(() => {
            seen.push("a call that is nobody's");
          });
        } catch (error) {
          seen.push(error instanceof MisuseError);
        }
      });
      return "ended";
    });
    const later = body(function* later(ch: Chan<boolean>): Goroutine<string> {
      yield* ch.recv();
      return "untouched";
    });
    expect(await run(leaves)).toBe("ended");
    const main = body(function* main(): Goroutine<string> {
      const ch = chan<boolean>();
      const handle = spawn(later, ch);
      yield* gosched();
      gate.open();
      for (let i = 0; i < 50; i++) yield* gosched();
      ch.close();
      return yield* handle;
    });
    expect(await caught(run(main))).toBe("untouched");
    await settle();
    expect(seen).toEqual([undefined, true]);
  });
});
