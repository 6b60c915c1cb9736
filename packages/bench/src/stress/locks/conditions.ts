/** A bounded buffer as textbooks have it: a mutex and two conditions. */

import { Cond, type Goroutine, goroutine, Mutex } from "heddle";
import { expectSame, ledger, type Stage } from "../scenario.ts";

/** Words: what is in it, taken, put. */
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

export async function conditions(stage: Stage): Promise<void> {
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
