/** A goroutine that joins one which has never run, and calls it: what must be as if it had parked. */

import { describe, expect, test } from "vitest";
import { CanceledError } from "../../src/base/errors.ts";
import { chan } from "../../src/channel/channel.ts";
import { WAITING } from "../../src/goroutine/status.ts";
import { REASON_JOIN } from "../../src/goroutine/wait-reason.ts";
import { G_STATUS, G_WAIT_REASON } from "../../src/memory/layout.ts";
import { goexit } from "../../src/scheduler/api/defer.ts";
import { go, spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import type { GoroutineHandle } from "../../src/scheduler/thread/handle.ts";
import { sleep } from "../../src/time/sleep.ts";
import { body, singleMachine } from "../support/single-machine.ts";

const fib = body(function* fib(n: number): Goroutine<number> {
  if (n < 2) return n;
  const a = spawn(fib, n - 1);
  const b = spawn(fib, n - 2);
  return (yield* a) + (yield* b);
});

let order: string[] = [];

const note = body(function* note(what: string): Goroutine<void> {
  order.push(what);
});

/** Starts and awaits enough of them for the ring's newest to be run at its join. */
const warmUp = body(function* warmUp(): Goroutine<void> {
  for (let i = 0; i < 100; i++) {
    const first = spawn(note, "");
    const second = spawn(note, "");
    yield* first;
    yield* second;
  }
  order = [];
});

describe("order", () => {
  test("the joined one of the slot runs at once, and the joiner goes on before others", async () => {
    const main = body(function* main(): Goroutine<void> {
      // Its function is loaded from here on.
      yield* spawn(note, "");
      order = [];
      go(note, "other");
      yield* spawn(note, "joined");
      order.push("joiner");
    });
    await singleMachine().run(main);
    expect(order.slice(0, 2)).toEqual(["joined", "joiner"]);
  });

  test("of two, the last goes first, as in Go, until their function is known to be joined so", async () => {
    const main = body(function* main(): Goroutine<void> {
      yield* spawn(note, "");
      order = [];
      const first = spawn(note, "first");
      const second = spawn(note, "second");
      yield* first;
      yield* second;
    });
    const machine = singleMachine();
    await machine.run(main);
    expect(order).toEqual(["second", "first"]);
    await machine.run(warmUp);
    await machine.run(main);
    expect(order).toEqual(["first", "second"]);
  });
});

describe("the joiner", () => {
  test("is seen as one that waits for a join", async () => {
    const machine = singleMachine();
    let parent = 0;
    const child = body(function* child(): Goroutine<number[]> {
      const { i32 } = machine.memory;
      return [i32[parent + G_STATUS], i32[parent + G_WAIT_REASON]];
    });
    const main = body(function* main(): Goroutine<number[]> {
      parent = machine.machine.currentBase();
      return yield* spawn(child);
    });
    expect(await machine.run(main)).toEqual([WAITING, REASON_JOIN]);
  });

  test("parks if the joined one parks or gives way, and has its result in the end", async () => {
    const parks = body(function* parks(): Goroutine<string> {
      const ch = chan<string>();
      go(sends, ch);
      return (yield* ch.recv()) as string;
    });
    const sends = body(function* sends(ch: ReturnType<typeof chan<string>>): Goroutine<void> {
      yield* ch.send("received");
    });
    const gives = body(function* gives(): Goroutine<string> {
      yield* gosched();
      return "came back";
    });
    const main = body(function* main(): Goroutine<string[]> {
      return [yield* spawn(parks), yield* spawn(gives)];
    });
    expect(await singleMachine().run(main)).toEqual(["received", "came back"]);
  });

  test("that is cancelled does not run whom it joins, and is told", async () => {
    const machine = singleMachine();
    let parent: GoroutineHandle<unknown> | undefined;
    const joins = body(function* joins(): Goroutine<string[]> {
      yield* spawn(note, "before");
      parent?.cancel();
      try {
        yield* spawn(note, "after");
      } catch (error) {
        order.push((error as Error).name);
      }
      return order;
    });
    const main = body(function* main(): Goroutine<string[]> {
      order = [];
      const handle = spawn(joins);
      parent = handle as unknown as GoroutineHandle<unknown>;
      return yield* handle;
    });
    expect(await machine.run(main)).toEqual(["before", CanceledError.name]);
  });

  test("is thrown what the joined one throws, and is not ended by its goexit", async () => {
    const fails = body(function* fails(): Goroutine<void> {
      throw new RangeError("too far");
    });
    const leaves = body(function* leaves(): Goroutine<number> {
      goexit();
    });
    const main = body(function* main(): Goroutine<unknown[]> {
      let message = "";
      try {
        yield* spawn(fails);
      } catch (error) {
        message = (error as Error).message;
      }
      return [message, yield* spawn(leaves), machine.machine.currentId() > 0];
    });
    const machine = singleMachine();
    expect(await machine.run(main)).toEqual(["too far", undefined, true]);
  });
});

describe("large trees", () => {
  test("fork-join gives the right sums, with as many alive as the tree is deep", async () => {
    const machine = singleMachine({ maxGoroutines: 200 });
    expect(await machine.run(fib, 18)).toBe(2584);
  });

  test("a chain deeper than any stack ends", async () => {
    const deep = body(function* deep(n: number): Goroutine<number> {
      return n === 0 ? 0 : 1 + (yield* spawn(deep, n - 1));
    });
    expect(await singleMachine().run(deep, 9000)).toBe(9000);
  });

  test("do not keep others waiting: those made ready, those in the global queue, timers, the event loop", async () => {
    let counted = 0;
    let now = 0;
    const machine = singleMachine({ clock: () => now });
    const count = body(function* count(): Goroutine<void> {
      for (;;) {
        counted++;
        yield* gosched();
      }
    });
    const sleeper = body(function* sleeper(): Goroutine<void> {
      yield* sleep(20);
      order.push("woken");
    });
    // Time goes on with every goroutine, so that how far others come does not depend on the machine.
    const tick = body(function* tick(n: number): Goroutine<number> {
      now += 0.01;
      if (n < 2) return n;
      const a = spawn(tick, n - 1);
      const b = spawn(tick, n - 2);
      return (yield* a) + (yield* b);
    });
    order = [];
    const main = body(function* main(): Goroutine<[number, string[], string]> {
      const counter = spawn(count);
      spawn(sleeper);
      yield* gosched();
      const before = counted;
      yield* spawn(tick, 17);
      const gained = counted - before;
      counter.cancel();
      return [gained, order, ""];
    });
    const turns = machine.machine as unknown as { turnIsOver(): boolean };
    let over = 0;
    const { turnIsOver } = turns;
    turns.turnIsOver = function look() {
      const is = turnIsOver.call(this);
      if (is) over++;
      return is;
    };
    const [gained, woken] = (await machine.run(main)) as [number, string[], string];
    expect(gained).toBeGreaterThan(20);
    expect(woken).toContain("woken");
    expect(over).toBeGreaterThan(2);
  });
});
