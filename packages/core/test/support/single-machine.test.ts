import { expect, test } from "vitest";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { WaitGroup } from "../../src/sync/wait-group.ts";
import { body, singleMachine } from "./single-machine.ts";

const fib = body(function* fib(n: number): Goroutine<number> {
  if (n < 2) return n;
  const a = spawn(fib, n - 1);
  const b = spawn(fib, n - 2);
  return (yield* a) + (yield* b);
});

test("a goroutine per call", async () => {
  expect(await singleMachine().run(fib, 12)).toBe(144);
});

const yields = body(function* yields(wg: WaitGroup): Goroutine<void> {
  yield* gosched();
  wg.done();
});

test("a wait group is the same object in every goroutine", async () => {
  const main = body(function* main(): Goroutine<string> {
    const wg = new WaitGroup();
    wg.add(3);
    for (let i = 0; i < 3; i++) spawn(yields, wg);
    yield* wg.wait();
    return "all";
  });
  expect(await singleMachine().run(main)).toBe("all");
});
