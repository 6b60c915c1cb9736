/** Every lock there is, held by goroutines of every kind, with plain memory behind it that two at once would spoil. */

import { type SeededRandom, seeded } from "@heddle/testkit";
import {
  Barrier,
  Cond,
  type Goroutine,
  goroutine,
  gosched,
  Mutex,
  Once,
  RWMutex,
  Semaphore,
  sleep,
} from "heddle";
import { BrokenInvariant, expectSame, ledger, type Scenario, type Stage } from "../scenario.ts";

/** Somewhere to lose time with a lock in hand. */
function* linger(random: SeededRandom): Goroutine<void> {
  const how = random.below(12);
  if (how < 3) yield* gosched();
  else if (how === 3) yield* sleep(0.05);
}

/** Adds to two words that only a lock holds together: without it, additions are lost and the words differ. */
function addPlainly(words: Int32Array): void {
  const [a, b] = words as unknown as [number, number];
  if (a !== b) throw new BrokenInvariant(`what a mutex guards was half done: ${a} and ${b}`);
  words[0] = a + 1;
  words[1] = b + 1;
}

const locker = goroutine(
  import.meta,
  function* locker(seed: number, turns: number, mutex: Mutex, words: Int32Array): Goroutine<void> {
    const random = seeded(seed);
    for (let turn = 0; turn < turns; turn++) {
      if (random.below(4) === 0 && mutex.tryLock()) {
        addPlainly(words);
        mutex.unlock();
        continue;
      }
      yield* mutex.lock();
      addPlainly(words);
      yield* linger(random);
      mutex.unlock();
      if (random.below(8) === 0) yield* gosched();
    }
  },
);

const patientLocker = goroutine(
  import.meta,
  async function patientLocker(turns: number, mutex: Mutex, words: Int32Array): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      await mutex.lock();
      addPlainly(words);
      mutex.unlock();
    }
  },
);

/** Holds its thread while it waits. */
const blockingLocker = goroutine(
  import.meta,
  function blockingLocker(turns: number, mutex: Mutex, words: Int32Array): void {
    for (let turn = 0; turn < turns; turn++) {
      mutex.lock().block();
      addPlainly(words);
      mutex.unlock();
    }
  },
);

async function mutexes(stage: Stage): Promise<void> {
  const { runtime } = stage;
  const mutex = runtime.enter(() => new Mutex());
  const words = ledger(2);
  const turns = stage.often(60);
  const lockers = stage.many(20);
  const all = Array.from({ length: lockers }, (_, i) => {
    if (i % 7 === 5) return runtime.run(patientLocker, turns, mutex, words);
    if (i % 7 === 6) return runtime.run(blockingLocker, turns, mutex, words);
    return runtime.run(locker, stage.seed(), turns, mutex, words);
  });
  await Promise.all(all);
  expectSame("additions under the mutex", words[0], turns * lockers);
  stage.did(turns * lockers);
}

const READERS = 2;

const shared = goroutine(
  import.meta,
  function* shared(seed: number, turns: number, lock: RWMutex, words: Int32Array): Goroutine<number> {
    const random = seeded(seed);
    let written = 0;
    for (let turn = 0; turn < turns; turn++) {
      if (random.below(5) === 0) {
        yield* lock.lock();
        if (Atomics.load(words, READERS) !== 0) throw new BrokenInvariant("a writer met a reader");
        addPlainly(words);
        yield* linger(random);
        lock.unlock();
        written++;
      } else {
        if (!(random.below(4) === 0 && lock.tryRLock())) yield* lock.rlock();
        Atomics.add(words, READERS, 1);
        const before = words[0];
        yield* linger(random);
        if (words[0] !== before || words[1] !== before)
          throw new BrokenInvariant("what a reader looks at has changed");
        Atomics.sub(words, READERS, 1);
        lock.runlock();
      }
    }
    return written;
  },
);

async function readersAndWriters(stage: Stage): Promise<void> {
  const { runtime } = stage;
  const lock = runtime.enter(() => new RWMutex());
  const words = ledger(3);
  const turns = stage.often(60);
  const all = Array.from({ length: stage.many(16) }, () =>
    runtime.run(shared, stage.seed(), turns, lock, words),
  );
  const written = (await Promise.all(all)).reduce((sum, one) => sum + one, 0);
  expectSame("additions of writers", words[0], written);
  stage.did(turns * all.length);
}

/** A bounded buffer as textbooks have it: a mutex and two conditions. Words: what is in it, taken, put. */
const HELD = 0;
const TAKEN = 1;
const PUT = 2;
const ROOM = 3;

const producer = goroutine(
  import.meta,
  function* producer(
    turns: number,
    mutex: Mutex,
    filled: Cond,
    freed: Cond,
    words: Int32Array,
  ): Goroutine<void> {
    for (let turn = 0; turn < turns; turn++) {
      yield* mutex.lock();
      while ((words[HELD] as number) >= ROOM) yield* freed.wait();
      words[HELD] = (words[HELD] as number) + 1;
      words[PUT] = (words[PUT] as number) + 1;
      mutex.unlock();
      filled.signal();
    }
  },
);

const consumer = goroutine(
  import.meta,
  function* consumer(
    turns: number,
    mutex: Mutex,
    filled: Cond,
    freed: Cond,
    words: Int32Array,
  ): Goroutine<void> {
    for (let turn = 0; turn < turns; turn++) {
      yield* mutex.lock();
      while (words[HELD] === 0) yield* filled.wait();
      words[HELD] = (words[HELD] as number) - 1;
      words[TAKEN] = (words[TAKEN] as number) + 1;
      mutex.unlock();
      if (turn % 9 === 0) freed.broadcast();
      else freed.signal();
    }
  },
);

async function conditions(stage: Stage): Promise<void> {
  const { runtime } = stage;
  const [mutex, filled, freed] = runtime.enter(() => {
    const guard = new Mutex();
    return [guard, new Cond(guard), new Cond(guard)] as const;
  });
  const words = ledger(3);
  const turns = stage.often(60);
  const pairs = stage.many(6);
  const all: Promise<void>[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    all.push(runtime.run(producer, turns, mutex, filled, freed, words));
    all.push(runtime.run(consumer, turns, mutex, filled, freed, words));
  }
  await Promise.all(all);
  expectSame("what was taken from the bounded buffer", words[TAKEN], turns * pairs);
  expectSame("what is left in the bounded buffer", words[HELD], 0);
  stage.did(turns * pairs * 2);
}

const PERMITS = 5;

const permitted = goroutine(
  import.meta,
  function* permitted(seed: number, turns: number, permits: Semaphore, inside: Int32Array): Goroutine<void> {
    const random = seeded(seed);
    for (let turn = 0; turn < turns; turn++) {
      const wanted = 1 + random.below(PERMITS);
      if (!(random.below(4) === 0 && permits.tryAcquire(wanted))) yield* permits.acquire(wanted);
      const held = Atomics.add(inside, 0, wanted) + wanted;
      if (held > PERMITS) throw new BrokenInvariant(`${held} of ${PERMITS} permits are held`);
      yield* linger(random);
      Atomics.sub(inside, 0, wanted);
      permits.release(wanted);
    }
  },
);

async function semaphores(stage: Stage): Promise<void> {
  const { runtime } = stage;
  const permits = runtime.enter(() => new Semaphore(PERMITS));
  const inside = ledger(1);
  const turns = stage.often(60);
  const all = Array.from({ length: stage.many(14) }, () =>
    runtime.run(permitted, stage.seed(), turns, permits, inside),
  );
  await Promise.all(all);
  if (!permits.tryAcquire(PERMITS)) throw new BrokenInvariant("permits are missing when all have ended");
  stage.did(turns * all.length);
}

/** Words: arrivals; times somebody was the one of a generation; calls of the once. */
const ARRIVED = 0;
const CHOSEN = 1;
const CALLED = 2;

const party = goroutine(
  import.meta,
  function* party(
    parties: number,
    turns: number,
    barrier: Barrier,
    onces: Once[],
    words: Int32Array,
  ): Goroutine<void> {
    for (let turn = 0; turn < turns; turn++) {
      Atomics.add(words, ARRIVED, 1);
      if (yield* barrier.wait()) Atomics.add(words, CHOSEN, 1);
      const arrived = Atomics.load(words, ARRIVED);
      if (arrived < parties * (turn + 1))
        throw new BrokenInvariant(`the barrier opened turn ${turn} for ${arrived} arrivals of ${parties}`);
      const called = Atomics.load(words, CALLED);
      if (called < turn) throw new BrokenInvariant(`${called} calls of once before turn ${turn}`);
      yield* (onces[turn] as Once).do(function* once(): Goroutine<void> {
        yield* gosched();
        Atomics.add(words, CALLED, 1);
      });
      if (Atomics.load(words, CALLED) <= turn)
        throw new BrokenInvariant("do returned before the call had ended");
    }
  },
);

async function barriers(stage: Stage): Promise<void> {
  const { runtime } = stage;
  const parties = stage.many(8);
  const turns = stage.often(25);
  const [barrier, onces] = runtime.enter(
    () => [new Barrier(parties), Array.from({ length: turns }, () => new Once())] as const,
  );
  const words = ledger(3);
  await Promise.all(
    Array.from({ length: parties }, () => runtime.run(party, parties, turns, barrier, [...onces], words)),
  );
  expectSame("goroutines that were the one at the barrier", words[CHOSEN], turns);
  expectSame("calls of once", words[CALLED], turns);
  stage.did(parties * turns);
}

export const locks: Scenario = {
  name: "locks",
  about:
    "mutex, rwmutex, cond, semaphore, barrier and once side by side: what they guard is never half done, and nobody waits for ever",
  async play(stage) {
    for (let round = stage.often(2); round > 0; round--) {
      await Promise.all([
        mutexes(stage),
        readersAndWriters(stage),
        conditions(stage),
        semaphores(stage),
        barriers(stage),
      ]);
    }
  },
};
