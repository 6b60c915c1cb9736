/** Runtimes that are started and closed one after the other and side by side, some with work still in them. */

import {
  type Chan,
  chan,
  type Goroutine,
  go,
  goroutine,
  gosched,
  HeddleError,
  type Runtime,
  sleep,
  spawn,
  start,
} from "heddle";
import { startWithChaos } from "heddle/testing";
import { expectSame, expectThat, type Scenario, type Stage } from "../scenario.ts";

const tree = goroutine(import.meta, function* tree(depth: number): Goroutine<number> {
  if (depth === 0) return 1;
  const [left, right] = [spawn(tree, depth - 1), spawn(tree, depth - 1)];
  return (yield* left) + (yield* right);
});

const sender = goroutine(import.meta, function* sender(to: Chan<number>, count: number): Goroutine<void> {
  for (let i = 0; i < count; i++) yield* to.send(i);
  to.close();
});

const sum = goroutine(import.meta, function* sum(count: number): Goroutine<number> {
  const numbers = chan<number>(2);
  go(sender, numbers, count);
  let total = 0;
  for (;;) {
    const [number, ok] = yield* numbers.recvOk();
    if (!ok) return total;
    total += number;
  }
});

/** Never ends by itself. */
const forever = goroutine(import.meta, function* forever(): Goroutine<void> {
  for (;;) yield* gosched();
});
const asleep = goroutine(import.meta, function* asleep(): Goroutine<void> {
  yield* sleep(3_600_000);
});
const patient = goroutine(import.meta, async function patient(): Promise<void> {
  await sleep(3_600_000);
});

function open(stage: Stage, procs: number): Promise<Runtime> {
  const { random, plan } = stage;
  return plan.chaos
    ? startWithChaos({ seed: stage.seed(), ringSize: random.pick([2, 8, 1024]) }, { procs })
    : start({ procs });
}

/** Does some work and closes when all is done. */
async function tidy(stage: Stage): Promise<void> {
  const runtime = await open(stage, 1 + stage.random.below(stage.plan.procs));
  const depth = 6;
  const count = stage.often(100);
  const [leaves, total] = await Promise.all([runtime.run(tree, depth), runtime.run(sum, count)]);
  expectSame("leaves of a tree", leaves, 2 ** depth);
  expectSame("sum over a channel", total, (count * (count - 1)) / 2);
  await runtime.close();
  expectThat("a closed runtime says so", runtime.closed);
  stage.did(2 ** depth + count);
}

/** Is closed with work in it: whoever waits for the work is told. */
async function abrupt(stage: Stage): Promise<void> {
  const { random } = stage;
  const runtime = await open(stage, 1 + random.below(stage.plan.procs));
  const pending = [forever, asleep, patient, patient].map((body) => runtime.run(body));
  const trees = [runtime.run(tree, 8), runtime.run(sum, 1000)];
  const outcomes = Promise.allSettled<unknown>([...pending, ...trees]);
  if (random.below(2) === 0) await new Promise((resolve) => setTimeout(resolve, random.below(30)));
  await runtime.close({ graceMs: random.pick([0, 0, 1, 20]) });
  for (const [index, outcome] of (await outcomes).entries()) {
    if (index >= pending.length && outcome.status === "fulfilled") continue;
    expectSame("what becomes of a run when the runtime is closed", outcome.status, "rejected");
    const { reason } = outcome as PromiseRejectedResult;
    expectThat(
      `a run that is cut off rejects with an error of Heddle's, not ${String(reason)}`,
      reason instanceof HeddleError,
    );
  }
  stage.did(1);
}

export const runtimes: Scenario = {
  name: "runtimes",
  about:
    "runtimes started and closed in a loop and side by side, some with work in them: results arrive, whoever is cut off is told, close returns",
  async play(stage) {
    for (let round = stage.often(3); round > 0; round--) {
      await tidy(stage);
      await abrupt(stage);
      await Promise.all(
        Array.from({ length: Math.min(4, stage.many(3)) }, (_, i) =>
          i % 2 === 0 ? tidy(stage) : abrupt(stage),
        ),
      );
    }
  },
};
