/** Thenables of the program's own: they need not keep the rules that the engine's promises keep. */

import { expect, it } from "vitest";
import { auditMemory } from "../../src/inspect/audit.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { Once } from "../../src/sync/once.ts";
import { body, singleMachine } from "../support/single-machine.ts";

type Callback = (value: unknown) => void;

const callsTwice = body(function callsTwice(): unknown {
  return {
    // biome-ignore lint/suspicious/noThenProperty: what is tested
    then: (resolve: Callback) => {
      resolve("first");
      resolve("second");
    },
  };
});

const callsBothLater = body(function callsBothLater(): unknown {
  return {
    // biome-ignore lint/suspicious/noThenProperty: what is tested
    then: (resolve: Callback, reject: Callback) => {
      queueMicrotask(() => resolve("first"));
      queueMicrotask(() => reject(new Error("second")));
    },
  };
});

const throwsWhenAsked = body(function throwsWhenAsked(): unknown {
  let asked = 0;
  return {
    // biome-ignore lint/suspicious/noThenProperty: what is tested
    get then(): unknown {
      if (asked++ > 0) throw new Error("asked twice");
      return () => {};
    },
  };
});

const ownPromise = body(function ownPromise(): unknown {
  // biome-ignore lint/suspicious/noThenProperty: what is tested
  return Object.assign(Promise.resolve(1), { then: (resolve: Callback) => [1, 2, 3].map(resolve) });
});

const bystander = body(function* bystander(value: number): Goroutine<number> {
  return value;
});

const everyone = body(function* everyone(): Goroutine<unknown[]> {
  const outcomes: unknown[] = [];
  for (const each of [callsTwice, callsBothLater, ownPromise, throwsWhenAsked]) {
    const handle = spawn(each as () => unknown);
    const others = [spawn(bystander, 1), spawn(bystander, 2)];
    try {
      outcomes.push(yield* handle);
    } catch (error) {
      outcomes.push((error as Error).message);
    }
    for (const other of others) outcomes.push(yield* other);
  }
  return outcomes;
});

it("a body whose thenable calls back twice, at once, or throws ends once, and no other goroutine with it", async () => {
  const single = singleMachine();
  const header = single.memory.i32.slice(0, 16);
  expect(await single.run(everyone)).toEqual(["first", 1, 2, "first", 1, 2, 1, 1, 2, "asked twice", 1, 2]);
  await single.settle();
  expect(single.memory.i32.slice(0, 16)).toEqual(header);
  expect(auditMemory(single.host)).toMatchObject({ goroutines: 0, problems: [] });
});

const once = body(function* once(): Goroutine<string> {
  const guard = new Once();
  yield* guard.do(() => callsTwice() as Goroutine<void>);
  return "done";
});

it("a call of once that gives such a thenable is over once", async () => {
  const single = singleMachine();
  expect(await single.run(once)).toBe("done");
  await single.settle();
  expect(auditMemory(single.host)).toMatchObject({ goroutines: 0, waiters: 0, problems: [] });
});
