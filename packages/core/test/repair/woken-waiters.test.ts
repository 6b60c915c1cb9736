/** All machines are held, for the sake of a thread that has died, while somebody has been woken and has not gone on yet. The repair looks for those who were forgotten, and these were not. */

import { beforeEach, expect, test } from "vitest";
import { chan } from "../../src/channel/channel.ts";
import type { Chan } from "../../src/channel/types.ts";
import { M_INBOX, M_WORDS } from "../../src/memory/layout.ts";
import { Repair } from "../../src/repair/repair.ts";
import { spawn } from "../../src/scheduler/api/goroutine-api.ts";
import { gosched } from "../../src/scheduler/api/yielding.ts";
import { Once } from "../../src/sync/once.ts";
import { body, type SingleMachine, singleMachine } from "../support/single-machine.ts";

const MACHINE = 1;
let one: SingleMachine;
let repair: Repair;
/** Whether the body under test is about to wait. */
let waits: boolean;
/** After each sweep: the newest goroutine in the machine's inbox, 0 for none. */
let posted: number[];

beforeEach(() => {
  one = singleMachine({ procs: 2 });
  repair = new Repair(one.host, {
    panic: (_base, error) => {
      throw error;
    },
  });
  waits = false;
  posted = [];
});

function sweep(): void {
  repair.sweep();
  const { i32, layout } = one.memory;
  posted.push(i32[layout.machines + MACHINE * M_WORDS + M_INBOX] as number);
}

/** Has the machine held whenever a thread that was blocked may have to wait for a processor. */
function sweepBeforeItGetsAProcessor(): void {
  const machine = one.machine as unknown as { settleProcessor(wanted: boolean): void };
  const { settleProcessor } = machine;
  machine.settleProcessor = function (wanted) {
    sweep();
    settleProcessor.call(this, wanted);
  };
}

const sends = body(function* sends(channel: Chan<number>, andSweeps: boolean) {
  while (!waits) yield* gosched();
  // Once more, so that the other has queued.
  yield* gosched();
  yield* channel.send(7);
  if (andSweeps) sweep();
});

test("a blocked thread that was woken, and waits for a processor, is not woken once more", async () => {
  const blocks = body((channel: Chan<number>) => {
    waits = true;
    return channel.recv().block();
  });
  const main = body(function* main() {
    const channel = chan<number>();
    spawn(sends, channel, false);
    yield* gosched();
    return yield* spawn(blocks, channel);
  });
  sweepBeforeItGetsAProcessor();
  expect(await one.run(main)).toBe(7);
  expect(posted).toEqual([0]);
  await one.settle();
});

test("a generator that is driven for a promise, and whose next step is due, is not woken once more", async () => {
  const awaits = body(async (channel: Chan<number>) => {
    let received: number | undefined;
    await new Once().do(function* () {
      waits = true;
      received = yield* channel.recv();
    });
    return received;
  });
  const main = body(function* main() {
    const channel = chan<number>();
    spawn(sends, channel, true);
    return yield* spawn(awaits, channel);
  });
  expect(await one.run(main)).toBe(7);
  expect(posted).toEqual([0]);
  await one.settle();
});
