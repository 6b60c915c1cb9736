/** Sleeping in the event loop, with the engine's own waitAsync: the explorer has no model of it. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { M_PARK, M_WORDS } from "../../src/memory/layout.ts";
import {
  ASLEEP,
  ASLEEP_IN_EVENT_LOOP,
  AWAKE,
  announceSleep,
  EventLoopSleeper,
  NAPPING,
  stayAwake,
  wake,
} from "../../src/scheduler/idle/parker.ts";

const MACHINE = M_WORDS;
const original = globalThis.Atomics;
let waits = 0;

beforeEach(() => {
  waits = 0;
  const waitAsync = ((...args: Parameters<typeof Atomics.waitAsync>) => {
    waits++;
    return original.waitAsync(...args);
  }) as typeof Atomics.waitAsync;
  globalThis.Atomics = Object.assign(Object.create(original), { waitAsync }) as Atomics;
});
afterEach(() => {
  globalThis.Atomics = original;
});

function newSleeper() {
  const i32 = new Int32Array(new SharedArrayBuffer(4 * 2 * M_WORDS));
  let times = 0;
  const sleeper = new EventLoopSleeper(i32, MACHINE, () => times++);
  return {
    i32,
    woken: () => times,
    sleeper,
    sleeps() {
      announceSleep(i32, MACHINE, ASLEEP_IN_EVENT_LOOP);
      sleeper.sleep();
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function turnsUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

describe("sleep in the event loop", () => {
  test("a nap that its sleeper ends serves the next sleep, and a wake-up ends a nap", async () => {
    const { i32, woken, sleeper, sleeps } = newSleeper();
    announceSleep(i32, MACHINE, NAPPING);
    sleeper.sleep(NAPPING);
    stayAwake(i32, MACHINE);
    sleeps();
    await turn();
    expect([woken(), waits]).toEqual([0, 1]);
    wake(i32, MACHINE);
    await turnsUntil(() => woken() === 1);
    announceSleep(i32, MACHINE, NAPPING);
    sleeper.sleep(NAPPING);
    wake(i32, MACHINE);
    await turnsUntil(() => woken() === 2);
  });

  test("ends with a wake-up, once", async () => {
    const { i32, woken, sleeps } = newSleeper();
    sleeps();
    await turn();
    expect(woken()).toBe(0);
    wake(i32, MACHINE);
    wake(i32, MACHINE);
    await turnsUntil(() => woken() > 0);
    await turn();
    expect([woken(), i32[MACHINE + M_PARK]]).toEqual([1, AWAKE]);
  });

  test("does not begin when the wake-up came between announcement and sleep", async () => {
    const { i32, woken, sleeper } = newSleeper();
    announceSleep(i32, MACHINE, ASLEEP_IN_EVENT_LOOP);
    wake(i32, MACHINE);
    sleeper.sleep();
    await turnsUntil(() => woken() > 0);
    expect([waits, woken()]).toEqual([1, 1]);
  });

  test("a wait that was not used up serves the next sleep: there is never more than one", async () => {
    const { i32, woken, sleeps } = newSleeper();
    for (let i = 0; i < 100; i++) {
      sleeps();
      stayAwake(i32, MACHINE); // woken by something else, a timer say
      await Promise.resolve();
    }
    expect([waits, woken()]).toEqual([1, 0]);
    sleeps();
    wake(i32, MACHINE);
    await turnsUntil(() => woken() > 0);
    expect([waits, woken()]).toEqual([1, 1]);
    sleeps();
    expect(waits).toBe(2);
    wake(i32, MACHINE);
    await turnsUntil(() => woken() > 1);
  });

  test("with an old wait, does not begin when the wake-up came before", async () => {
    const { i32, woken, sleeper, sleeps } = newSleeper();
    sleeps();
    stayAwake(i32, MACHINE);
    announceSleep(i32, MACHINE, ASLEEP_IN_EVENT_LOOP);
    wake(i32, MACHINE); // uses up the old wait
    sleeper.sleep();
    await turnsUntil(() => woken() > 0);
    expect(waits).toBe(1);
    sleeps();
    wake(i32, MACHINE);
    const before = woken();
    await turnsUntil(() => woken() > before);
  });

  test("is over at once when the word says anything but asleep", async () => {
    for (const value of [AWAKE, ASLEEP]) {
      const { i32, woken, sleeper } = newSleeper();
      i32[MACHINE + M_PARK] = value;
      sleeper.sleep();
      await turnsUntil(() => woken() > 0);
      expect(woken()).toBe(1);
    }
  });
});
