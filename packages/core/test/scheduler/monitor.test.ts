import { fakeClock } from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import {
  G_WORDS,
  M_IN_LOOP,
  M_PARK,
  M_WORDS,
  P_CURRENT,
  P_GIVE_UP,
  P_MACHINE,
  P_PREEMPT,
  P_TICK,
  P_WORDS,
  SCHED_CLOSING,
  SCHED_IDLE,
  SYSMON_PASSES,
} from "../../src/memory/layout.ts";
import { SharedMemory } from "../../src/memory/shared-memory.ts";
import { CLOSED, IdleCoordinator } from "../../src/scheduler/idle/idle-coordinator.ts";
import { ASLEEP, ASLEEP_IN_EVENT_LOOP } from "../../src/scheduler/idle/parker.ts";
import { MAX_DELAY_MS, MIN_DELAY_MS, Monitor } from "../../src/scheduler/machine/monitor.ts";

const PROCS = 3;

/** sysmon, its clock, and the words of the processors it looks after. All processors begin idle. */
function scene(timeSliceMs = 10) {
  const memory = SharedMemory.create({
    procs: PROCS,
    maxMachines: 6,
    maxGoroutines: 16,
    maxObjects: 16,
    slabBytes: 2 ** 16,
    timeSliceMs,
  });
  const { i32, layout } = memory;
  const coordinator = new IdleCoordinator(memory, 0);
  coordinator.initialise();
  const clock = fakeClock(1000);
  const hogs: [goroutine: number, heldMs: number][] = [];
  const monitor = new Monitor(memory, undefined, (base, heldMs) =>
    hogs.push([(base - layout.goroutines) / G_WORDS, heldMs]),
  );
  const word = (processor: number, offset: number): number =>
    layout.processors + processor * P_WORDS + offset;
  return {
    i32,
    clock,
    coordinator,
    hogs,
    /** A pass after `ms`. */
    passAfter(ms: number): number {
      clock.advance(ms);
      return monitor.pass(clock.now());
    },
    /** Machine `machine` runs goroutine 1 on the processor that it gets. */
    runs(machine: number): number {
      const processor = coordinator.tryAcquireProcessor(machine);
      i32[word(processor, P_CURRENT)] = 1;
      return processor;
    },
    get: (processor: number, offset: number): number => i32[word(processor, offset)],
    set(processor: number, offset: number, value: number): void {
      i32[word(processor, offset)] = value;
    },
    parks(machine: number, how: number): void {
      i32[layout.machines + machine * M_WORDS + M_PARK] = how;
      i32[layout.machines + machine * M_WORDS + M_IN_LOOP] = Number(how === ASLEEP_IN_EVENT_LOOP);
    },
    monitor,
  };
}

describe("time slices", () => {
  test("one that is used up is ended, from when it was first seen, and not before", () => {
    const sysmon = scene();
    const p = sysmon.runs(1);
    sysmon.passAfter(500);
    sysmon.passAfter(9.9);
    expect(sysmon.get(p, P_PREEMPT)).toBe(0);
    sysmon.passAfter(0.1);
    expect(sysmon.get(p, P_PREEMPT)).toBe(1);
  });

  test("a new slice, another machine, or a pause of the processor starts the clock anew", () => {
    const changes: ((sysmon: ReturnType<typeof scene>, p: number) => void)[] = [
      (sysmon, p) => sysmon.set(p, P_TICK, sysmon.get(p, P_TICK) + 1),
      (sysmon, p) => sysmon.set(p, P_MACHINE, 2),
      (sysmon, p) => {
        sysmon.set(p, P_CURRENT, 0);
        sysmon.passAfter(0);
        sysmon.set(p, P_CURRENT, 1);
      },
    ];
    for (const change of changes) {
      const sysmon = scene();
      const p = sysmon.runs(1);
      sysmon.passAfter(0);
      sysmon.passAfter(9);
      change(sysmon, p);
      sysmon.passAfter(0);
      sysmon.passAfter(9);
      expect(sysmon.get(p, P_PREEMPT)).toBe(0);
      sysmon.passAfter(1);
      expect(sysmon.get(p, P_PREEMPT)).toBe(1);
    }
  });

  test("who does not listen is asked again a slice later", () => {
    const sysmon = scene();
    const p = sysmon.runs(1);
    sysmon.passAfter(0);
    sysmon.passAfter(10);
    sysmon.set(p, P_PREEMPT, 0);
    sysmon.passAfter(9);
    expect(sysmon.get(p, P_PREEMPT)).toBe(0);
    sysmon.passAfter(1);
    expect(sysmon.get(p, P_PREEMPT)).toBe(1);
  });

  test("each processor has its own, and idle ones have none", () => {
    const sysmon = scene();
    const first = sysmon.runs(1);
    sysmon.passAfter(0);
    sysmon.passAfter(5);
    const second = sysmon.runs(2);
    sysmon.passAfter(0);
    sysmon.passAfter(5);
    const flags = (): number[] => [first, second].map((p) => sysmon.get(p, P_PREEMPT));
    expect(flags()).toEqual([1, 0]);
    sysmon.passAfter(5);
    expect(flags()).toEqual([1, 1]);
    const idle = [0, 1, 2].filter((p) => p !== first && p !== second);
    expect(sysmon.get(idle[0], P_PREEMPT)).toBe(0);
  });

  test("their length is an option", () => {
    const sysmon = scene(0.5);
    const p = sysmon.runs(1);
    sysmon.passAfter(0);
    sysmon.passAfter(0.4);
    expect(sysmon.get(p, P_PREEMPT)).toBe(0);
    sysmon.passAfter(0.1);
    expect(sysmon.get(p, P_PREEMPT)).toBe(1);
  });
});

describe("sleep between passes", () => {
  test("is short at first, then doubles up to ten milliseconds while there is nothing to do", () => {
    const sysmon = scene();
    const delays = Array.from({ length: 20 }, () => sysmon.passAfter(0.02));
    expect(delays.slice(0, 10).map((ms) => Math.min(ms / MIN_DELAY_MS, 512))).toEqual([
      1, 2, 4, 8, 16, 32, 64, 128, 256, 500,
    ]);
    expect(delays.slice(10)).toEqual(delays.slice(10).map(() => MAX_DELAY_MS));
  });

  test("is no shorter for a slice that was ended", () => {
    const sysmon = scene();
    for (let i = 0; i < 20; i++) sysmon.passAfter(0.02);
    const p = sysmon.runs(1);
    expect(sysmon.passAfter(10)).toBe(MAX_DELAY_MS);
    expect(sysmon.passAfter(10)).toBe(MAX_DELAY_MS);
    expect(sysmon.get(p, P_PREEMPT)).toBe(1);
  });

  test("ends with the slice that is being watched", () => {
    const sysmon = scene();
    for (let i = 0; i < 20; i++) sysmon.passAfter(0.02);
    const p = sysmon.runs(1);
    expect(sysmon.passAfter(10)).toBe(10);
    expect(sysmon.passAfter(6)).toBeCloseTo(4);
    sysmon.set(p, P_TICK, sysmon.get(p, P_TICK) + 1);
    expect(sysmon.passAfter(2)).toBe(10);
  });

  test("a closed runtime needs no sysmon, idle or not", () => {
    for (const busy of [false, true]) {
      const sysmon = scene();
      if (busy) sysmon.runs(1);
      sysmon.i32[SCHED_CLOSING] = CLOSED;
      expect(sysmon.monitor.sleep(MAX_DELAY_MS, sysmon.clock.now)).toBe(false);
    }
  });

  test("passes are counted", () => {
    const sysmon = scene();
    for (let i = 0; i < 3; i++) sysmon.passAfter(1);
    expect(sysmon.i32[SYSMON_PASSES]).toBe(3);
  });
});

describe("a machine that waits for a processor", () => {
  /** All processors are held, by machines 1 to 3, held longest by machine 1; machine 4 waits. */
  function crowded() {
    const sysmon = scene();
    const held = [1, 2, 3].map((machine) => {
      const p = sysmon.runs(machine);
      sysmon.passAfter(1);
      return p;
    });
    sysmon.coordinator.waitForProcessor(4, -1);
    const asked = (): number[] => held.map((p) => sysmon.get(p, P_GIVE_UP));
    return { ...sysmon, held, asked };
  }

  test("is served after a slice: whoever has held longest is asked to give up", () => {
    const { passAfter, asked, held, get } = crowded();
    passAfter(0);
    passAfter(6);
    expect(asked()).toEqual([0, 0, 0]);
    passAfter(4);
    expect(asked().filter((flag) => flag === 1).length).toBe(1);
    const victim = asked().indexOf(1);
    expect(get(held[victim], P_PREEMPT)).toBe(1);
  });

  test("sysmon does not sleep beyond the end of its wait, nor much less", () => {
    const { passAfter, asked } = crowded();
    let elapsed = 0;
    let passes = 0;
    for (let delay = passAfter(0); !asked().includes(1); passes++) {
      elapsed += delay;
      delay = passAfter(delay);
    }
    expect(elapsed).toBeCloseTo(10);
    expect(passes).toBeLessThan(20);
  });

  test("the next in the queue has a slice of its own to wait", () => {
    const { passAfter, asked, coordinator, held } = crowded();
    coordinator.waitForProcessor(5, -1);
    passAfter(0);
    passAfter(9);
    coordinator.releaseProcessor(held[0]); // goes to machine 4
    passAfter(1);
    passAfter(8);
    expect(asked().filter((flag) => flag === 1).length).toBe(0);
    passAfter(2);
    expect(asked().filter((flag) => flag === 1).length).toBe(1);
  });
});

describe("a processor that was given to a machine in its event loop", () => {
  function granted(how: number) {
    const sysmon = scene();
    sysmon.coordinator.goIdle(1, -1);
    sysmon.parks(1, how);
    sysmon.coordinator.wakeOneIfIdle();
    expect(sysmon.coordinator.hasGrant(1)).toBe(true);
    return sysmon;
  }

  test("goes to somebody else when the machine has not come for five milliseconds", () => {
    const { passAfter, coordinator, i32 } = granted(ASLEEP_IN_EVENT_LOOP);
    passAfter(0);
    expect(passAfter(4.9)).toBeLessThanOrEqual(0.1 + 1e-6);
    expect(coordinator.hasGrant(1)).toBe(true);
    coordinator.goIdle(2, -1);
    passAfter(0.1);
    expect([coordinator.hasGrant(1), coordinator.hasGrant(2)]).toEqual([false, true]);
    expect(coordinator.isStruckOff(1)).toBe(true);
    // One processor is out, and the machine that has it now counts as searching in the other's place.
    expect([i32[SCHED_IDLE] >>> 16, i32[SCHED_IDLE] & 0xffff]).toEqual([PROCS - 1, 1]);
  });

  test("which makes the next sleep short again", () => {
    const { passAfter } = granted(ASLEEP_IN_EVENT_LOOP);
    for (let i = 0; i < 10; i++) passAfter(0.01);
    expect(passAfter(5)).toBe(MIN_DELAY_MS);
    expect(passAfter(0.02)).toBe(2 * MIN_DELAY_MS);
  });

  test("is left alone once the machine has come", () => {
    const { passAfter, coordinator } = granted(ASLEEP_IN_EVENT_LOOP);
    passAfter(4);
    const { processor } = coordinator.leaveLists(1);
    passAfter(4);
    passAfter(4);
    expect(processor).toBeGreaterThanOrEqual(0);
    expect(coordinator.isStruckOff(1)).toBe(true); // not listed: it holds a processor
    expect(coordinator.hasGrant(1)).toBe(false);
  });

  test("is left alone if the machine sleeps in Atomics.wait", () => {
    const { passAfter, coordinator } = granted(ASLEEP);
    for (let i = 0; i < 10; i++) passAfter(4);
    expect(coordinator.hasGrant(1)).toBe(true);
  });
});

describe("a hog", () => {
  test("is reported once it has been asked to give way for a second, and only once", () => {
    const { passAfter, runs, hogs } = scene();
    runs(1);
    for (let pass = 0; pass <= 100; pass++) passAfter(10);
    expect(hogs).toEqual([]);
    for (let pass = 0; pass < 1000; pass++) passAfter(10);
    expect(hogs).toEqual([[1, 1010]]);
  });

  test("is none if it gives way, or if nobody asked it", () => {
    const { passAfter, runs, hogs, set, get } = scene();
    const processor = runs(1);
    for (let pass = 0; pass < 300; pass++) {
      passAfter(10);
      if (pass % 50 === 49) set(processor, P_TICK, get(processor, P_TICK) + 1);
    }
    set(processor, P_TICK, get(processor, P_TICK) + 1);
    // sysmon itself is late.
    for (let pass = 0; pass < 2; pass++) passAfter(5000);
    expect(hogs).toEqual([]);
  });
});
