/**
 * Real machines, two at most, under every schedule: whatever is published is run, once, and nobody who waits is forgotten.
 *
 * Machines sleep at the end of each execution. A goroutine that keeps its machine busy until others have run shows that an idle processor takes what a busy one
 * cannot: were work left lying, it would spin for ever, and the others' marks would be missing.
 */

import {
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
  type ThreadFunction,
} from "@heddle/testkit";
import { describe, expect, test } from "vitest";
import { M_INBOX, M_WORDS } from "../../src/memory/layout.ts";
import type { Machine } from "../../src/scheduler/machine/machine.ts";
import {
  JOINED,
  type MachineModel,
  machineModelWords,
  runsMachine,
  setupMachines,
  submitFirst,
  submits,
  type Visit,
} from "../support/model-machine.ts";
import {
  looksAway,
  type ModelShape,
  modelLayout,
  notifiesNobody,
  withFault,
} from "../support/model-memory.ts";

type Thread = ThreadFunction<MachineModel, void>;

interface Scene {
  readonly procs: number;
  readonly threads: readonly Thread[];
  /** In the global queue from the start. */
  readonly first?: readonly Visit[];
  /** Goroutines 0 … `goroutines` - 1 must have run, once. */
  readonly goroutines: number;
  /** So many must have been resumed after a join. */
  readonly joined?: number;
  readonly preemptions?: number;
}

function exploreMachines({
  procs,
  threads,
  first = [],
  goroutines,
  joined = 0,
  preemptions = 2,
}: Scene): ExploreResult {
  const shape: ModelShape = { procs, maxMachines: procs };
  return explore<void[], MachineModel>({
    words: machineModelWords(shape),
    setup: (memory: ModelMemory) => {
      const model = setupMachines(memory, shape, procs);
      submitFirst(model, ...first);
      return model;
    },
    threads: [...threads],
    check: ({ i32 }, _results, { marks }) => {
      const runs = Array.from({ length: goroutines }, (_, mark) => i32[marks + mark]);
      expect(runs).toEqual(runs.map(() => 1));
      expect(i32[marks + JOINED]).toBe(joined);
    },
    allowBlocked: true,
    maxAccesses: 20_000,
    preemptions,
  });
}

describe("one machine and a host", () => {
  test("what the host submits is run, whether the machine comes, searches or sleeps", () => {
    expectNoFailure(
      exploreMachines({ procs: 1, threads: [submits({ mark: 0 }), runsMachine(1)], goroutines: 1 }),
    );
    const two = submits({ mark: 0 }, { mark: 1 });
    expectNoFailure(exploreMachines({ procs: 1, threads: [two, runsMachine(1)], goroutines: 2 }));
  });
});

describe("two machines", () => {
  test("a child in the slot of a busy processor is taken by the other", () => {
    const first = [{ mark: 0, children: 1, until: 1 }];
    const threads = [runsMachine(1), runsMachine(2)];
    expectNoFailure(exploreMachines({ procs: 2, threads, first, goroutines: 2 }));
  });

  test("children in the ring of a busy processor are taken by the other", () => {
    const first = [{ mark: 0, children: 3, until: 3 }];
    const threads = [runsMachine(1), runsMachine(2)];
    expectNoFailure(exploreMachines({ procs: 2, threads, first, goroutines: 4, preemptions: 1 }));
  });

  test("what the host submits while one is busy is run by the other", () => {
    const first = [{ mark: 0, until: 1 }];
    const threads = [submits({ mark: 1 }), runsMachine(1), runsMachine(2)];
    expectNoFailure(exploreMachines({ procs: 2, threads, first, goroutines: 2, preemptions: 1 }));
  });

  test("a machine that may not search, as one searches already, does not turn in circles until that one has found the work", () => {
    const threads = [submits({ mark: 0 }, { mark: 1 }), runsMachine(1), runsMachine(2)];
    expectNoFailure(exploreMachines({ procs: 2, threads, goroutines: 2, preemptions: 1 }));
  });

  test("a goroutine that joins one on the other machine is resumed where it lives", () => {
    const first = [{ mark: 0, children: 2, joins: true }];
    const threads = [runsMachine(1), runsMachine(2)];
    expectNoFailure(exploreMachines({ procs: 2, threads, first, goroutines: 3, joined: 1, preemptions: 1 }));
  });

  test("a goroutine that joins the one in its slot runs it, or is resumed if the other machine has it", () => {
    const first = [{ mark: 0, children: 1, joins: true }];
    const threads = [runsMachine(1), runsMachine(2)];
    expectNoFailure(exploreMachines({ procs: 2, threads, first, goroutines: 2, joined: 1 }));
  });

  test("a busy processor does not keep a resumed goroutine from another machine's", () => {
    const first = [{ mark: 0, children: 3, joins: true }];
    const threads = [runsMachine(1), runsMachine(2)];
    expectNoFailure(exploreMachines({ procs: 2, threads, first, goroutines: 4, joined: 1, preemptions: 1 }));
  });
});

describe("planted bugs are found", () => {
  const first = [{ mark: 0, children: 1, until: 1 }];
  const blind = (machine: Machine): void => {
    (machine as unknown as { workSomewhere(): boolean }).workSomewhere = () => false;
  };
  const shape: ModelShape = { procs: 2, maxMachines: 2 };
  const inbox = (number: number): number => modelLayout(shape).machines + number * M_WORDS + M_INBOX;

  test("a machine that does not look once more before it sleeps", () => {
    const threads = [submits({ mark: 0 }), runsMachine(1, blind)];
    expectFailure(exploreMachines({ procs: 1, threads, goroutines: 1 }));
    expectFailure(
      exploreMachines({ procs: 2, threads: [runsMachine(1), runsMachine(2, blind)], first, goroutines: 2 }),
    );
  });

  test("a host that wakes nobody", () => {
    const silent = withFault(notifiesNobody, submits({ mark: 0 }));
    expectFailure(exploreMachines({ procs: 1, threads: [silent, runsMachine(1)], goroutines: 1 }));
  });

  test("a machine that sleeps without a look into its inbox", () => {
    const joining = [{ mark: 0, children: 2, joins: true }];
    const threads = [1, 2].map((number) => withFault(looksAway(0, inbox(number)), runsMachine(number)));
    expectFailure(exploreMachines({ procs: 2, threads, first: joining, goroutines: 3, joined: 1 }));
  });
});
