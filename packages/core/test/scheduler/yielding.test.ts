import { expect, test } from "vitest";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { WaitGroup } from "../../src/sync/wait-group.ts";
import { body, singleMachine } from "../support/single-machine.ts";

test("gosched gives way, also when the goroutine has just been woken", async () => {
  const order: string[] = [];
  const worker = body(function* worker(name: string, gate: WaitGroup): Goroutine<void> {
    yield* gate.wait();
    order.push(`${name}1`);
    yield* gosched();
    order.push(`${name}2`);
  });
  const main = body(function* main(): Goroutine<void> {
    const gate = new WaitGroup();
    gate.add(1);
    const workers = ["a", "b"].map((name) => spawn(worker, name, gate));
    yield* gosched();
    yield* gosched();
    gate.done();
    for (const handle of workers) yield* handle;
  });
  await singleMachine().run(main);
  expect([order.slice(0, 2).sort(), order.slice(2).sort()]).toEqual([
    ["a1", "b1"],
    ["a2", "b2"],
  ]);
});
