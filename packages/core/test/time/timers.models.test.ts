import { expectFailure, expectNoFailure, explore, type ModelMemory } from "@heddle/testkit";
import { describe, test, vi } from "vitest";
import "../../src/context/kinds.ts";
import type { Channel } from "../../src/channel/channel.ts";
import { stopTimerChannel } from "../../src/channel/timer-channel.ts";
import {
  C_COUNT,
  O_REFS,
  P_MACHINE,
  P_TIMER_LOCK,
  SCHED_IDLE,
  SYSMON_PARK,
  T_ARMING,
  T_HEAP,
} from "../../src/memory/layout.ts";
import { acquire, release } from "../../src/memory/thread-lock.ts";
import { TimerHeap } from "../../src/queue/timer-heap.ts";
import {
  announceSleep,
  dueForSysmon,
  STUCK_MS,
  wakeSysmon,
  wakeSysmonForTimers,
} from "../../src/scheduler/idle/sysmon-park.ts";
import { objectsOf } from "../../src/scheduler/thread/shared-object.ts";
import {
  channelBase,
  expectNoTimers,
  MODEL_WORDS,
  modelThread,
  modelWord,
  PROCESSOR,
  prepareModel,
  READIED,
  sysmonWords,
  timerBase,
} from "../support/timer-model.ts";

// The model's threads must not look at a real clock.
vi.spyOn(Date, "now").mockReturnValue(1);

const common = { words: MODEL_WORDS, name: modelWord };

describe("firing against stopping", () => {
  const startOne = (memory: ModelMemory): void => {
    prepareModel(memory);
    modelThread(memory, 3, 0).timers.start(1, 5);
  };
  const fire =
    (number: number) =>
    (memory: ModelMemory): number =>
      modelThread(memory, number, 9).timers.runDue(0, 9);
  const stopAs =
    (number: number) =>
    (memory: ModelMemory): boolean =>
      modelThread(memory, number, 9).timers.stop(1);
  const stop = stopAs(2);
  const expectOneWinner = (memory: ModelMemory, [fired, , stopped]: [number, number, boolean]): void => {
    const readied = memory.i32[READIED];
    if (readied !== fired || fired + Number(stopped) !== 1) {
      throw new Error(`fired ${fired}, readied ${readied}, stopped ${stopped}`);
    }
    expectNoTimers(memory);
  };

  test("exactly one wins", () => {
    expectNoFailure(
      explore({
        ...common,
        setup: startOne,
        threads: [fire(0), () => 0, stop],
        check: expectOneWinner,
        preemptions: Infinity,
      }),
    );
  });

  test("with two threads that would run it, too", () => {
    const check = (memory: ModelMemory, [one, other, stopped]: [number, number, boolean]): void =>
      expectOneWinner(memory, [one + other, 0, stopped]);
    expectNoFailure(explore({ ...common, setup: startOne, threads: [fire(0), fire(1), stop], check }));
  });

  test("two stops: one is told that it kept the timer from firing", () => {
    const check = (memory: ModelMemory, results: [boolean, boolean]): void => {
      if (results.filter(Boolean).length !== 1) throw new Error(`stopped ${results}`);
      expectNoTimers(memory);
    };
    expectNoFailure(
      explore({ ...common, setup: startOne, threads: [stopAs(1), stop], check, preemptions: Infinity }),
    );
  });

  test("a stop that does not look again under the lock is found", () => {
    const hastyStop = ({ i32, f64 }: ModelMemory): boolean => {
      if (Atomics.load(i32, timerBase(1) + T_HEAP) === 0) return false;
      acquire(i32, PROCESSOR + P_TIMER_LOCK, 2);
      new TimerHeap(i32, f64, timerBase(0)).remove(PROCESSOR, 1);
      Atomics.store(i32, timerBase(1) + T_HEAP, 0);
      release(i32, PROCESSOR + P_TIMER_LOCK);
      return true;
    };
    expectFailure(
      explore({ ...common, setup: startOne, threads: [fire(0), () => 0, hastyStop], check: expectOneWinner }),
    );
  });

  test("a timer that is stopped and started again elsewhere fires once", () => {
    const restart = (memory: ModelMemory): boolean => {
      const { timers } = modelThread(memory, 2, 9);
      const stopped = timers.stop(1);
      if (stopped) timers.start(1, 0);
      return stopped;
    };
    const check = (memory: ModelMemory, [fired]: [number, boolean]): void => {
      const later = modelThread(memory, 3, 10).timers.runDue(0, 10);
      if (fired + later !== 1 || memory.i32[READIED] !== 1) throw new Error(`fired ${fired}, later ${later}`);
      expectNoTimers(memory);
    };
    expectNoFailure(
      explore({ ...common, setup: startOne, threads: [fire(0), restart], check, preemptions: Infinity }),
    );
  });
});

describe("a ticker against its stop", () => {
  const channel = { index: 2, base: channelBase(2) } as Channel<number>;
  const tickEvery5 = (memory: ModelMemory): void => {
    prepareModel(memory);
    const thread = modelThread(memory, 3, 0);
    objectsOf(thread).retain(2);
    thread.timers.start(2, 5, 5);
  };
  const tick = (memory: ModelMemory): number => modelThread(memory, 0, 6).timers.runDue(0, 6);
  const stop = (memory: ModelMemory): number => {
    stopTimerChannel(modelThread(memory, 2, 6), channel);
    return Atomics.load(memory.i32, channel.base + C_COUNT);
  };
  const expectNothingLeft = (memory: ModelMemory, [, seen]: [number, number]): void => {
    const { i32 } = memory;
    const left = i32[channel.base + C_COUNT];
    const refs = i32[channel.base + O_REFS];
    if (seen !== 0 || left !== 0) throw new Error(`after the stop ${seen}, at the end ${left} values wait`);
    if (refs !== 1) throw new Error(`${refs} references are counted, not 1`);
    expectNoTimers(memory);
  };

  test("no tick is received after the stop, and the channel keeps its one reference", () => {
    expectNoFailure(
      explore({
        ...common,
        setup: tickEvery5,
        threads: [tick, stop],
        check: expectNothingLeft,
        preemptions: Infinity,
      }),
    );
  });

  test("a firing that cannot tell from T_ARMING that it was stopped is found", () => {
    // What the stop changes, somebody changes back.
    const meddle = ({ i32 }: ModelMemory): void => void Atomics.sub(i32, timerBase(2) + T_ARMING, 1);
    const check = (memory: ModelMemory, [ticks, , seen]: [number, void, number]): void =>
      expectNothingLeft(memory, [ticks, seen]);
    expectFailure(
      explore({ ...common, setup: tickEvery5, threads: [tick, meddle, stop], check }),
      /values wait/,
    );
  });
});

describe("sysmon going to sleep", () => {
  // A sleep ends by itself only when all others are done: then it has been slept through.
  const quiet = { ...common, timeouts: 0 };
  /** Sleeps as sysmon does: until when, and what ended it. */
  const sleep = (memory: ModelMemory): { until: number; ended: string } => {
    const announced = announceSleep(sysmonWords(memory), 50, () => 0);
    if (announced === undefined) return { until: 0, ended: "not begun" };
    const { until, kind } = announced;
    return { until, ended: Atomics.wait(memory.i32, SYSMON_PARK, kind, Math.min(until, 1e9)) };
  };
  type Slept = ReturnType<typeof sleep>;
  /** It slept until `due` at the latest, or was woken before. */
  const expectUpAt =
    (due: number) =>
    (_memory: ModelMemory, [slept]: [Slept, ...unknown[]]): void => {
      if (slept.ended === "timed-out" && slept.until > due)
        throw new Error(`slept until ${slept.until}, not ${due}`);
    };
  const idle = (memory: ModelMemory): void => {
    prepareModel(memory);
    memory.i32[SCHED_IDLE] = 1 << 16;
  };
  const held = (memory: ModelMemory): void => {
    prepareModel(memory);
    memory.i32[PROCESSOR + P_MACHINE] = 1;
  };
  const insert =
    (timer: number, ms: number) =>
    (memory: ModelMemory): void =>
      modelThread(memory, timer, 0).timers.start(timer, ms);

  test("a first timer is not slept through, while all is idle", () => {
    expectNoFailure(
      explore({
        ...quiet,
        setup: idle,
        threads: [sleep, insert(1, 10)],
        check: expectUpAt(10),
        preemptions: Infinity,
      }),
    );
  });

  test("an earlier one than the first is not, either", () => {
    const setup = (memory: ModelMemory): void => {
      idle(memory);
      insert(2, 100)(memory);
    };
    expectNoFailure(
      explore({
        ...quiet,
        setup,
        threads: [sleep, insert(1, 10)],
        check: expectUpAt(10),
        preemptions: Infinity,
      }),
    );
  });

  test("nor by a sleep between two passes", () => {
    const check = expectUpAt(10 + STUCK_MS);
    expectNoFailure(
      explore({ ...quiet, setup: held, threads: [sleep, insert(1, 10)], check, preemptions: Infinity }),
    );
  });

  test("two timers from two threads: the earlier one counts", () => {
    expectNoFailure(
      explore({
        ...quiet,
        setup: idle,
        threads: [sleep, insert(1, 10), insert(2, 20)],
        check: expectUpAt(10),
      }),
    );
  });

  test("a processor that is given up leaves its timers to sysmon at once", () => {
    const setup = (memory: ModelMemory): void => {
      held(memory);
      insert(1, 10)(memory);
    };
    const giveUp = ({ i32, f64 }: ModelMemory): void => {
      Atomics.store(i32, PROCESSOR + P_MACHINE, 0);
      Atomics.add(i32, SCHED_IDLE, 1 << 16);
      wakeSysmonForTimers(i32, f64, PROCESSOR);
    };
    expectNoFailure(
      explore({ ...quiet, setup, threads: [sleep, giveUp], check: expectUpAt(10), preemptions: Infinity }),
    );
  });

  test("a look before the announcement is found", () => {
    const hastySleep = ({ i32, f64 }: ModelMemory): Slept => {
      const until = dueForSysmon(i32, f64, PROCESSOR);
      Atomics.store(i32, SYSMON_PARK, 1);
      return { until, ended: Atomics.wait(i32, SYSMON_PARK, 1, Math.min(until, 1e9)) };
    };
    expectFailure(
      explore({ ...quiet, setup: idle, threads: [hastySleep, insert(1, 10)], check: expectUpAt(10) }),
      /slept until Infinity/,
    );
  });

  test("a waker that looks before it publishes is found", () => {
    const hastyInsert = (memory: ModelMemory): void => {
      const { i32, f64 } = memory;
      const asleep = Atomics.load(i32, SYSMON_PARK) !== 0;
      acquire(i32, PROCESSOR + P_TIMER_LOCK, 2);
      new TimerHeap(i32, f64, timerBase(0)).insert(PROCESSOR, 1, 10);
      release(i32, PROCESSOR + P_TIMER_LOCK);
      if (asleep) wakeSysmon(i32);
    };
    expectFailure(
      explore({ ...quiet, setup: idle, threads: [sleep, hastyInsert], check: expectUpAt(10) }),
      /slept until Infinity/,
    );
  });
});
