import { expect, it } from "vitest";
import { chan } from "../../src/channel/channel.ts";
import { ChaoticMachine } from "../../src/chaos/chaotic-machine.ts";
import { auditMemory } from "../../src/inspect/audit.ts";
import { go, spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { checkpoint, gosched } from "../../src/scheduler/api/yielding.ts";
import type { Goroutine } from "../../src/scheduler/frames/types.ts";
import { WaitGroup } from "../../src/sync/wait-group.ts";
import { body, singleMachine } from "../support/single-machine.ts";

/** The order in which forty goroutines take their steps. */
let steps: string[] = [];

const walker = body(function* walker(name: number, all: WaitGroup): Goroutine<void> {
  for (let step = 0; step < 4; step++) {
    steps.push(`${name}.${step}`);
    yield* step % 2 === 0 ? gosched() : checkpoint();
  }
  all.done();
});

const walk = body(function* walk(): Goroutine<void> {
  const all = new WaitGroup();
  all.add(40);
  for (let name = 0; name < 40; name++) go(walker, name, all);
  yield* all.wait();
});

async function orderWith(chaosSeed?: number): Promise<string> {
  steps = [];
  await singleMachine(chaosSeed === undefined ? {} : { chaosSeed, ringSize: 4 }).run(walk);
  return steps.join(" ");
}

it("a machine without a seed is an ordinary one, and orders as ever", async () => {
  expect(singleMachine().machine).not.toBeInstanceOf(ChaoticMachine);
  expect(await orderWith()).toBe(await orderWith());
});

it("the same seed gives the same decisions, another seed others", async () => {
  const orders: string[] = [];
  for (let seed = 1; seed <= 5; seed++) orders.push(await orderWith(seed));
  for (let seed = 1; seed <= 5; seed++) expect(await orderWith(seed), `seed ${seed}`).toBe(orders[seed - 1]);
  expect(new Set(orders).size).toBe(5);
});

const echo = body(function* echo(value: number): Goroutine<number> {
  yield* gosched();
  return value;
});

const sum = body(function* sum(count: number): Goroutine<number> {
  const values = chan<number>(2);
  const sender = body(function* sender(): Goroutine<void> {
    for (let i = 0; i < count; i++) yield* values.send(yield* spawn(echo, i));
    values.close();
  });
  go(sender);
  let total = 0;
  for (let value = yield* values.recv(); value !== undefined; value = yield* values.recv()) total += value;
  return total;
});

it("what is promised holds under chaos, and nothing is freed twice", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const single = singleMachine({ chaosSeed: seed, ringSize: 2 });
    expect(await single.run(sum, 200), `seed ${seed}`).toBe(19_900);
    await single.settle();
    expect(auditMemory(single.host).problems, `seed ${seed}`).toEqual([]);
  }
});
