/**
 * Crews: goroutines that need each other, through every kind of lock. When one is lost, the others may wait for what only it could give; whoever sees to the crew then cancels the context they all work under, and
 * each ends with a result or with that cancellation. In a crew that lost nobody all must add up.
 */

import { seeded } from "@heddle/testkit";
import {
  Barrier,
  Cond,
  context,
  type Goroutine,
  goroutine,
  gosched,
  Mutex,
  RWMutex,
  Semaphore,
  spawnWith,
  WaitGroup,
} from "heddle";
import { expectSame } from "../scenario.ts";
import { type Fate, noteBegun, noteEnded } from "./accounts.ts";
import { home } from "./home.ts";
import type { Errand, Load } from "./load.ts";

const MEMBERS = 5;
const TURNS = 12;
const PERMITS = 3;

/** What a crew shares. */
interface Gear {
  readonly mutex: Mutex;
  readonly shared: RWMutex;
  readonly permits: Semaphore;
  readonly barrier: Barrier;
  readonly changed: Cond;
  readonly all: WaitGroup;
}

/** Words of a crew, from its first place on: added to under the mutex; under the write lock; the turn that all have ended. */
const LOCKED = 0;
const WRITTEN = 1;
const TURN = 2;
const WORDS = 3;

const member = goroutine(
  home,
  function* member(
    marks: Int32Array,
    own: number,
    seed: number,
    words: number,
    gear: Gear,
  ): Goroutine<number> {
    noteBegun(marks, own);
    const random = seeded(seed);
    let writes = 0;
    for (let turn = 1; turn <= TURNS; turn++) {
      yield* addUnderMutex(marks, words, gear);
      if (random.below(3) === 0) {
        yield* write(marks, words, gear);
        writes++;
      } else {
        yield* read(gear);
      }
      yield* usePermits(1 + random.below(PERMITS), gear);
      yield* endTurn(marks, words, turn, gear);
    }
    gear.all.done();
    yield* gear.all.wait();
    noteEnded(marks, own);
    return writes;
  },
);

function* addUnderMutex(marks: Int32Array, words: number, { mutex }: Gear): Goroutine<void> {
  yield* mutex.lock();
  try {
    const before = marks[words + LOCKED] as number;
    if (before % 3 === 0) yield* gosched();
    marks[words + LOCKED] = before + 1;
  } finally {
    mutex.unlock();
  }
}

function* write(marks: Int32Array, words: number, { shared }: Gear): Goroutine<void> {
  yield* shared.lock();
  try {
    marks[words + WRITTEN] = (marks[words + WRITTEN] as number) + 1;
  } finally {
    shared.unlock();
  }
}

function* read({ shared }: Gear): Goroutine<void> {
  yield* shared.rlock();
  try {
    yield* gosched();
  } finally {
    shared.runlock();
  }
}

function* usePermits(count: number, { permits }: Gear): Goroutine<void> {
  yield* permits.acquire(count);
  try {
    yield* gosched();
  } finally {
    permits.release(count);
  }
}

/** All meet; the one that the barrier chooses says so, and the others wait until it has. */
function* endTurn(marks: Int32Array, words: number, turn: number, gear: Gear): Goroutine<void> {
  const chosen = yield* gear.barrier.wait();
  yield* gear.mutex.lock();
  try {
    if (chosen) {
      marks[words + TURN] = turn;
      gear.changed.broadcast();
    }
    while ((marks[words + TURN] as number) < turn) yield* gear.changed.wait();
  } finally {
    gear.mutex.unlock();
  }
}

function makeGear(): Gear {
  const mutex = new Mutex();
  const all = new WaitGroup();
  all.add(MEMBERS);
  return {
    mutex,
    shared: new RWMutex(),
    permits: new Semaphore(PERMITS),
    barrier: new Barrier(MEMBERS),
    changed: new Cond(mutex),
    all,
  };
}

async function crew({ stage, accounts }: Load): Promise<void> {
  const { marks } = accounts;
  const words = accounts.take(WORDS);
  let writes = 0;
  const fates = await stage.runtime.enter(() => {
    const gear = makeGear();
    const [crewContext, cancel] = context.withCancel(context.background());
    const members = Array.from({ length: MEMBERS }, async (): Promise<Fate> => {
      const own = accounts.take(1);
      const handle = spawnWith({ context: crewContext }, member, marks, own, stage.seed(), words, gear);
      const fate = await accounts.follow(own, handle, (written) => {
        writes += written;
      });
      if (fate === "lost") cancel("a member is lost");
      return fate;
    });
    return Promise.all(members).finally(() => cancel());
  });
  if (fates.every((fate) => fate === "done")) {
    expectSame("additions under a mutex", marks[words + LOCKED], MEMBERS * TURNS);
    expectSame("additions under a write lock", marks[words + WRITTEN], writes);
    expectSame("turns", marks[words + TURN], TURNS);
  } else {
    expectSame("whether a crew without a loss is cancelled", fates.includes("lost"), true);
  }
  marks.fill(0, words, words + WORDS);
  stage.did(MEMBERS * TURNS);
}

export const crews: Errand = { run: crew };
