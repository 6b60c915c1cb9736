/** A lock that many may hold to read, and one to write. */

import { seeded } from "@heddle/testkit";
import { type Goroutine, goroutine, RWMutex } from "heddle";
import { BrokenInvariant, expectSame, ledger, type Stage } from "../scenario.ts";
import { addPlainly, linger } from "./guarded.ts";

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

export async function readersAndWriters(stage: Stage): Promise<void> {
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
