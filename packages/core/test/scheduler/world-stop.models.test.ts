/** Stopping all machines under every schedule: while the host works, nobody else touches anything, not even a machine that is only just coming in. */

import {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
} from "@heddle/testkit";
import { expect, test } from "vitest";
import {
  M_ENTERED,
  M_STOP,
  M_WORDS,
  SCHED_STOP,
  SYSMON_ENTERED,
  SYSMON_PARK,
  SYSMON_PASSES,
} from "../../src/memory/layout.ts";
import type { SharedMemory } from "../../src/memory/shared-memory.ts";
import { enterWorld, pauseAtSafePoint, WorldStop } from "../../src/scheduler/idle/world-stop.ts";
import { type Fault, modelMemory, modelWords, withFault } from "../support/model-memory.ts";

const SHAPE = { procs: 1, maxMachines: 2 };
/** Behind the kernel's words: whether the host works, and which machine touches something. */
const WORKING = modelWords(SHAPE);
const TOUCHED_BY = WORKING + 1;

type Thread = (memory: ModelMemory, shared: SharedMemory) => boolean;

const record = ({ layout }: SharedMemory, machine: number): number => layout.machines + machine * M_WORDS;

/** What a machine does between two safe points. */
function touch(i32: Int32Array, machine: number): void {
  Atomics.or(i32, TOUCHED_BY, machine);
  if (Atomics.load(i32, WORKING) !== 0) throw new Error(`machine ${machine} goes on while the host works`);
  Atomics.and(i32, TOUCHED_BY, ~machine);
}

function pause(shared: SharedMemory, machine: number): void {
  pauseAtSafePoint(shared.i32, record(shared, machine) + M_STOP, shared.layout.machines);
}

/** A machine that took part from the beginning. */
const machine =
  (number: number): Thread =>
  (_memory, shared) => {
    touch(shared.i32, number);
    pause(shared, number);
    touch(shared.i32, number);
    Atomics.store(shared.i32, record(shared, number) + M_ENTERED, 0);
    return true;
  };

/** A machine that comes in. */
const newcomer =
  (number: number): Thread =>
  (_memory, shared) => {
    enterWorld(shared.i32, record(shared, number));
    pause(shared, number);
    touch(shared.i32, number);
    return true;
  };

/** Asks for a stop, tries twice to hold everybody, and works if that succeeds. True if it did. */
const host: Thread = (_memory, shared) => {
  const { i32 } = shared;
  const stop = new WorldStop(shared);
  stop.ask();
  const held = stop.tryHold() || stop.tryHold();
  if (held) {
    Atomics.store(i32, WORKING, 1);
    if (Atomics.load(i32, TOUCHED_BY) !== 0) throw new Error("the host works while a machine goes on");
    Atomics.store(i32, WORKING, 0);
  }
  stop.release();
  return held;
};

function exploreStop(threads: readonly Thread[], entered: readonly number[], preemptions = 3): ExploreResult {
  return explore<boolean[], SharedMemory>({
    words: modelWords(SHAPE) + 2,
    setup: (memory) => {
      const shared = modelMemory(memory, SHAPE);
      for (const machine of entered) shared.i32[record(shared, machine) + M_ENTERED] = 1;
      return shared;
    },
    threads: [...threads],
    check: ({ i32 }) => expect(i32[SCHED_STOP]).toBe(0),
    preemptions,
  });
}

/** The host does not say that it is at work. */
const saysNothing: Fault = (real) => ({
  store: (i32: Int32Array, word: number, value: number) =>
    real.store(i32, word, word === SCHED_STOP ? Math.abs(value) : value),
});

test("machines that take part are held, or the host gives up", () => {
  expectNoFailure(exploreStop([host, machine(1)], [1], 4));
  expectNoFailure(exploreStop([host, machine(1), machine(2)], [1, 2], 2));
});

test("a machine that comes in while the host works waits", () => {
  expectNoFailure(exploreStop([host, newcomer(2)], [], 4));
  expectNoFailure(exploreStop([host, machine(1), newcomer(2)], [1], 2));
});

test("finds a host that does not say that it is at work", () => {
  expectFailure(
    exploreStop([withFault(saysNothing, host), newcomer(2)], [], 4),
    /while the host works|goes on/,
  );
});

test("sysmon is called again if it was on its way to sleep when it was called", () => {
  const i32 = new Int32Array(new SharedArrayBuffer(modelWords(SHAPE) * 4));
  const shared = modelMemory(
    { i32, f64: new Float64Array(i32.buffer), u8: new Uint8Array(i32.buffer), buffer: i32.buffer } as never,
    SHAPE,
  );
  const stop = new WorldStop(shared);
  i32[SYSMON_ENTERED] = 1;
  stop.rollCall();
  // It had made its pass, and goes to sleep only now.
  i32[SYSMON_PARK] = 1;
  expect(stop.haveAllPassed()).toBe(false);
  expect(i32[SYSMON_PARK]).toBe(0);
  i32[SYSMON_PASSES]++;
  expect(stop.haveAllPassed()).toBe(true);
});
