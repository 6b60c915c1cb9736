// What a goroutine held when its thread died: the next has it, and learns from whom.

import {
  AtomicInt,
  type Chan,
  Cond,
  chan,
  type Handle,
  MachineLostError,
  Mutex,
  Once,
  RWMutex,
  Semaphore,
} from "heddle";
import { killMachine } from "heddle/testing";
import { describe, expect, test } from "vitest";
import * as bodies from "./abandoned-bodies.mjs";
import { eventually, rejection, withRuntime } from "./support/runtimes.ts";

const LIMIT_MS = 60_000;
const four = { procs: 4 };

/** One that holds something, and ends its thread when `die` is called. */
interface Holder {
  readonly lost: Handle<unknown>;
  die(): Promise<void>;
}

async function holding(start: (held: Chan<string>, goOn: Chan<number>) => Handle<unknown>): Promise<Holder> {
  const [held, goOn] = [chan<string>(1), chan<number>(1)];
  const lost = start(held, goOn);
  await held.recv();
  return {
    lost,
    async die() {
      await goOn.send(1);
      expect(await rejection(lost)).toBeInstanceOf(MachineLostError);
    },
  };
}

/** Waits for a lock here, on a thread that does not die; what guard and lock say. */
async function locks(mutex: Mutex | RWMutex): Promise<boolean[]> {
  const guard = await mutex.lock();
  const said = [guard.abandoned, mutex.abandoned];
  guard[Symbol.dispose]();
  return said;
}

async function reads(mutex: RWMutex): Promise<boolean[]> {
  const guard = await mutex.rlock();
  const said = [guard.abandoned, mutex.abandoned];
  guard[Symbol.dispose]();
  return said;
}

describe("a mutex", { timeout: LIMIT_MS }, () => {
  test.each(["mutex", "tryLock"])(
    "%s: goes to who waits, marked, and then to others, unmarked",
    async (kind) => {
      await withRuntime(four, (runtime) =>
        runtime.enter(async () => {
          for (let round = 0; round < 4; round++) {
            const mutex = new Mutex();
            const holder = await holding((held, goOn) =>
              runtime.spawn(bodies.holds, kind, mutex, held, goOn),
            );
            expect(mutex.tryLock()).toBe(false);
            const next = locks(mutex);
            await holder.die();
            expect(await next).toEqual([true, true]);
            expect(await runtime.run(bodies.locksNext, mutex)).toEqual([false, false]);
            expect(mutex.abandoned).toBe(false);
          }
        }),
      );
    },
  );

  test("nobody waits: who comes later learns it, also by tryLock, and one promise of several", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const mutex = new Mutex();
        const holder = await holding((held, goOn) => runtime.spawn(bodies.holdsAsync, mutex, held, goOn));
        await holder.die();
        const said: boolean[] = [];
        const locking = [1, 2, 3].map(async () => {
          const guard = await mutex.lock();
          said.push(guard.abandoned);
          guard[Symbol.dispose]();
        });
        await Promise.all(locking);
        expect(said).toEqual([true, false, false]);
        const again = await holding((held, goOn) => runtime.spawn(bodies.holds, "mutex", mutex, held, goOn));
        await again.die();
        await eventually(() => mutex.tryLock());
        expect(mutex.abandoned).toBe(true);
        mutex.unlock();
        expect(mutex.abandoned).toBe(false);
      }),
    );
  });

  test("a lock of the host's, or of a goroutine that has ended, is not taken from it", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const [mutex, rw] = [new Mutex(), new RWMutex()];
        mutex.tryLock();
        rw.tryRLock();
        const other = new Mutex();
        const holder = await holding((held, goOn) => runtime.spawn(bodies.holds, "mutex", other, held, goOn));
        await holder.die();
        await eventually(() => other.tryLock());
        expect([mutex.tryLock(), rw.tryLock()]).toEqual([false, false]);
        mutex.unlock();
        rw.runlock();
        expect([mutex.tryLock(), rw.tryLock()]).toEqual([true, true]);
        expect([mutex.abandoned, rw.abandoned]).toEqual([false, false]);
      }),
    );
  });

  test("threads are killed while many compete: everybody who lives gets it", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const mutex = new Mutex();
        for (let round = 0; round < 6; round++) {
          const locking = Array.from({ length: 200 }, () => runtime.spawn(bodies.locksOften, mutex, 50));
          killMachine(runtime, 1 + (round % 4));
          for (const { status, reason } of (await Promise.allSettled(
            locking.map((each) => Promise.resolve(each)),
          )) as PromiseRejectedResult[])
            if (status === "rejected") expect(reason).toBeInstanceOf(MachineLostError);
          await eventually(() => mutex.tryLock());
          mutex.unlock();
        }
      }),
    );
  });
});

describe("a read/write mutex", { timeout: LIMIT_MS }, () => {
  test("a writer: readers and the next writer learn it", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const mutex = new RWMutex();
        const holder = await holding((held, goOn) => runtime.spawn(bodies.holds, "write", mutex, held, goOn));
        const readers = [1, 2, 3].map(() => reads(mutex));
        await holder.die();
        for (const reader of readers) expect(await reader).toEqual([true, true]);
        expect(await runtime.run(bodies.locksNext, mutex)).toEqual([true, true]);
        expect(await runtime.run(bodies.locksNext, mutex)).toEqual([false, false]);
      }),
    );
  });

  test("readers: theirs are counted back, those of the living stay", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        for (let round = 0; round < 4; round++) {
          const mutex = new RWMutex();
          const holder = await holding((held, goOn) =>
            runtime.spawn(bodies.holds, "read", mutex, held, goOn),
          );
          mutex.tryRLock();
          let done = false;
          const writer = locks(mutex).finally(() => {
            done = true;
          });
          await holder.die();
          // The host still reads.
          await runtime.run(bodies.callsOnce, new Once(), new AtomicInt());
          expect(done).toBe(false);
          mutex.runlock();
          expect(await writer).toEqual([false, false]);
        }
      }),
    );
  });
});

describe("a Once", { timeout: LIMIT_MS }, () => {
  test.each([
    ["a generator", bodies.callsOnce],
    ["an async body", bodies.callsOnceAsync],
    ["a plain body", bodies.callsOnceBlocking],
  ])("whose call was lost is done by one of those who wait: %s", async (_, body) => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const [once, calls] = [new Once(), new AtomicInt()];
        const holder = await holding((held, goOn) => runtime.spawn(bodies.holds, "once", once, held, goOn));
        const others = [1, 2].map(() => runtime.spawn(body, once, calls));
        await holder.die();
        for (const other of others) {
          const outcome = await Promise.allSettled([Promise.resolve(other)]);
          // A plain body may have held the very thread that died.
          if (outcome[0]?.status === "fulfilled") expect(outcome[0].value).toBe(1);
          else expect((outcome[0] as PromiseRejectedResult).reason).toBeInstanceOf(MachineLostError);
        }
        await once.do(() => void calls.add(1));
        expect(calls.load()).toBe(1);
      }),
    );
  });
});

test("permits that a lost goroutine had taken stay taken, until somebody gives them back", {
  timeout: LIMIT_MS,
}, async () => {
  await withRuntime(four, (runtime) =>
    runtime.enter(async () => {
      const semaphore = new Semaphore(3);
      const holder = await holding((held, goOn) =>
        runtime.spawn(bodies.holds, "permits", semaphore, held, goOn),
      );
      await holder.die();
      expect(await runtime.run(bodies.callsOnce, new Once(), new AtomicInt())).toBe(1);
      expect([semaphore.tryAcquire(2), semaphore.tryAcquire(1)]).toEqual([false, true]);
      semaphore.release(2);
      expect(semaphore.tryAcquire(2)).toBe(true);
    }),
  );
});

test("a signal that a goroutine was lost with, on its way to the mutex, is not lost to the others", {
  timeout: LIMIT_MS,
}, async () => {
  await withRuntime(four, (runtime) =>
    runtime.enter(async () => {
      const mutex = new Mutex();
      const [cond, held] = [new Cond(mutex), chan<string>(1)];
      const lost = runtime.spawn(bodies.waitsForChange, cond, held);
      await held.recv();
      await mutex.lock();
      let woken = false;
      // Queues behind that one, and unlocks.
      const other = Promise.resolve(cond.wait()).then(() => {
        woken = true;
      });
      await mutex.lock();
      cond.signal();
      for (let machine = 1; machine <= 4; machine++) killMachine(runtime, machine);
      expect(await rejection(lost)).toBeInstanceOf(MachineLostError);
      expect(woken).toBe(false);
      mutex.unlock();
      await other;
      mutex.unlock();
    }),
  );
});
