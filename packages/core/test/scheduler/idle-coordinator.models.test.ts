/** Who sleeps, who is woken, who gets a processor: the coordinator's own steps under every schedule. The machines that use it have models in machine.models.test.ts. */

import {
  type ExploreOptions,
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
  type ThreadFunction,
} from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import {
  M_GRANT,
  M_IN_LOOP,
  M_LIFE,
  M_LISTED,
  M_PARK,
  M_WORDS,
  P_MACHINE,
  P_WORDS,
  SCHED_COMING,
  SCHED_IDLE,
  SCHED_IDLE_M,
  SCHED_IDLE_P,
  SCHED_LOCK,
  SCHED_WAIT_HEAD,
  SCHED_WAIT_TAIL,
  SCHED_WANTED,
  SYSMON_PARK,
} from "../../src/memory/layout.ts";
import type { SharedMemory } from "../../src/memory/shared-memory.ts";
import { type Grant, IdleCoordinator } from "../../src/scheduler/idle/idle-coordinator.ts";
import { LIFE_ALIVE, LIFE_STARTING, LIFE_WANTED } from "../../src/scheduler/idle/machine-life.ts";
import {
  ASLEEP,
  ASLEEP_IN_EVENT_LOOP,
  AWAKE,
  announceSleep,
  sleep,
  stayAwake,
} from "../../src/scheduler/idle/parker.ts";
import { Monitor } from "../../src/scheduler/machine/monitor.ts";
import {
  type Fault,
  lockIsFree,
  looksAway,
  modelMemory,
  modelWords,
  notifiesNobody,
  sumTears,
  withFault,
} from "../support/model-memory.ts";

const SHAPE = { procs: 3, maxMachines: 3 };
/** A word for work: how much of it is lying about. */
const WORK = modelWords(SHAPE);

type Thread<Result = void> = ThreadFunction<SharedMemory, Result>;

const machineBase = ({ layout }: SharedMemory, machine: number): number =>
  layout.machines + machine * M_WORDS;
const holderWord = ({ layout }: SharedMemory, processor: number): number =>
  layout.processors + processor * P_WORDS + P_MACHINE;

/** Processors 0 … 2; machine m holds processor `holds[m - 1]`, if that is not negative. All threads of machines exist. */
function scene(views: ModelMemory, holds: readonly number[]): SharedMemory {
  const memory = modelMemory(views, SHAPE);
  const coordinator = new IdleCoordinator(memory, 0);
  coordinator.initialise();
  for (let m = 1; m <= SHAPE.maxMachines; m++) memory.i32[machineBase(memory, m) + M_LIFE] = LIFE_ALIVE;
  const taken: number[] = [];
  for (let p = 0; p < SHAPE.procs; p++) taken.push(coordinator.tryAcquireProcessor(99));
  const owners = new Map(holds.map((processor, i) => [processor, i + 1]));
  for (const p of taken.reverse()) {
    const owner = owners.get(p);
    if (owner === undefined) coordinator.releaseProcessor(p);
    else memory.i32[holderWord(memory, p)] = owner;
  }
  memory.i32[SYSMON_PARK] = 0;
  return memory;
}

function listOf({ i32, layout }: SharedMemory, head: number): number[] {
  const found: number[] = [];
  for (let m = i32[head]; m !== 0; m = i32[layout.machines + m * M_WORDS + 1]) found.push(m);
  return found;
}

/** Every processor is held by one machine or idle; the counts agree with the lists; nobody stands in two of them. */
function checkLists(memory: SharedMemory): void {
  const { i32, layout } = memory;
  const idle: number[] = [];
  for (let p = i32[SCHED_IDLE_P]; p !== 0; p = i32[layout.processors + (p - 1) * P_WORDS + 1])
    idle.push(p - 1);
  expect(i32[SCHED_IDLE] >>> 16).toBe(idle.length);
  for (let p = 0; p < SHAPE.procs; p++) {
    expect([p, i32[holderWord(memory, p)] === 0]).toEqual([p, idle.includes(p)]);
  }
  const lists = [listOf(memory, SCHED_IDLE_M), listOf(memory, SCHED_WAIT_HEAD)];
  lists.forEach((machines, kind) => {
    for (const m of machines) expect([m, i32[machineBase(memory, m) + M_LISTED]]).toEqual([m, kind + 1]);
  });
  expect(new Set(lists.flat()).size).toBe(lists.flat().length);
  expect(i32[SCHED_WAIT_TAIL]).toBe(lists[1].at(-1) ?? 0);
  expect(i32[SCHED_LOCK]).toBe(0);
}

type Options = Partial<ExploreOptions<SharedMemory, unknown[]>>;

function exploreScene(
  holds: readonly number[],
  threads: Thread<unknown>[],
  options: Options = {},
): ExploreResult {
  return explore<unknown[], SharedMemory>({
    words: WORK + 2,
    setup: (views: ModelMemory) => scene(views, holds),
    threads: threads as never,
    allowBlocked: true,
    preemptions: 3,
    maxExecutions: 3_000_000,
    ...options,
  });
}

// ───────────────────────────── what machines do ─────────────────────────────

/** Takes work if there is some. Atomic, so that two finders do not both have it. */
function takeWork(i32: Int32Array): boolean {
  for (;;) {
    const seen = Atomics.load(i32, WORK);
    if (seen === 0) return false;
    if (Atomics.compareExchange(i32, WORK, seen, seen - 1) === seen) return true;
  }
}

/** As a machine: searches if it may, then gives up search and processor, looks once more, and sleeps until it is given a processor. Takes all the work it finds. */
const goesIdle =
  (machine: number, processor: number): Thread =>
  ({ i32 }, memory) => {
    const coordinator = new IdleCoordinator(memory, machine);
    let held = { processor, searching: false };
    for (;;) {
      let searching = held.searching || coordinator.tryStartSearching();
      while (takeWork(i32)) {
        if (searching && coordinator.stopSearching() && Atomics.load(i32, WORK) !== 0)
          coordinator.wakeOneIfIdle();
        searching = false;
      }
      coordinator.goIdle(machine, held.processor);
      if (searching) coordinator.giveUpSearch();
      held =
        Atomics.load(i32, WORK) === 0
          ? sleepUntilGranted(memory, coordinator, machine)
          : comeBack(coordinator, machine);
    }
  };

function sleepUntilGranted(memory: SharedMemory, coordinator: IdleCoordinator, machine: number): Grant {
  const base = machineBase(memory, machine);
  while (!coordinator.hasGrant(machine)) {
    announceSleep(memory.i32, base, ASLEEP);
    if (coordinator.hasGrant(machine)) stayAwake(memory.i32, base);
    else sleep(memory.i32, base);
  }
  return { ...coordinator.leaveLists(machine) };
}

/** The last look found work: takes a processor and searches once more. */
function comeBack(coordinator: IdleCoordinator, machine: number): Grant {
  const grant = { ...coordinator.leaveLists(machine) };
  if (grant.processor >= 0) return grant;
  const processor = coordinator.tryAcquireProcessor(machine);
  if (processor >= 0) coordinator.searchAgain();
  return { processor, searching: processor >= 0 };
}

const publishes =
  (thread: number): Thread =>
  ({ i32 }, memory) => {
    Atomics.add(i32, WORK, 1);
    new IdleCoordinator(memory, thread).wakeOneIfIdle();
  };

/** Looks whether somebody is to be woken, with nothing to show: a searcher that has found what it looked for does. */
const wakesInVain =
  (thread: number): Thread =>
  (_views, memory) =>
    new IdleCoordinator(memory, thread).wakeOneIfIdle();

const nothingLies = ({ i32 }: ModelMemory, _results: unknown, memory: SharedMemory): void => {
  checkLists(memory);
  if (i32[WORK] !== 0) throw new Error(`${i32[WORK]} pieces of work lie about`);
};

describe("no work is left lying", () => {
  const lying = (holds: number[], threads: Thread[], preemptions: number): ExploreResult =>
    exploreScene(holds, threads, { check: nothingLies, preemptions });

  test("one publishes while a machine goes idle", () => {
    expectNoFailure(lying([0, 1, 2], [publishes(0), goesIdle(1, 0)], 4));
  });

  test("one publishes while two machines go idle", () => {
    expectNoFailure(lying([0, 1, 2], [publishes(0), goesIdle(1, 0), goesIdle(2, 1)], 2));
  });

  test("two publish while a machine goes idle", () => {
    expectNoFailure(lying([0, 1, 2], [publishes(0), publishes(3), goesIdle(1, 0)], 2));
  });

  test("one publishes while another, who counts as searching for a moment, finds nobody to wake", () => {
    // Processor 2 is idle with no machine for it. Who wants to wake one counts as a searcher until it has seen that.
    expectNoFailure(lying([0, 1], [wakesInVain(1), goesIdle(2, 1), publishes(0)], 2));
  });

  test("one publishes while a machine releases its processor to block, and another goes idle", () => {
    const blocks: Thread = ({ i32 }, memory) => {
      const coordinator = new IdleCoordinator(memory, 1);
      coordinator.releaseProcessor(0);
      if (Atomics.load(i32, WORK) !== 0) coordinator.wakeOneIfIdle();
    };
    expectNoFailure(lying([0, 1, 2], [publishes(0), blocks, goesIdle(2, 1)], 2));
  });

  test("without the last look it is", () => {
    const blind = withFault(looksAway(0, WORK), goesIdle(1, 0));
    expectFailure(lying([0, 1, 2], [publishes(0), blind], 2), /work lie about/);
  });

  test("with the last look before the processor is idle it is", () => {
    const early: Thread = ({ i32 }, memory) => {
      const coordinator = new IdleCoordinator(memory, 1);
      if (Atomics.load(i32, WORK) !== 0) return;
      coordinator.goIdle(1, 0);
      sleepUntilGranted(memory, coordinator, 1);
      takeWork(i32);
    };
    expectFailure(lying([0, 1, 2], [publishes(0), early], 2), /work lie about/);
  });

  test("published after the look for somebody to wake it is", () => {
    const late: Thread = ({ i32 }, memory) => {
      new IdleCoordinator(memory, 0).wakeOneIfIdle();
      Atomics.add(i32, WORK, 1);
    };
    expectFailure(lying([0, 1, 2], [late, goesIdle(1, 0)], 2), /work lie about/);
  });

  test("with a sleeper that nobody notifies it is", () => {
    expectFailure(
      lying([0, 1, 2], [withFault(notifiesNobody, publishes(0)), goesIdle(1, 0)], 2),
      /work lie about/,
    );
  });

  test("with counts that tear, the counts are wrong", () => {
    const torn = withFault(sumTears(SCHED_IDLE), goesIdle(1, 0));
    expectFailure(lying([0, 1, 2], [goesIdle(2, 1), torn], 2));
  });

  test("with lists that are not locked, the lists are wrong", () => {
    const unlocked = withFault(lockIsFree(SCHED_LOCK), goesIdle(1, 0));
    expectFailure(
      exploreScene([0, 1, 2], [goesIdle(2, 1), unlocked], {
        check: nothingLies,
        plainAccessesAreSteps: true,
        preemptions: 2,
      }),
    );
  });
});

describe("a machine that waits for a processor", () => {
  /** Gets any processor, waiting in the queue for one if it must, holds it for a step and releases it. */
  const usesOne =
    (machine: number): Thread<number> =>
    (_views, memory) => {
      const coordinator = new IdleCoordinator(memory, machine);
      let processor = coordinator.tryAcquireProcessor(machine);
      if (processor < 0) {
        coordinator.waitForProcessor(machine, -1);
        processor = sleepUntilGranted(memory, coordinator, machine).processor;
      }
      if (Atomics.load(memory.i32, holderWord(memory, processor)) !== machine)
        throw new Error("held by another");
      coordinator.releaseProcessor(processor);
      return processor;
    };
  const releases =
    (machine: number, processor: number): Thread =>
    (_views, memory) =>
      new IdleCoordinator(memory, machine).releaseProcessor(processor);
  const everybodyHadOne = (_views: ModelMemory, _results: unknown, memory: SharedMemory): void => {
    checkLists(memory);
    expect(memory.i32[SCHED_IDLE]).toBe(3 << 16);
  };

  test("gets the next that is released, and none is lost", () => {
    const threads = [releases(1, 0), usesOne(2), usesOne(3)] as Thread<unknown>[];
    expectNoFailure(
      exploreScene([0], threads, { check: everybodyHadOne, allowBlocked: false, preemptions: 2 }),
    );
  });

  test("waits while all are held, and gets one in the end", () => {
    const releasesAll: Thread = (_views, memory) => {
      const coordinator = new IdleCoordinator(memory, 1);
      for (let p = 0; p < SHAPE.procs; p++) coordinator.releaseProcessor(p);
    };
    const setup = (views: ModelMemory): SharedMemory => {
      const memory = scene(views, [0, 1, 2]);
      for (let p = 0; p < SHAPE.procs; p++) memory.i32[holderWord(memory, p)] = 1;
      return memory;
    };
    const options = { setup, check: everybodyHadOne, allowBlocked: false, preemptions: 2 };
    expectNoFailure(exploreScene([], [releasesAll, usesOne(2), usesOne(3)] as Thread<unknown>[], options));
  });

  test("is served before an idle machine is woken", () => {
    const queue = (views: ModelMemory): SharedMemory => {
      const memory = scene(views, [0, 1, 2]);
      new IdleCoordinator(memory, 2).waitForProcessor(2, -1);
      new IdleCoordinator(memory, 3).waitForProcessor(3, -1);
      return memory;
    };
    const check = (_views: ModelMemory, _results: unknown, memory: SharedMemory): void => {
      checkLists(memory);
      const granted = [2, 3].map((m) => memory.i32[machineBase(memory, m) + M_GRANT]);
      expect(granted).toEqual([1, 0]);
      expect(memory.i32[SCHED_WAIT_HEAD]).toBe(3);
    };
    expectNoFailure(exploreScene([], [releases(1, 0), publishes(0)], { setup: queue, check }));
  });

  test("leaves the queue from any place", () => {
    const setup = (views: ModelMemory): SharedMemory => {
      const memory = scene(views, [0, 1, 2]);
      for (const m of [1, 2, 3]) new IdleCoordinator(memory, m).waitForProcessor(m, -1);
      return memory;
    };
    const leaves =
      (machine: number): Thread<number> =>
      (_views, memory) =>
        new IdleCoordinator(memory, machine).leaveLists(machine).processor;
    const check = (_views: ModelMemory, results: unknown[], memory: SharedMemory): void => {
      const waiting = listOf(memory, SCHED_WAIT_HEAD);
      expect(waiting).not.toContain(2);
      expect(memory.i32[SCHED_WAIT_TAIL]).toBe(waiting.at(-1) ?? 0);
      const granted = [1, 3].filter((m) => memory.i32[machineBase(memory, m) + M_GRANT] !== 0);
      // Machine 3 left with the processor or without it; what was released is somebody's or idle.
      expect(granted.length + Number(results[1] !== -1) + (memory.i32[SCHED_IDLE] >>> 16)).toBe(1);
    };
    const threads = [leaves(2), leaves(3), releases(9, 0)] as Thread<unknown>[];
    expectNoFailure(exploreScene([], threads, { setup, check, preemptions: 3 }));
  });
});

describe("a processor whose machine is busy in its event loop", () => {
  /** Machine 1 is idle in its event loop; processor 0 is idle, the others are held by machines 2 and 3. */
  const setup = (views: ModelMemory): SharedMemory => {
    const memory = scene(views, [-1, 1, 2]);
    new IdleCoordinator(memory, 1).goIdle(1, -1);
    memory.i32[machineBase(memory, 1) + M_PARK] = ASLEEP_IN_EVENT_LOOP;
    memory.i32[machineBase(memory, 1) + M_IN_LOOP] = 1;
    return memory;
  };
  /** sysmon, whose patience is at its end as soon as it sees that the machine has not come. */
  const takesBack: Thread<boolean> = (_views, memory) => {
    const coordinator = new IdleCoordinator(memory, 4);
    const machine = coordinator.notComeFor(0);
    return machine !== 0 && coordinator.takeBack(0, machine);
  };
  /** The machine comes out of its event loop at some time: takes what it was given, does the work, and goes idle. */
  const comesBack: Thread = ({ i32 }, memory) => {
    const coordinator = new IdleCoordinator(memory, 1);
    if (!coordinator.hasGrant(1) && !coordinator.isStruckOff(1)) return;
    const { processor, searching } = coordinator.leaveLists(1);
    if (processor < 0) return;
    while (takeWork(i32));
    coordinator.releaseProcessor(processor);
    if (searching) coordinator.giveUpSearch();
    if (Atomics.load(i32, WORK) !== 0) coordinator.wakeOneIfIdle();
  };

  test("is taken back or come for, not both, and its search is counted out once", () => {
    const check = (_views: ModelMemory, _results: unknown, memory: SharedMemory): void => {
      checkLists(memory);
      const { i32 } = memory;
      const given = i32[machineBase(memory, 1) + M_GRANT] !== 0;
      expect(i32[SCHED_IDLE]).toBe(given ? 1 : 1 << 16);
    };
    const threads = [publishes(0), takesBack, comesBack] as Thread<unknown>[];
    expectNoFailure(exploreScene([], threads, { setup, check, preemptions: 4 }));
  });

  test("goes to an idle machine, which does the work in its place", () => {
    const threads = [publishes(0), takesBack, goesIdle(2, 1)] as Thread<unknown>[];
    const check = ({ i32 }: ModelMemory, results: unknown[], memory: SharedMemory): void => {
      checkLists(memory);
      const busy = memory.i32[machineBase(memory, 1) + M_GRANT] !== 0;
      // Either it is machine 1's to do, or machine 2 has done it.
      expect(busy ? 0 : i32[WORK]).toBe(0);
      if (results[1] === true) expect(i32[WORK]).toBe(0);
    };
    expectNoFailure(exploreScene([], threads, { setup, check, preemptions: 2 }));
  });

  test("is taken back, too, if somebody has called the machine before it was given it", () => {
    const called = (views: ModelMemory): SharedMemory => {
      const memory = setup(views);
      memory.i32[machineBase(memory, 1) + M_PARK] = AWAKE;
      return memory;
    };
    const givesThenTakesBack: Thread<unknown> = (views, memory, ...rest) => {
      publishes(0)(views, memory, ...rest);
      return takesBack(views, memory, ...rest);
    };
    const check = (_views: ModelMemory, results: unknown[]): void => expect(results).toEqual([true]);
    expectNoFailure(exploreScene([], [givesThenTakesBack], { setup: called, check }));
  });

  test("is left alone if the machine sleeps in Atomics.wait: it may only wait for its core", () => {
    const asleep = (views: ModelMemory): SharedMemory => {
      const memory = setup(views);
      memory.i32[machineBase(memory, 1) + M_PARK] = ASLEEP;
      memory.i32[machineBase(memory, 1) + M_IN_LOOP] = 0;
      return memory;
    };
    const check = (_views: ModelMemory, results: unknown[]): void => expect(results[1]).toBe(false);
    const threads = [publishes(0), takesBack] as Thread<unknown>[];
    expectNoFailure(exploreScene([], threads, { setup: asleep, check, preemptions: Infinity }));
  });
});

describe("threads on demand", () => {
  /** No machine has a thread yet. */
  const threadless = (views: ModelMemory): SharedMemory => {
    const memory = scene(views, []);
    for (let m = 1; m <= SHAPE.maxMachines; m++) memory.i32[machineBase(memory, m) + M_LIFE] = 0;
    return memory;
  };
  const lives = (memory: SharedMemory): number[] =>
    [1, 2, 3].map((m) => memory.i32[machineBase(memory, m) + M_LIFE]);

  test("one is wanted for work, and no more than there are idle processors", () => {
    const wakes = (thread: number): Thread => wakesInVain(thread);
    const check = (_views: ModelMemory, _results: unknown, memory: SharedMemory): void => {
      const { i32 } = memory;
      const wanted = lives(memory).filter((life) => life === LIFE_WANTED).length;
      expect([i32[SCHED_WANTED], i32[SCHED_COMING]]).toEqual([wanted, wanted]);
      expect(wanted).toBeGreaterThan(0);
      expect(i32[SCHED_IDLE]).toBe(3 << 16);
    };
    expectNoFailure(
      exploreScene([], [wakes(1), wakes(2), wakes(3)], { setup: threadless, check, preemptions: 2 }),
    );
  });

  /** Threads for all processors are on their way, says the host, and thinks better of it. */
  const underWay = (views: ModelMemory): SharedMemory => {
    const memory = threadless(views);
    for (let m = 1; m <= SHAPE.maxMachines; m++) memory.i32[machineBase(memory, m) + M_LIFE] = LIFE_STARTING;
    memory.i32[SCHED_COMING] = SHAPE.maxMachines;
    return memory;
  };
  const submits: Thread = ({ i32 }, memory) => {
    Atomics.add(i32, WORK, 1);
    new IdleCoordinator(memory, 8).wakeOneIfIdle();
  };
  const withdraws =
    (looksFirst: boolean): Thread =>
    ({ i32 }, memory) => {
      const coordinator = new IdleCoordinator(memory, 0);
      const seen = looksFirst && Atomics.load(i32, WORK) > 0;
      for (let m = 1; m <= SHAPE.maxMachines; m++) coordinator.withdraw(m);
      if (looksFirst ? seen : Atomics.load(i32, WORK) > 0) coordinator.wakeOneIfIdle();
    };
  const someoneIsAsked = (_views: ModelMemory, _results: unknown, { i32 }: SharedMemory): void =>
    expect(i32[SCHED_WANTED]).toBeGreaterThan(0);
  const withdrawal = (looksFirst: boolean): ExploreResult =>
    exploreScene([], [submits, withdraws(looksFirst)], { setup: underWay, check: someoneIsAsked });

  test("work is not left to threads that do not come", () => {
    expectNoFailure(withdrawal(false));
  });

  test("it would be if the host looked for work before it withdraws them", () => {
    expectFailure(withdrawal(true), /greater than/);
  });

  test("what is wanted is taken once, and the host is rung for it", () => {
    const HOST_LOOKS = 4;
    const host: Thread<number[]> = ({ i32 }, memory) => {
      const coordinator = new IdleCoordinator(memory, 0);
      const taken: number[] = [];
      const base = machineBase(memory, 0);
      for (let look = 0; look < HOST_LOOKS && taken.length < 2; look++) {
        announceSleep(i32, base, ASLEEP);
        if (Atomics.load(i32, SCHED_WANTED) === 0) sleep(i32, base);
        else stayAwake(i32, base);
        taken.push(...coordinator.takeWanted());
      }
      return taken;
    };
    const requests =
      (thread: number): Thread<number> =>
      (_views, memory) =>
        new IdleCoordinator(memory, thread).requestMachine();
    const check = (_views: ModelMemory, results: unknown[], memory: SharedMemory): void => {
      const [taken, first, second] = results as [number[], number, number];
      expect(new Set(taken)).toEqual(new Set([first, second]));
      expect(taken.length).toBe(2);
      expect(lives(memory).filter((life) => life === LIFE_STARTING).length).toBe(2);
    };
    const threads = [host, requests(8), requests(9)] as Thread<unknown>[];
    expectNoFailure(
      exploreScene([], threads, { setup: threadless, check, allowBlocked: false, preemptions: 2 }),
    );
    const rung = [host, withFault(notifiesNobody, requests(8)), requests(9)] as Thread<unknown>[];
    expectFailure(
      exploreScene([], rung, { setup: threadless, check, allowBlocked: false, preemptions: 2 }),
      /deadlock/,
    );
  });
});

describe("sysmon's deep sleep", () => {
  /** The engine is asked for days at most; here they never pass. */
  const dayIsEver: Fault = (real) => ({
    wait: (i32: Int32Array, index: number, value: number, ms = Infinity) =>
      real.wait(i32, index, value, ms >= 1e9 ? Infinity : ms),
  });
  /** Sleeps once: until a processor is held, if none is. */
  const sysmon: Thread<boolean> = withFault(dayIsEver, (_views, memory: SharedMemory) =>
    new Monitor(memory).sleep(1, () => 0),
  );
  const acquires: Thread<number> = (_views, memory) => new IdleCoordinator(memory, 1).tryAcquireProcessor(1);

  const exploreSysmon = (acquiring: Thread<number>, sleeping: Thread<boolean> = sysmon): ExploreResult =>
    exploreScene([], [sleeping, acquiring] as Thread<unknown>[], {
      check: ({ i32 }) => expect(i32[SYSMON_PARK]).toBe(0),
      allowBlocked: false,
      preemptions: Infinity,
    });

  test("ends when a processor is taken, whoever comes first", () => {
    expectNoFailure(exploreSysmon(acquires));
  });

  test("ends when a waiter is granted one by a waker", () => {
    const setup = (views: ModelMemory): SharedMemory => {
      const memory = scene(views, []);
      new IdleCoordinator(memory, 1).goIdle(1, -1);
      return memory;
    };
    const threads = [sysmon, publishes(0)] as Thread<unknown>[];
    expectNoFailure(exploreScene([], threads, { setup, allowBlocked: false, preemptions: Infinity }));
  });

  test("planted: nobody looks whether it sleeps, or it looks at the processors before it says so", () => {
    expectFailure(exploreSysmon(withFault(looksAway(0, SYSMON_PARK), acquires)), /deadlock/);
    const early: Thread<boolean> = ({ i32 }) => {
      if (Atomics.load(i32, SCHED_IDLE) >>> 16 !== SHAPE.procs) return true;
      Atomics.store(i32, SYSMON_PARK, 1);
      return Atomics.wait(i32, SYSMON_PARK, 1) === "ok";
    };
    expectFailure(exploreSysmon(acquires, early), /deadlock/);
  });
});
