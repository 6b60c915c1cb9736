/** A mutex, held by bodies of every kind. */

import { seeded } from "@heddle/testkit";
import { type Goroutine, goroutine, gosched, Mutex } from "heddle";
import { expectSame, ledger, type Stage } from "../scenario.ts";
import { addPlainly, linger } from "./guarded.ts";

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

export async function mutexes(stage: Stage): Promise<void> {
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
