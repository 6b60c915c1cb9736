/** ErrGroup's bookkeeping: members that wait for the limit, those who wait for them, the first error. */

import { describe, expect, test } from "vitest";
import { CanceledError, CloneError, MemoryLimitError } from "../../src/base/errors.ts";
import { chan } from "../../src/channel/channel.ts";
import type { Chan } from "../../src/channel/types.ts";
import { context } from "../../src/context/context.ts";
import { ErrGroup } from "../../src/context/err-group.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { body, singleMachine } from "../support/single-machine.ts";

function* settle(): Goroutine<void> {
  for (let i = 0; i < 10; i++) yield* gosched();
}

const member = body(function* member(name: string, log: Chan<string>, gate: Chan<boolean>): Goroutine<void> {
  log.trySend(name);
  yield* gate.recv();
});

const quick = body(function quick(): void {});

function drained(log: Chan<string>): string {
  let items = "";
  for (let item = log.tryRecv(); item !== undefined; item = log.tryRecv()) items += item[0];
  return items;
}

describe("the limit", () => {
  test("members start in the order in which they were given, each when one has ended", async () => {
    const main = body(function* main(): Goroutine<string[]> {
      const group = new ErrGroup();
      group.setLimit(2);
      const log = chan<string>(10);
      const gate = chan<boolean>();
      for (const name of "abcde") group.go(member, name, log, gate);
      const seen: string[] = [];
      for (let i = 0; i < 4; i++) {
        yield* settle();
        seen.push(drained(log));
        yield* gate.send(true);
      }
      gate.close();
      yield* group.wait();
      return seen;
    });
    expect(await singleMachine().run(main)).toEqual(["ab", "c", "d", "e"]);
  });

  test("who was not let in before does not overtake", async () => {
    const main = body(function* main(): Goroutine<boolean[]> {
      const group = new ErrGroup();
      group.setLimit(1);
      const log = chan<string>(10);
      const gate = chan<boolean>();
      group.go(member, "a", log, gate);
      const waiting = group.go(member, "b", log, gate);
      yield* settle();
      const first = group.tryGo(member, "c", log, gate);
      gate.trySend(true);
      yield* waiting;
      const second = group.tryGo(member, "c", log, gate);
      gate.close();
      yield* group.wait();
      return [first, second, group.tryGo(member, "c", log, gate)];
    });
    const { run, settle: rest } = singleMachine();
    expect(await run(main)).toEqual([false, false, true]);
    await rest();
  });

  test("a cancelled wait for the start takes nothing back: the member starts in its turn", async () => {
    const starter = body(function* starter(
      group: ErrGroup,
      log: Chan<string>,
      gate: Chan<boolean>,
    ): Goroutine<void> {
      yield* group.go(member, "b", log, gate);
    });
    const main = body(function* main(): Goroutine<unknown> {
      const group = new ErrGroup();
      group.setLimit(1);
      const log = chan<string>(10);
      const gate = chan<boolean>();
      yield* group.go(member, "a", log, gate);
      const waiting = spawn(starter, group, log, gate);
      yield* settle();
      waiting.cancel();
      let told = "";
      try {
        yield* waiting;
      } catch (error) {
        told = (error as Error).name;
      }
      gate.close();
      yield* group.wait();
      return [told, drained(log)];
    });
    expect(await singleMachine().run(main)).toEqual(["CanceledError", "ab"]);
  });

  test("members that a limit of 0 kept waiting start when it is raised", async () => {
    const main = body(function* main(): Goroutine<string[]> {
      const group = new ErrGroup();
      const log = chan<string>(10);
      const gate = chan<boolean>();
      group.setLimit(0);
      for (const name of "abc") group.go(member, name, log, gate);
      const seen: string[] = [];
      yield* settle();
      seen.push(drained(log));
      group.setLimit(2);
      yield* settle();
      seen.push(drained(log));
      gate.close();
      yield* group.wait();
      return [...seen, drained(log)];
    });
    expect(await singleMachine().run(main)).toEqual(["", "ab", "c"]);
  });

  test.each([1.5, Number.NaN, 2 ** 31, "3"])("%s is refused", async (limit) => {
    const main = body(function* main(): Goroutine<string> {
      yield* gosched();
      try {
        new ErrGroup().setLimit(limit as number);
      } catch (error) {
        return `${(error as Error).name}: ${(error as Error).message}`;
      }
      return "accepted";
    });
    expect(await singleMachine().run(main)).toMatch(/^RangeError: ErrGroup.setLimit: /);
  });
});

describe("the first error", () => {
  const throws = body(function* throws(error: unknown): Goroutine<void> {
    yield* gosched();
    throw error;
  });
  const throwsUncloneable = body(function* throwsUncloneable(): Goroutine<void> {
    yield* gosched();
    throw Object.assign(new TypeError("readable"), { call() {} });
  });

  test.each([
    ["an error", new RangeError("boom"), new RangeError("boom")],
    ["a string", "boom", "boom"],
    ["undefined", undefined, undefined],
    ["an object", { code: 7 }, { code: 7 }],
  ])("%s is what wait throws, again and again", async (_what, thrown, expected) => {
    const main = body(function* main(): Goroutine<unknown> {
      const group = new ErrGroup();
      yield* group.go(throws, thrown);
      const seen: unknown[] = [];
      for (let i = 0; i < 2; i++) {
        try {
          yield* group.wait();
        } catch (error) {
          seen.push(error);
        }
      }
      return seen;
    });
    expect(await singleMachine().run(main)).toEqual([expected, expected]);
  });

  test("that cannot be copied keeps its message", async () => {
    const main = body(function* main(): Goroutine<unknown> {
      const group = new ErrGroup();
      yield* group.go(throwsUncloneable);
      try {
        yield* group.wait();
      } catch (error) {
        return (error as Error).message;
      }
      return "none";
    });
    const { run, panics } = singleMachine();
    expect(await run(main)).toBe("readable");
    expect(panics).toEqual([]);
  });
});

describe("an error with a getter", () => {
  const throwsWith = (get: (group: ErrGroup) => unknown): ((group: ErrGroup) => never) =>
    body(function withGetter(group: ErrGroup): never {
      throw Object.defineProperty(new RangeError("boom"), "detail", {
        get: () => get(group),
        enumerable: true,
      });
    });
  const outcome = async (member: (group: ErrGroup) => never): Promise<unknown> => {
    const main = body(function* main(): Goroutine<unknown> {
      const group = new ErrGroup();
      group.go(member, group);
      try {
        yield* group.wait();
      } catch (error) {
        return error;
      }
      return "none";
    });
    const { run, panics } = singleMachine();
    const error = await run(main);
    expect(panics).toEqual([]);
    return error;
  };

  test("that uses the group is kept: no lock is held while the program runs", async () => {
    const error = await outcome(throwsWith((group) => group.tryGo(quick)));
    expect(error).toEqual(Object.assign(new RangeError("boom"), { detail: true }));
  });

  test("that throws what cannot be copied either keeps its class and message", async () => {
    const error = await outcome(
      throwsWith(() => {
        throw Symbol("unreadable");
      }),
    );
    expect(error).toEqual(new RangeError("boom"));
  });

  test("and traps that throw what cannot be copied, so that nothing of it can be read, is a CloneError", async () => {
    const hostile = body(function hostile(): never {
      const fails = (): never => {
        throw Symbol("unreadable");
      };
      // oxlint-disable-next-line typescript/only-throw-error -- it need not be one
      throw new Proxy({}, { getPrototypeOf: fails, ownKeys: fails, get: fails });
    });
    expect(await outcome(hostile)).toBeInstanceOf(CloneError);
  });
});

test("an error for which there is no room ends the group all the same", async () => {
  const runtime = singleMachine();
  const fills = body(function fills(): never {
    const { slab } = runtime.machine;
    for (let bytes = slab.maxBytes; bytes >= 64; bytes /= 2) while (slab.take(bytes) !== 0);
    throw new Error("boom");
  });
  const main = body(function* main(): Goroutine<boolean> {
    const group = new ErrGroup();
    group.go(fills);
    try {
      yield* group.wait();
    } catch (error) {
      return error instanceof MemoryLimitError && group.context.err() instanceof CanceledError;
    }
    return false;
  });
  expect(await runtime.run(main)).toBe(true);
  expect(runtime.panics).toEqual([]);
});

test("a group for which there is no record leaves nothing behind", async () => {
  const { machine, run } = singleMachine({ maxObjects: 64 });
  const kept: ErrGroup[] = [];
  const main = body(function* main(): Goroutine<number> {
    yield* gosched();
    try {
      for (;;) kept.push(new ErrGroup(context.background()));
    } catch (error) {
      expect(error).toBeInstanceOf(MemoryLimitError);
    }
    return kept.length;
  });
  const groups = (await run(main)) as number;
  expect(groups).toBeGreaterThan(0);
  const before = machine.slab.census();
  expect(await run(main)).toBe(groups);
  expect(machine.slab.census()).toEqual(before);
});
