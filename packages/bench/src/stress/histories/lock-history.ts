/** What threads do to a mutex, rwmutex or semaphore, and what one thread could have seen. */

import { type SeededRandom, type SequentialModel, seeded } from "@heddle/testkit";
import { type Goroutine, goroutine, Mutex, RWMutex, Semaphore } from "heddle";
import type { Stage } from "../scenario.ts";
import { ACTS, type Act, type Outcome, playHistory, type Recorded, Recorder } from "./history.ts";

/** A history of takings and givings back. `SHARES` of a semaphore, or the ways to hold a lock. */
type Kind = "mutex" | "rwmutex" | "semaphore";
const SHARES = 3;

const lockUser = goroutine(
  import.meta,
  function* lockUser(
    thread: number,
    threads: number,
    seed: number,
    words: Int32Array,
    kind: Kind,
    lock: Mutex | RWMutex | Semaphore,
  ): Goroutine<Recorded[]> {
    const random = seeded(seed);
    const recorder = new Recorder(thread, words);
    recorder.meet(threads);
    for (let act = 0; act < ACTS / 2; act++) {
      const shares = sharesFor(kind, random);
      const tries = random.below(3) === 0;
      const taken = recorder.begin();
      if (tries) {
        const got = tryTake(lock, shares);
        recorder.end(taken, "tryTake", shares, got ? "done" : "refused");
        if (!got) continue;
      } else {
        yield* take(lock, shares);
        recorder.end(taken, "take", shares, "done");
      }
      const given = recorder.begin();
      giveBack(lock, shares);
      recorder.end(given, "give", shares, "done");
    }
    return recorder.acts;
  },
);

/** Of SHARES, a mutex and a writer take all, a reader one. */
function sharesFor(kind: Kind, random: SeededRandom): number {
  if (kind === "mutex") return SHARES;
  if (kind === "rwmutex") return random.below(2) === 0 ? SHARES : 0;
  return 1 + random.below(SHARES);
}

function tryTake(lock: Mutex | RWMutex | Semaphore, shares: number): boolean {
  if (lock instanceof Semaphore) return lock.tryAcquire(shares);
  if (lock instanceof RWMutex && shares === 0) return lock.tryRLock();
  return lock.tryLock();
}

function* take(lock: Mutex | RWMutex | Semaphore, shares: number): Goroutine<void> {
  if (lock instanceof Semaphore) yield* lock.acquire(shares);
  else if (lock instanceof RWMutex && shares === 0) yield* lock.rlock();
  else yield* lock.lock();
}

function giveBack(lock: Mutex | RWMutex | Semaphore, shares: number): void {
  if (lock instanceof Semaphore) lock.release(shares);
  else if (lock instanceof RWMutex && shares === 0) lock.runlock();
  else lock.unlock();
}

interface LockState {
  /** Shares taken by writers, or from the semaphore. */
  readonly taken: number;
  readonly readers: number;
}

/** Shares of SHARES. A refusal needs somebody who holds some: who waits ahead waits for a holder. */
const lockModel: SequentialModel<LockState, Act, Outcome> = {
  initial: { taken: 0, readers: 0 },
  key: ({ taken, readers }) => `${taken},${readers}`,
  step: ({ taken, readers }, { name, value }, result) => {
    if (name === "give")
      return value === 0 ? { taken, readers: readers - 1 } : { taken: taken - value, readers };
    if (result === "refused") return taken > 0 || readers > 0 ? { taken, readers } : undefined;
    if (value === 0) return taken === 0 ? { taken, readers: readers + 1 } : undefined;
    return taken + value <= SHARES && readers === 0 ? { taken: taken + value, readers } : undefined;
  },
};

/** Plays one, and checks it. */
export function lockHistory(stage: Stage, threads: number): Promise<void> {
  const { runtime, random } = stage;
  const kind = random.pick(["mutex", "rwmutex", "semaphore"] as const);
  const lock = runtime.enter(() =>
    kind === "mutex" ? new Mutex() : kind === "rwmutex" ? new RWMutex() : new Semaphore(SHARES),
  );
  return playHistory(stage, threads, kind, lockModel, (thread, words) =>
    runtime.run(lockUser, thread, threads, stage.seed(), words, kind, lock),
  );
}
