/**
 * Effect's fibers doing what the bodies do, in one thread. Each says how many milliseconds it took.
 *
 * Fibers whose number is what counts start at once, as async functions do: of the ways tried this is the fastest
 * (some 340 ns for each of a thousand, 570 with Fiber.joinAll alone, 1700 joined one after the other).
 */
import { Deferred, Effect, Fiber, Queue, Semaphore } from "effect";
import { timed } from "../measure.ts";

const nothing = Effect.succeed(1);
const AT_ONCE = { startImmediately: true } as const;

function timedEffect(effect: Effect.Effect<unknown>): Promise<number> {
  return timed(() => Effect.runPromise(effect));
}

export function forkOneAtATime(count: number): Promise<number> {
  return timedEffect(
    Effect.gen(function* () {
      for (let i = 0; i < count; i++) yield* Fiber.join(yield* Effect.forkChild(nothing, AT_ONCE));
    }),
  );
}

export function forkInBatches(size: number, batches: number): Promise<number> {
  return timedEffect(
    Effect.gen(function* () {
      const fibers: Fiber.Fiber<number>[] = [];
      for (let batch = 0; batch < batches; batch++) {
        for (let i = 0; i < size; i++) fibers.push(yield* Effect.forkChild(nothing, AT_ONCE));
        for (const fiber of fibers) yield* Fiber.join(fiber);
        fibers.length = 0;
      }
    }),
  );
}

const fib = (n: number): Effect.Effect<number> =>
  n < 2
    ? Effect.succeed(n)
    : Effect.gen(function* () {
        const left = yield* Effect.forkChild(fib(n - 1), AT_ONCE);
        const right = yield* Effect.forkChild(fib(n - 2), AT_ONCE);
        return (yield* Fiber.join(left)) + (yield* Fiber.join(right));
      });

export function timeFib(n: number): Promise<number> {
  return timedEffect(fib(n));
}

const giveWay = (turns: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow;
  });

export function takeTurns(count: number, turns: number): Promise<number> {
  return timedEffect(
    Effect.gen(function* () {
      const fibers: Fiber.Fiber<void>[] = [];
      for (let i = 0; i < count; i++) fibers.push(yield* Effect.forkChild(giveWay(turns)));
      yield* Fiber.joinAll(fibers);
    }),
  );
}

/** Over queues of capacity 1, the smallest there is. */
export function pingPong(count: number): Promise<number> {
  return timedEffect(
    Effect.gen(function* () {
      const ping = yield* Queue.bounded<number>(1);
      const pong = yield* Queue.bounded<number>(1);
      const sendBack = Effect.gen(function* () {
        for (let i = 0; i < count; i++) yield* Queue.offer(pong, yield* Queue.take(ping));
      });
      const partner = yield* Effect.forkChild(sendBack);
      for (let i = 0; i < count; i++) {
        yield* Queue.offer(ping, i);
        yield* Queue.take(pong);
      }
      yield* Fiber.join(partner);
    }),
  );
}

export function produceAndConsume(capacity: number, count: number): Promise<number> {
  return timedEffect(
    Effect.gen(function* () {
      const queue = yield* Queue.bounded<number>(capacity);
      const produce = Effect.gen(function* () {
        for (let i = 0; i < count; i++) yield* Queue.offer(queue, i);
      });
      const producer = yield* Effect.forkChild(produce);
      for (let i = 0; i < count; i++) yield* Queue.take(queue);
      yield* Fiber.join(producer);
    }),
  );
}

/** A semaphore of one permit that nobody else wants. */
export function lockAlone(count: number): Promise<number> {
  return timedEffect(
    Effect.gen(function* () {
      const semaphore = yield* Semaphore.make(1);
      for (let i = 0; i < count; i++) {
        yield* Semaphore.take(semaphore, 1);
        yield* Semaphore.release(semaphore, 1);
      }
    }),
  );
}

export function sleepTogether(count: number, ms: number): Promise<number> {
  return timedEffect(
    Effect.gen(function* () {
      const fibers: Fiber.Fiber<void>[] = [];
      for (let i = 0; i < count; i++) fibers.push(yield* Effect.forkChild(Effect.sleep(ms)));
      yield* Fiber.joinAll(fibers);
    }),
  );
}

/** What `count` fibers that wait for one Deferred take of the resident memory, in bytes. */
export function parkedBytes(count: number): Promise<number> {
  return Effect.runPromise(
    Effect.gen(function* () {
      const release = yield* Deferred.make<void>();
      const before = process.memoryUsage.rss();
      const fibers: Fiber.Fiber<void>[] = [];
      for (let i = 0; i < count; i++) fibers.push(yield* Effect.forkChild(Deferred.await(release)));
      yield* Effect.yieldNow;
      const bytes = process.memoryUsage.rss() - before;
      yield* Deferred.succeed(release, undefined);
      yield* Fiber.joinAll(fibers);
      return bytes;
    }),
  );
}
