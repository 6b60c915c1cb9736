/** Sync objects and timers that run out: a typed error at the caller, and all works again when there is room. */

import { setFlagsFromString } from "node:v8";
import { createContext, runInContext, runInNewContext } from "node:vm";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryLimitError } from "../../src/base/errors.ts";
import { chan } from "../../src/channel/channel.ts";
import { TIMER_CAPACITY } from "../../src/memory/layout.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { TIMER_READY } from "../../src/scheduler/thread/timers.ts";
import { setGarbageCollector } from "../../src/scheduler/thread/watch-list.ts";
import { Mutex } from "../../src/sync/mutex.ts";
import { WaitGroup } from "../../src/sync/wait-group.ts";
import { afterFunc } from "../../src/time/after-func.ts";
import { sleep } from "../../src/time/sleep.ts";
import { after, Ticker } from "../../src/time/ticker.ts";
import { body, singleMachine } from "../support/single-machine.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const job = createContext({}, { microtaskMode: "afterEvaluate" });

beforeEach(() =>
  setGarbageCollector(() => {
    runInContext("0", job);
    collect();
  }),
);
afterEach(() => setGarbageCollector(undefined));

/** Makes things and keeps them until there is no room for another. Returns how many there were. */
function fill(make: () => unknown): number {
  const kept: unknown[] = [];
  try {
    for (;;) kept.push(make());
  } catch (error) {
    if (!(error instanceof MemoryLimitError)) throw error;
    return kept.length;
  }
}

test.each([
  ["channels", () => chan(1)],
  ["mutexes", () => new Mutex()],
  ["WaitGroups", () => new WaitGroup()],
])("%s", async (_, make) => {
  const machine = singleMachine({ maxObjects: 3000 });
  const again = body(() => fill(make));
  expect(await machine.run(again)).toBeGreaterThan(2500);
  // What the first one kept can be collected now, and is when somebody asks long enough after the collection that was in vain.
  let second = 0;
  while (second === 0) second = (await machine.run(again)) as number;
  expect(second).toBeGreaterThan(2500);
});

test("timers", async () => {
  const machine = singleMachine();
  const { timers } = machine.machine;
  const nothing = body(() => {});
  const uses = [() => afterFunc(1e9, nothing), () => after(1e9), () => new Ticker(1e9)];
  const taken: number[] = [];
  const whenFull = body(() => {
    for (let timer = timers.take(TIMER_READY, 0); timer !== 0; timer = timers.take(TIMER_READY, 0))
      taken.push(timer);
    return uses.map((use) => fill(use));
  });
  expect(await machine.run(whenFull)).toEqual([0, 0, 0]);
  expect(taken.length).toBeGreaterThan(TIMER_CAPACITY * 0.9);
  const sleeps = body(function* sleeps(): Goroutine<string> {
    try {
      yield* sleep(1);
      return "slept";
    } catch (error) {
      return (error as Error).name;
    }
  });
  expect(await machine.run(sleeps)).toBe("MemoryLimitError");
  const whenThereIsRoom = body(() => {
    for (const timer of taken.splice(0, 10)) timers.free(timer);
    return uses.map((use) => typeof use());
  });
  expect(await machine.run(whenThereIsRoom)).toEqual(["object", "object", "object"]);
});
