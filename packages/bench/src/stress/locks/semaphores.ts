/** Permits, taken several at a time. */

import { seeded } from "@heddle/testkit";
import { type Goroutine, goroutine, Semaphore } from "heddle";
import { BrokenInvariant, ledger, type Stage } from "../scenario.ts";
import { linger } from "./guarded.ts";

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

export async function semaphores(stage: Stage): Promise<void> {
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
