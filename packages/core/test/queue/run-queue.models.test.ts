/** The ring and its slot under every schedule: one owner, one or two thieves, four places. */

import {
  type ExploreOptions,
  type ExploreResult,
  expectFailure,
  expectNoFailure,
  explore,
  type ModelMemory,
} from "@heddle/testkit";
import { describe, test } from "vitest";
import {
  G_NEXT,
  G_WORDS,
  GLOBAL_HEAD,
  P_HEAD,
  P_RING,
  P_RUNNEXT,
  P_TAIL,
  P_WORDS,
} from "../../src/memory/layout.ts";
import type { SharedMemory } from "../../src/memory/shared-memory.ts";
import { GlobalQueue } from "../../src/queue/global-queue.ts";
import { RunQueueOwner, RunQueueStealer, restore, type SpillTarget } from "../../src/queue/run-queue.ts";
import {
  casStores,
  exchangeTears,
  expectEachOnce,
  type Fault,
  looksOnce,
  MODEL_RING,
  modelLayout,
  modelMemory,
  modelWords,
  withFault,
} from "../support/model-memory.ts";

const SHAPE = { procs: 3 };

/** Keeps what a ring spills: the global queue has models of its own. */
class Spilled implements SpillTarget {
  readonly goroutines: number[] = [];

  pushChain(goroutines: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) this.goroutines.push(goroutines[i]);
  }
}

interface Queues {
  readonly shared: SharedMemory;
  /** Record of a processor. */
  base(processor: number): number;
  owner(processor: number, global?: SpillTarget): RunQueueOwner;
  stealer(processor: number): RunQueueStealer;
}

/** Processor 0 is the victim; 1 and 2 are the thieves'. Each index begins just below where 32 bits overflow. */
function queues(memory: ModelMemory): Queues {
  const shared = modelMemory(memory, SHAPE);
  const base = (processor: number): number => shared.layout.processors + processor * P_WORDS;
  for (let p = 0; p < SHAPE.procs; p++) {
    memory.i32[base(p) + P_HEAD] = 2 ** 31 - 2;
    memory.i32[base(p) + P_TAIL] = 2 ** 31 - 2;
  }
  return {
    shared,
    base,
    owner(processor, global = new Spilled()) {
      const owner = new RunQueueOwner(shared.i32, global);
      owner.attach(base(processor));
      return owner;
    },
    stealer: (processor) => new RunQueueStealer(shared.i32, base(processor)),
  };
}

/** Record of processor 0. */
const BASE = modelLayout(SHAPE).processors;

function popAll(owner: RunQueueOwner): number[] {
  const found: number[] = [];
  for (let got = owner.popNext(); got !== 0; got = owner.popNext()) found.push(got);
  for (let got = owner.pop(); got !== 0; got = owner.pop()) found.push(got);
  return found;
}

/** Steals once into its own ring: half, unless it wants fewer. */
const thief =
  (processor: number, takeNext = false, limit = MODEL_RING) =>
  (_memory: ModelMemory, queues: Queues): number[] => {
    const own = queues.owner(processor);
    const first = own.stealFrom(queues.stealer(0), takeNext, limit);
    return first === 0 ? [] : [first, ...popAll(own)];
  };

type Threads = ExploreOptions<Queues, number[][]>["threads"];

/** `count` goroutines go in at processor 0; whoever has them at the end, each is there once. */
function exploreRing(
  count: number,
  threads: Threads,
  options: Partial<ExploreOptions<Queues, number[][]>> = {},
): ExploreResult {
  return explore<number[][], Queues>({
    words: modelWords(SHAPE),
    setup: queues,
    threads,
    check: (_memory, results, queues) =>
      expectEachOnce([...results.flat(), ...popAll(queues.owner(0))], count),
    preemptions: 3,
    ...options,
  });
}

const pushFour = (_memory: ModelMemory, queues: Queues): number[] => {
  const owner = queues.owner(0);
  for (let g = 1; g <= MODEL_RING; g++) owner.push(g);
  return popAll(owner);
};

/** Fills the ring, takes one, fills it again, and overfills it: it spills unless a thief has made room. */
const overfill = (_memory: ModelMemory, queues: Queues): number[] => {
  const spilled = new Spilled();
  const owner = queues.owner(0, spilled);
  for (let g = 1; g <= MODEL_RING + 1; g++) owner.push(g);
  return [...spilled.goroutines, ...popAll(owner)];
};

/** Fills the ring one by one, empties it again as far as the thieves let it, and puts in what came from the global queue. */
const refill = (_memory: ModelMemory, queues: Queues): number[] => {
  const owner = queues.owner(0);
  for (let g = 1; g <= 2; g++) owner.push(g);
  const popped = [owner.pop(), owner.pop()].filter((g) => g !== 0);
  const count = Math.min(4, 1 + owner.room());
  owner.pushAll(Int32Array.of(9, 3, 4, 5), 1, count);
  return [...popped, ...popAll(owner)];
};

describe("ring of four: nothing lost, nothing taken twice", () => {
  test("the owner pushes and pops, a thief takes half", () => {
    expectNoFailure(exploreRing(4, [pushFour, thief(1)], { preemptions: 4 }));
  });

  test("two thieves at once", () => {
    expectNoFailure(exploreRing(4, [pushFour, thief(1), thief(2)]));
  });

  test("thieves that want one only, and half", () => {
    expectNoFailure(exploreRing(4, [pushFour, thief(1, false, 1)], { preemptions: 4 }));
    expectNoFailure(exploreRing(4, [pushFour, thief(1, false, 1), thief(2)]));
    expectNoFailure(exploreRing(5, [overfill, thief(1, false, 1), thief(2, false, 1)], { preemptions: 2 }));
  });

  test("several come in at once while thieves take from it", () => {
    const options = { plainAccessesAreSteps: true, preemptions: 2 };
    expectNoFailure(exploreRing(5, [refill, thief(1)], { preemptions: 4 }));
    expectNoFailure(exploreRing(5, [refill, thief(1)], options));
    expectNoFailure(exploreRing(5, [refill, thief(1, false, 1), thief(2)], { preemptions: 2 }));
  });

  test("a full ring spills while thieves take from it", () => {
    expectNoFailure(exploreRing(5, [overfill, thief(1)], { preemptions: 4 }));
    expectNoFailure(exploreRing(5, [overfill, thief(1), thief(2)], { preemptions: 2 }));
  });

  test("places are reused only when the head has passed them", () => {
    const reuse = (_memory: ModelMemory, queues: Queues): number[] => {
      const spilled = new Spilled();
      const owner = queues.owner(0, spilled);
      const popped: number[] = [];
      for (let g = 1; g <= MODEL_RING; g++) owner.push(g);
      for (let g = MODEL_RING + 1; g <= MODEL_RING + 3; g++) {
        const got = owner.pop();
        if (got !== 0) popped.push(got);
        owner.push(g);
      }
      return [...spilled.goroutines, ...popped, ...popAll(owner)];
    };
    expectNoFailure(exploreRing(7, [reuse, thief(1)], { plainAccessesAreSteps: true, preemptions: 2 }));
  });

  test("what the ring spills is in the global queue before the owner goes on", () => {
    const links = (queues: Queues): number => queues.shared.layout.goroutines + G_NEXT;
    const spilling = (_memory: ModelMemory, queues: Queues): number[] => {
      const { shared } = queues;
      const owner = queues.owner(0, new GlobalQueue(shared.i32, shared.layout.goroutines, 1));
      for (let g = 1; g <= MODEL_RING + 1; g++) owner.push(g);
      return popAll(owner);
    };
    const taking = (_memory: ModelMemory, { shared }: Queues): number[] => {
      const global = new GlobalQueue(shared.i32, shared.layout.goroutines, 2);
      const batch = new Int32Array(8);
      return [...batch.subarray(0, global.popBatch(batch, 2))];
    };
    const check = ({ i32 }: ModelMemory, results: number[][], queues: Queues): void => {
      const listed: number[] = [];
      for (let g = i32[GLOBAL_HEAD]; g !== 0; g = i32[links(queues) + g * G_WORDS]) listed.push(g);
      expectEachOnce([...results.flat(), ...listed, ...popAll(queues.owner(0))], 5);
    };
    expectNoFailure(exploreRing(5, [spilling, taking], { check }));
  });
});

/** Takes a goroutine if it is the newest, or the slot's. */
function takeAwaited(owner: RunQueueOwner, goroutine: number): number[] {
  if (owner.isNext(goroutine)) return owner.takeNext(goroutine) ? [goroutine] : [];
  return owner.isNewest(goroutine) && owner.takeNewest() ? [goroutine] : [];
}

/** Fills the ring, takes the newest two again, and puts another in their place. */
const takeBack = (_memory: ModelMemory, queues: Queues): number[] => {
  const owner = queues.owner(0);
  for (let g = 1; g <= 3; g++) owner.push(g);
  const newest = [...takeAwaited(owner, 3), ...takeAwaited(owner, 2)];
  owner.push(4);
  return [...newest, ...popAll(owner)];
};

/** The owner takes the only one there is while a thief may. */
const takeOnly = (_memory: ModelMemory, queues: Queues): number[] => {
  const owner = queues.owner(0);
  owner.push(1);
  const only = takeAwaited(owner, 1);
  owner.push(2);
  return [...only, ...takeAwaited(owner, 2), ...popAll(owner)];
};

describe("the newest goes to one taker", () => {
  test("of three, and what follows in its place is nobody else's", () => {
    expectNoFailure(exploreRing(4, [takeBack, thief(1)], { preemptions: 4 }));
    expectNoFailure(exploreRing(4, [takeBack, thief(1), thief(2)]));
    expectNoFailure(exploreRing(4, [takeBack, thief(1)], { plainAccessesAreSteps: true, preemptions: 2 }));
  });

  test("the only one", () => {
    expectNoFailure(exploreRing(2, [takeOnly, thief(1)], { preemptions: 5 }));
    expectNoFailure(exploreRing(2, [takeOnly, thief(1), thief(2)], { preemptions: 3 }));
  });

  test("the slot's", () => {
    const takeSlot = (_memory: ModelMemory, queues: Queues): number[] => {
      const owner = queues.owner(0);
      owner.pushNext(1);
      owner.pushNext(2);
      return [...takeAwaited(owner, 2), ...takeAwaited(owner, 1), ...popAll(owner)];
    };
    expectNoFailure(exploreRing(2, [takeSlot, thief(1, true)], { preemptions: 4 }));
    expectNoFailure(exploreRing(2, [takeSlot, thief(1, true), thief(2, true)], { preemptions: 3 }));
  });

  test("a full ring that gave its newest back spills and is stolen from as before", () => {
    const overfillAgain = (_memory: ModelMemory, queues: Queues): number[] => {
      const spilled = new Spilled();
      const owner = queues.owner(0, spilled);
      for (let g = 1; g <= MODEL_RING; g++) owner.push(g);
      const newest = takeAwaited(owner, MODEL_RING);
      for (let g = MODEL_RING + 1; g <= MODEL_RING + 2; g++) owner.push(g);
      return [...newest, ...spilled.goroutines, ...popAll(owner)];
    };
    expectNoFailure(exploreRing(6, [overfillAgain, thief(1)], { preemptions: 3 }));
  });

  /** An owner that moves only the tail: what a thief has read meanwhile is not failed. */
  class TailOnly extends RunQueueOwner {
    override takeNewest(): boolean {
      const own = this as unknown as { i32: Int32Array; base: number; tail: number };
      if (Atomics.load(own.i32, own.base + P_HEAD) === own.tail) return false;
      own.tail = (own.tail - 1) | 0;
      Atomics.store(own.i32, own.base + P_TAIL, own.tail);
      return true;
    }
  }

  test("not if the head stays where it is", () => {
    const broken = (_memory: ModelMemory, queues: Queues): number[] => {
      const owner = new TailOnly(queues.shared.i32, new Spilled());
      owner.attach(BASE);
      owner.push(1);
      return [...takeAwaited(owner, 1), ...popAll(owner)];
    };
    expectFailure(exploreRing(1, [broken, thief(1)]), /doubled/);
  });

  test("not if the head is moved without comparing", () => {
    expectFailure(exploreRing(2, [withFault(casStores(BASE + P_HEAD), takeOnly), thief(1)]));
  });
});

describe("runNext slot", () => {
  const replaceAndPop = (_memory: ModelMemory, queues: Queues): number[] => {
    const owner = queues.owner(0);
    owner.pushNext(1);
    owner.pushNext(2);
    const next = owner.popNext();
    owner.pushNext(3);
    return [...(next === 0 ? [] : [next]), ...popAll(owner)];
  };

  test("goes to one taker, and what it held before goes to the ring", () => {
    expectNoFailure(exploreRing(3, [replaceAndPop, thief(1, true)], { preemptions: 4 }));
    expectNoFailure(exploreRing(3, [replaceAndPop, thief(1, true), thief(2, true)], { preemptions: 3 }));
  });

  test("taken in two steps it goes to two", () => {
    const torn = exchangeTears(BASE + P_RUNNEXT);
    expectFailure(exploreRing(3, [replaceAndPop, withFault(torn, thief(1, true))]), /doubled/);
    expectFailure(exploreRing(3, [withFault(torn, replaceAndPop), thief(1, true)]), /doubled/);
  });

  /** The queue is never empty: 1 moves from the slot to the ring, 2 comes into the slot and goes. */
  const neverEmpty = (look: (memory: ModelMemory, queues: Queues) => boolean): ExploreResult =>
    explore({
      words: modelWords(SHAPE),
      setup: (memory: ModelMemory) => {
        const made = queues(memory);
        made.owner(0).pushNext(1);
        return made;
      },
      threads: [
        (_memory, queues) => {
          const owner = queues.owner(0);
          owner.pushNext(2);
          owner.popNext();
        },
        look,
      ],
      check: (_memory, [, empty]) => {
        if (empty) throw new Error("seen as empty");
      },
    });
  const looksEmpty = (_memory: ModelMemory, queues: Queues): boolean => queues.stealer(0).isEmpty();

  test("a goroutine on its way from slot to ring is not missed", () => {
    expectNoFailure(neverEmpty(looksEmpty));
  });

  test("without the second look at the tail it is", () => {
    expectFailure(neverEmpty(withFault(looksOnce(BASE + P_TAIL), looksEmpty)), /seen as empty/);
  });
});

describe("planted bugs in the ring are found", () => {
  const broken = (fault: Fault, options = {}): void => {
    const owners = exploreRing(4, [withFault(fault, pushFour), thief(1)], options);
    const thieves = exploreRing(4, [pushFour, withFault(fault, thief(1))], options);
    expectFailure(owners);
    expectFailure(thieves);
  };

  test("the head moved without comparing", () => broken(casStores(BASE + P_HEAD)));

  test("a spill that does not compare", () => {
    const threads = [withFault(casStores(BASE + P_HEAD), overfill), thief(1)] as Threads;
    expectFailure(exploreRing(5, threads));
  });

  test("a thief that commits before it copies", () => {
    class Hasty extends RunQueueStealer {
      override grabInto(ring: number, ringMask: number, tail: number): number {
        const { i32 } = this as unknown as { i32: Int32Array };
        const head = Atomics.load(i32, BASE + P_HEAD);
        const length = (Atomics.load(i32, BASE + P_TAIL) - head) | 0;
        const count = length - (length >> 1);
        if (Atomics.compareExchange(i32, BASE + P_HEAD, head, (head + count) | 0) !== head) return 0;
        for (let i = 0; i < count; i++)
          i32[ring + ((tail + i) & ringMask)] = i32[BASE + P_RING + ((head + i) & (MODEL_RING - 1))];
        return count;
      }
    }
    const hasty = (_memory: ModelMemory, queues: Queues): number[] => {
      const own = queues.owner(1);
      const first = own.stealFrom(new Hasty(queues.shared.i32, BASE), false, 4);
      return first === 0 ? [] : [first, ...popAll(own)];
    };
    expectFailure(exploreRing(5, [overfill, hasty], { plainAccessesAreSteps: true }));
  });

  test("an owner that puts several in and stores the tail first", () => {
    const early = (_memory: ModelMemory, queues: Queues): number[] => {
      const { i32 } = queues.shared;
      const tail = i32[BASE + P_TAIL];
      Atomics.store(i32, BASE + P_TAIL, (tail + 3) | 0);
      queues.owner(0).pushAll(Int32Array.of(9, 1, 2, 3), 1, 4);
      for (let g = 1; g <= 3; g++) i32[BASE + P_RING + ((tail + g - 1) & (MODEL_RING - 1))] = g;
      Atomics.store(i32, BASE + P_TAIL, (tail + 3) | 0);
      return popAll(queues.owner(0));
    };
    expectFailure(exploreRing(3, [early, thief(1)], { plainAccessesAreSteps: true }));
  });

  test("an owner that stores the tail before the place", () => {
    const early = (_memory: ModelMemory, queues: Queues): number[] => {
      const { i32 } = queues.shared;
      const tail = i32[BASE + P_TAIL];
      for (let g = 1; g <= 2; g++) {
        Atomics.store(i32, BASE + P_TAIL, (tail + g) | 0);
        i32[BASE + P_RING + ((tail + g - 1) & (MODEL_RING - 1))] = g;
      }
      return popAll(queues.owner(0));
    };
    expectFailure(exploreRing(2, [early, thief(1)], { plainAccessesAreSteps: true }));
  });
});

describe("an owner that dies", () => {
  /** What it took is gone with it; what it left is there once, for whoever has the processor next. */
  const exploreDeath = (repairs: boolean): ExploreResult =>
    exploreRing(4, [takeBack, thief(1)], {
      kill: {
        thread: 0,
        repair: ({ i32 }) => {
          if (repairs) restore(i32, BASE);
        },
      },
      plainAccessesAreSteps: true,
      preemptions: 1,
      check: ({ i32 }, [had, stolen], queues) => {
        const length = ((i32[BASE + P_TAIL] as number) - (i32[BASE + P_HEAD] as number)) | 0;
        if (length < 0 || length > MODEL_RING) throw new Error(`a ring of length ${length}`);
        const found = [...(had ?? []), ...(stolen ?? []), ...popAll(queues.owner(0))];
        if (new Set(found).size !== found.length) throw new Error(`doubled: ${found.join()}`);
      },
    });

  test("leaves a queue that another can go on with, wherever it was", () => {
    expectNoFailure(exploreDeath(true));
  });

  test("finds a ring that is not put right", () => {
    expectFailure(exploreDeath(false), /a ring of length/);
  });
});
