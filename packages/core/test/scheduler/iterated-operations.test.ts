/** Operations that a body iterates over instead of waiting for them: a forgotten yield*. It must not run on as one that is parked. */

import { describe, expect, test } from "vitest";
import { MisuseError } from "../../src/base/errors.ts";
import { chan } from "../../src/channel/channel.ts";
import { select } from "../../src/channel/select.ts";
import type { Chan } from "../../src/channel/types.ts";
import { ErrGroup } from "../../src/context/err-group.ts";
import { defer, recover } from "../../src/scheduler/api/defer.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { liveGoroutines } from "../../src/scheduler/idle/counters.ts";
import { Barrier } from "../../src/sync/barrier.ts";
import { Cond } from "../../src/sync/cond.ts";
import { Mutex } from "../../src/sync/mutex.ts";
import { Once } from "../../src/sync/once.ts";
import { RWMutex } from "../../src/sync/rw-mutex.ts";
import { Semaphore } from "../../src/sync/semaphore.ts";
import { WaitGroup } from "../../src/sync/wait-group.ts";
import { sleep } from "../../src/time/sleep.ts";
import { body, singleMachine } from "../support/single-machine.ts";

const parked = body(function* parked(gate: Chan<number>): Goroutine<void> {
  yield* gate.recv();
});

function heldMutex(): Mutex {
  const mutex = new Mutex();
  mutex.tryLock();
  return mutex;
}

function heldRWMutex(): RWMutex {
  const mutex = new RWMutex();
  mutex.tryLock();
  return mutex;
}

/** What has to wait, each kind. */
const OPERATIONS: Record<string, (gate: Chan<number>) => Iterable<unknown>> = {
  recv: () => chan().recv(),
  recvOk: () => chan().recvOk(),
  send: () => chan<number>().send(1),
  select: () => select(chan().recv(), chan<number>().send(1)),
  "select without cases": () => select(),
  "a handle": (gate) => spawn(parked, gate),
  sleep: () => sleep(60_000),
  "Mutex.lock": () => heldMutex().lock(),
  "RWMutex.lock": () => heldRWMutex().lock(),
  "RWMutex.rlock": () => heldRWMutex().rlock(),
  "Cond.wait": () => new Cond(heldMutex()).wait(),
  "Semaphore.acquire": () => new Semaphore(0).acquire(),
  "Barrier.wait": () => new Barrier(2).wait(),
  "Once.do": () =>
    new Once().do(function* () {
      yield* chan().recv();
    }),
  "WaitGroup.wait"() {
    const group = new WaitGroup();
    group.add(1);
    return group.wait();
  },
  "ErrGroup.wait"(gate) {
    const group = new ErrGroup();
    group.go(parked, gate);
    return group.wait();
  },
};

/** What is done with it. */
const ITERATIONS: Record<string, (operation: Iterable<unknown>) => unknown> = {
  "for…of, left at once"(operation) {
    for (const _ of operation) break;
  },
  "for…of, to the end"(operation) {
    for (const _ of operation);
  },
  "destructuring of one"(operation) {
    const [_one] = operation;
  },
  "destructuring of two"(operation) {
    const [_one, _two] = operation;
  },
  spread: (operation) => [...operation],
};

describe.each(Object.keys(OPERATIONS))("%s", (operation) => {
  test.each(Object.keys(ITERATIONS))("%s: the body is told, and nobody else notices", async (iteration) => {
    const iterates = body(function* iterates(then: string, gate: Chan<number>): Goroutine<unknown> {
      ITERATIONS[iteration]?.(OPERATIONS[operation]?.(gate) as Iterable<unknown>);
      if (then === "waits") yield* chan().recv();
      if (then === "yields") yield* gosched();
      if (then === "throws") throw new RangeError("of its own");
      return "went on";
    });
    const main = body(function* main(): Goroutine<unknown[]> {
      const gate = chan<number>();
      const told: unknown[] = [];
      for (const then of ["returns", "waits", "yields", "throws"]) {
        try {
          told.push(yield* spawn(iterates, then, gate));
        } catch (error) {
          told.push(error);
        }
      }
      gate.close();
      return told;
    });
    const { run, settle, host } = singleMachine();
    for (const error of (await run(main)) as Error[]) {
      expect(error).toBeInstanceOf(MisuseError);
      expect(error.message).toMatch(/write yield\* before it/);
    }
    await settle();
    expect(liveGoroutines(host.memory)).toBe(0);
  });
});

test("a receiver that was called off takes no value from others", async () => {
  const main = body(function* main(): Goroutine<unknown> {
    const ch = chan<number>();
    try {
      const [_value, _ok] = ch.recvOk() as Iterable<unknown>;
    } catch {
      // Told.
    }
    return [ch.trySend(1), ch.tryRecv()];
  });
  expect(await singleMachine().run(main)).toEqual([false, undefined]);
});

test("one that was served meanwhile ends when it is made ready", async () => {
  const serves = body(function* serves(ch: Chan<number>, cleaned: Chan<string>): Goroutine<string> {
    defer(() => {
      cleaned.trySend("cleaned");
    });
    for (const _ of ch.recv()) break;
    ch.trySend(1);
    return "went on";
  });
  const main = body(function* main(): Goroutine<unknown> {
    const ch = chan<number>();
    const cleaned = chan<string>(1);
    try {
      return yield* spawn(serves, ch, cleaned);
    } catch (error) {
      return [(error as Error).name, ch.tryRecv(), cleaned.tryRecv()];
    }
  });
  expect(await singleMachine().run(main)).toEqual(["MisuseError", undefined, ["cleaned", true]]);
});

test("the error can be recovered from, as any", async () => {
  const recovers = body(function* recovers(): Goroutine<void> {
    defer(() => {
      if (!(recover() instanceof MisuseError)) throw new Error("another error");
    });
    const [_one] = chan().recv() as Iterable<unknown>;
    yield* gosched();
  });
  const main = body(function* main(): Goroutine<unknown> {
    return yield* spawn(recovers);
  });
  expect(await singleMachine().run(main)).toBeUndefined();
});

describe("in a generator that is driven for a body of another kind", () => {
  const iterates: Record<string, () => Goroutine<void>> = {
    *ends() {
      const [_one] = chan().recv() as Iterable<unknown>;
    },
    *throws() {
      for (const _ of chan().recv() as Iterable<unknown>) throw new MisuseError("of its own");
    },
    *"goes on"() {
      const [_one] = chan().recv() as Iterable<unknown>;
      yield* chan().recv();
    },
    *"iterates to the end"() {
      for (const _ of chan().recv() as Iterable<unknown>);
    },
  };

  test.each(Object.keys(iterates))("%s", async (how) => {
    const awaits = body(async function awaits(): Promise<void> {
      await new Once().do(iterates[how] as () => Goroutine<void>);
    });
    const blocks = body(function blocks(): void {
      new Once().do(iterates[how] as () => Goroutine<void>).block();
    });
    const { run, settle, host } = singleMachine();
    await expect(run(awaits)).rejects.toBeInstanceOf(MisuseError);
    await expect(run(blocks)).rejects.toBeInstanceOf(MisuseError);
    await settle();
    expect(liveGoroutines(host.memory)).toBe(0);
  });
});
