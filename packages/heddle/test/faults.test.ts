// Threads that die: what lived there ends with MachineLostError, everything else goes on, and nobody waits for ever. Each test has four machines, and a time limit so that a hang is a failure.

import {
  AtomicInt,
  Barrier,
  type Chan,
  Cond,
  chan,
  type Handle,
  MachineLostError,
  Mutex,
  type Runtime,
  RWMutex,
  Semaphore,
  WaitGroup,
} from "heddle";
import { audit, isQuiet, killMachine, killSysmon } from "heddle/testing";
import { describe, expect, test } from "vitest";
import * as bodies from "./fault-bodies.mjs";
import { eventually, rejection, withRuntime } from "./support/runtimes.ts";

const LIMIT_MS = 60_000;
const four = { procs: 4 };

/** The runtime is as good as new: it computes on all processors, and nothing is left over. */
async function expectGoesOn(runtime: Runtime): Promise<void> {
  expect(await Promise.all([10, 11, 12, 13].map((n) => runtime.run(bodies.fib, n)))).toEqual([
    55, 89, 144, 233,
  ]);
  await eventually(() => runtime.numGoroutine() === 0);
  expect(runtime.closed).toBe(false);
}

async function settled(handles: readonly Handle<unknown>[]): Promise<PromiseSettledResult<unknown>[]> {
  return await Promise.allSettled(handles.map((handle) => Promise.resolve(handle)));
}

describe("process.exit in a body", { timeout: LIMIT_MS }, () => {
  test("its joiner is told which goroutine is lost, and why; the runtime goes on", async () => {
    await withRuntime(four, async (runtime) => {
      for (let round = 0; round < 6; round++) {
        const error = await rejection(runtime.run(bodies.exits));
        expect(error).toBeInstanceOf(MachineLostError);
        expect((error as Error).message).toMatch(
          /^goroutine \d+ \(exits\) is lost: the thread it ran on, of machine \d, has ended: process\.exit\(3\) was called there\./,
        );
        expect((error as Error).message).toMatch(/deferred calls and finally blocks were not run/);
        await expectGoesOn(runtime);
      }
    });
  });

  test("goroutines that had not begun run elsewhere, exactly once", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const count = 600;
        for (let round = 0; round < 4; round++) {
          const starts = new AtomicInt();
          const handed: Chan<Handle<number>[]> = chan(1);
          const lost = rejection(runtime.run(bodies.spawnsAndExits, starts, handed, count));
          const started = (await handed.recv()) as Handle<number>[];
          expect(await lost).toBeInstanceOf(MachineLostError);
          const outcomes = await settled(started);
          // Those that another machine had begun are gone with it only if that is the machine that died, and that one had begun none.
          expect(outcomes.map((outcome) => outcome.status)).not.toContain("rejected");
          expect(outcomes.map((outcome) => (outcome as PromiseFulfilledResult<number>).value)).toEqual(
            Array.from({ length: count }, (_, place) => place),
          );
          expect(starts.load()).toBe(count);
        }
        await expectGoesOn(runtime);
      }),
    );
  });

  test("what lives on other threads does not notice", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const homes = chan<number>(64);
        const goOn = chan<never>();
        const live = Array.from({ length: 32 }, () => runtime.spawn(bodies.lives, homes, goOn));
        const home: (number | undefined)[] = [];
        for (const _ of live) home.push(await homes.recv());
        const [killer, end] = [chan<number>(1), chan<number>(1)];
        const lost = runtime.spawn(bodies.livesAndExits, killer, end);
        const dead = await killer.recv();
        end.trySend(1);
        expect(await rejection(lost)).toBeInstanceOf(MachineLostError);
        goOn.close();
        const outcomes = await settled(live);
        const survivors = outcomes.flatMap((outcome) =>
          outcome.status === "fulfilled" ? [outcome.value] : [],
        );
        expect(survivors).not.toContain(dead);
        expect(survivors).toHaveLength(home.filter((thread) => thread !== dead).length);
        await expectGoesOn(runtime);
      }),
    );
  });
});

describe("a thread that something else ends", { timeout: LIMIT_MS }, () => {
  test.each([
    ["an error from a timer", bodies.throwsFromTimer, /Error: stray/],
    ["a rejection that nobody handles", bodies.rejectsUnseen, /unseen/],
    ["out of memory", bodies.hoarding, /memory/],
  ])("%s: the error says so, the runtime goes on", async (_, body, reason) => {
    const limits = { ...four, resourceLimits: { maxOldGenerationSizeMb: 32 } };
    await withRuntime(limits, async (runtime) => {
      const error = (await rejection(runtime.run(body))) as Error;
      expect(error).toBeInstanceOf(MachineLostError);
      expect(error.message).toMatch(reason);
      await expectGoesOn(runtime);
    });
  });

  test("a stack overflow is an error of the body, and ends no thread", async () => {
    await withRuntime(four, async (runtime) => {
      expect(await rejection(runtime.run(bodies.overflows))).toBeInstanceOf(RangeError);
      await expectGoesOn(runtime);
    });
  });

  test("a kill from outside, of a thread that is held by block()", async () => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const homes = chan<number>(1);
        // Held here to the end: with a channel that nobody has, the goroutine would be deadlocked.
        const goOn = chan<void>();
        const blocked = runtime.spawn(bodies.blocks, homes, goOn);
        await homes.recv();
        for (let machine = 1; machine <= 4; machine++) killMachine(runtime, machine);
        expect(await rejection(blocked)).toBeInstanceOf(MachineLostError);
        goOn.close();
        await expectGoesOn(runtime);
      }),
    );
  });
});

test("sysmon's thread dies, again and again: another looks after timers and slices", {
  timeout: LIMIT_MS,
}, async () => {
  await withRuntime(four, async (runtime) => {
    for (let round = 0; round < 5; round++) {
      const napping = [1, 2, 3, 4, 5, 6].map(() => runtime.run(bodies.naps, 20));
      killSysmon(runtime);
      expect(await Promise.all(napping)).toEqual([20, 20, 20, 20, 20, 20]);
    }
    await expectGoesOn(runtime);
  });
});

const queues: [kind: string, make: () => unknown][] = [
  ["send", () => chan()],
  ["receive", () => chan()],
  ["select", () => chan()],
  ["lock", () => locked(new Mutex())],
  ["write lock", () => writeLocked(new RWMutex())],
  ["read lock", () => writeLocked(new RWMutex())],
  ["permits", () => spent(new Semaphore(1))],
  ["WaitGroup", () => busy(new WaitGroup())],
  ["Barrier", () => new Barrier(9)],
  ["Cond", () => new Cond(new Mutex())],
  ["sleep", () => 0],
];

function locked(mutex: Mutex): Mutex {
  mutex.tryLock();
  return mutex;
}

function writeLocked(mutex: RWMutex): RWMutex {
  mutex.tryLock();
  return mutex;
}

function spent(permits: Semaphore): Semaphore {
  permits.tryAcquire();
  return permits;
}

function busy(group: WaitGroup): WaitGroup {
  group.add(1);
  return group;
}

describe("who dies in a queue leaves it", { timeout: LIMIT_MS }, () => {
  test.each(queues)("%s", async (kind, make) => {
    await withRuntime(four, (runtime) =>
      runtime.enter(async () => {
        const object = make();
        const homes = chan<number>(8);
        const waiting = Array.from({ length: 4 }, () => runtime.spawn(bodies.waitsIn, kind, object, homes));
        for (const _ of waiting) await homes.recv();
        await eventually(() => runtime.goroutines().every(({ status }) => status === "waiting"));
        for (let machine = 1; machine <= 4; machine++) killMachine(runtime, machine);
        for (const { status, reason } of (await settled(waiting)) as PromiseRejectedResult[]) {
          expect(status).toBe("rejected");
          expect(reason).toBeInstanceOf(MachineLostError);
        }
        await expectGoesOn(runtime);
        // The queue is empty: who comes now is the first.
        if (kind === "send" || kind === "select") expect((object as Chan<string>).tryRecv()).toBe(undefined);
        if (kind === "receive") expect((object as Chan<string>).trySend("nobody is there")).toBe(false);
        expect(audit(runtime).problems).toEqual([]);
        // Held until now: an object that only those have who wait for it is a deadlock.
        expect(object).toBeDefined();
      }),
    );
  });
});

test("threads die under mixed load: every caller is answered, every record comes back", {
  timeout: 2 * LIMIT_MS,
}, async () => {
  await withRuntime({ procs: 4, maxMachines: 8 }, (runtime) =>
    runtime.enter(async () => {
      const kills = 25;
      let killed = 0;
      const outcomes = { done: 0, lost: 0 };
      const answered = async (work: Promise<unknown>): Promise<void> => {
        try {
          await work;
          outcomes.done++;
        } catch (error) {
          expect(error).toBeInstanceOf(MachineLostError);
          outcomes.lost++;
        }
      };
      const repeat = async (work: () => Promise<void>): Promise<void> => {
        while (killed < kills) await work();
      };
      const exchange = async (capacity: number): Promise<void> => {
        const between = chan<string | number>(capacity);
        const consumers = [1, 2].map(() => answered(runtime.run(bodies.consumes, between)));
        const producers = [1, 2].map(() => answered(runtime.run(bodies.produces, between, 100)));
        // Should all consumers be lost, somebody must receive.
        void Promise.all(consumers).then(async () => {
          while ((await between.recvOk())[1]);
        });
        await Promise.all(producers);
        between.close();
        await Promise.all(consumers);
      };
      const load = [
        repeat(() => answered(runtime.run(bodies.fib, 12))),
        repeat(() => answered(runtime.run(bodies.fib, 12))),
        repeat(() => answered(runtime.run(bodies.naps, 5))),
        repeat(() => exchange(0)),
        repeat(() => exchange(4)),
      ];
      while (killed < kills) {
        const before = outcomes.done + outcomes.lost;
        await eventually(() => outcomes.done + outcomes.lost > before);
        if (killMachine(runtime, 1 + ((killed * 5 + outcomes.done) % 8))) killed++;
      }
      await Promise.all(load);
      expect(outcomes.done).toBeGreaterThan(0);
      await expectGoesOn(runtime);
      // The last to be killed may not have been heard of yet, and its records are in use until then.
      await eventually(() => isQuiet(runtime) && audit(runtime).timers + audit(runtime).waiters === 0);
      expect(audit(runtime).problems).toEqual([]);
    }),
  );
});
