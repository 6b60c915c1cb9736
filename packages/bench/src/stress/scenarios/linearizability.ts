/**
 * Short histories of two to four threads that do whatever they like to one channel, mutex, rwmutex or semaphore at the same time, each checked against what one thread could have seen.
 *
 * The goroutines of a history meet at its beginning and hold their threads until all are there, so each has a thread of its own. They note the beginning and the end of every operation by a clock in shared memory.
 */

import {
  checkLinearizable,
  formatHistory,
  type RecordedOperation,
  type SeededRandom,
  type SequentialModel,
  seeded,
} from "@heddle/testkit";
import {
  type Chan,
  ClosedChannelError,
  chan,
  type Goroutine,
  goroutine,
  Mutex,
  RWMutex,
  Semaphore,
} from "heddle";
import { BrokenInvariant, ledger, type Scenario, type Stage } from "../scenario.ts";

/** What a thread did: a name, and perhaps a number. */
interface Act {
  readonly name: string;
  readonly value: number;
}
/** What came of it: a value, or one of the words. */
type Outcome = number | "done" | "refused" | "closed" | "nothing";
type Recorded = RecordedOperation<Act, Outcome>;

/** Words of the ledger that a history shares. */
const CLOCK = 0;
const PRESENT = 1;

/** How long a goroutine holds its thread to wait for the others: with no other thread to run them they would never come. */
const MEETING_MS = 20;

/** Notes operations of one thread. */
class Recorder {
  readonly acts: Recorded[] = [];
  private readonly thread: number;
  private readonly words: Int32Array;

  constructor(thread: number, words: Int32Array) {
    this.thread = thread;
    this.words = words;
  }

  /** Waits for the others, holding this thread. */
  meet(threads: number): void {
    Atomics.add(this.words, PRESENT, 1);
    const until = performance.now() + MEETING_MS;
    while (Atomics.load(this.words, PRESENT) < threads && performance.now() < until);
  }

  begin(): number {
    return Atomics.add(this.words, CLOCK, 1);
  }

  end(began: number, name: string, value: number, result: Outcome): void {
    const ended = Atomics.add(this.words, CLOCK, 1);
    this.acts.push({ thread: this.thread, operation: { name, value }, result, began, ended });
  }
}

const ACTS = 9;

// ── channels ──

const channelUser = goroutine(
  import.meta,
  function* channelUser(
    thread: number,
    threads: number,
    seed: number,
    words: Int32Array,
    channel: Chan<number>,
  ): Goroutine<Recorded[]> {
    const random = seeded(seed);
    const recorder = new Recorder(thread, words);
    recorder.meet(threads);
    for (let act = 0; act < ACTS; act++) {
      const value = (thread + 1) * 100 + act;
      // The first thread never waits, and closes the channel in the end, so that nobody waits for ever.
      const last = thread === 0 && act === ACTS - 1;
      const what = last ? 4 : random.below(thread === 0 ? 2 : 4);
      const began = recorder.begin();
      if (what === 0) recorder.end(began, "trySend", value, triedToSend(channel, value));
      else if (what === 1) recorder.end(began, "tryRecv", 0, triedToReceive(channel));
      else if (what === 2) recorder.end(began, "send", value, yield* sent(channel, value));
      else if (what === 3) {
        const [received, ok] = yield* channel.recvOk();
        recorder.end(began, "recv", 0, ok ? received : "closed");
      } else {
        channel.close();
        recorder.end(began, "close", 0, "done");
      }
    }
    return recorder.acts;
  },
);

function triedToSend(channel: Chan<number>, value: number): Outcome {
  try {
    return channel.trySend(value) ? "done" : "refused";
  } catch (error) {
    if (error instanceof ClosedChannelError) return "closed";
    throw error;
  }
}

function triedToReceive(channel: Chan<number>): Outcome {
  const received = channel.tryRecv();
  if (received === undefined) return "nothing";
  return received[1] ? received[0] : "closed";
}

function* sent(channel: Chan<number>, value: number): Goroutine<Outcome> {
  try {
    yield* channel.send(value);
    return "done";
  } catch (error) {
    if (error instanceof ClosedChannelError) return "closed";
    throw error;
  }
}

interface ChannelState {
  readonly values: readonly number[];
  readonly closed: boolean;
}

/**
 * A channel as one thread sees it. Without a buffer a send and the receive that takes its value happen at one moment: the value stands there until the very next operation, which must be that receive. A refusal of a channel
 * without a buffer proves nothing: who would have met may not have been queued yet.
 */
function channelModel(capacity: number): SequentialModel<ChannelState, Act, Outcome> {
  const room = Math.max(1, capacity);
  return {
    initial: { values: [], closed: false },
    key: ({ values, closed }) => `${values.join()}${closed ? "!" : ""}`,
    step: ({ values, closed }, { name, value }, result) => {
      const receives = name === "recv" || name === "tryRecv";
      if (capacity === 0 && values.length > 0 && !(receives && result === values[0])) return undefined;
      if (name === "close") return { values, closed: true };
      if (receives) {
        if (result === "nothing")
          return !closed && (capacity === 0 || values.length === 0) ? { values, closed } : undefined;
        if (result === "closed") return closed && values.length === 0 ? { values, closed } : undefined;
        return values[0] === result ? { values: values.slice(1), closed } : undefined;
      }
      if (result === "closed") return closed ? { values, closed } : undefined;
      if (closed) return undefined;
      if (result === "refused")
        return capacity === 0 || values.length === room ? { values, closed } : undefined;
      return values.length < room ? { values: [...values, value], closed } : undefined;
    },
  };
}

// ── locks ──

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

// ── the round ──

function check<State>(what: string, history: Recorded[], model: SequentialModel<State, Act, Outcome>): void {
  const { linearizable, stuck } = checkLinearizable(history, model);
  if (linearizable) return;
  throw new BrokenInvariant(
    `no order explains this history of a ${what}:\n${formatHistory(history)}\nno order goes on with:\n${formatHistory(stuck)}`,
  );
}

async function channelHistory(stage: Stage, threads: number): Promise<void> {
  const { runtime, random } = stage;
  const capacity = random.below(4);
  const channel = runtime.enter(() => chan<number>(capacity));
  const words = ledger(2);
  const acts = await Promise.all(
    Array.from({ length: threads }, (_, thread) =>
      runtime.run(channelUser, thread, threads, stage.seed(), words, channel),
    ),
  );
  check(`channel of capacity ${capacity}`, acts.flat(), channelModel(capacity));
  stage.did(threads * ACTS);
}

async function lockHistory(stage: Stage, threads: number): Promise<void> {
  const { runtime, random } = stage;
  const kind = random.pick(["mutex", "rwmutex", "semaphore"] as const);
  const lock = runtime.enter(() =>
    kind === "mutex" ? new Mutex() : kind === "rwmutex" ? new RWMutex() : new Semaphore(SHARES),
  );
  const words = ledger(2);
  const acts = await Promise.all(
    Array.from({ length: threads }, (_, thread) =>
      runtime.run(lockUser, thread, threads, stage.seed(), words, kind, lock),
    ),
  );
  check(kind, acts.flat(), lockModel);
  stage.did(threads * ACTS);
}

export const linearizability: Scenario = {
  name: "linearizability",
  about:
    "histories of two to four threads at one channel, mutex, rwmutex or semaphore: each could have happened one operation after the other",
  async play(stage) {
    for (let round = stage.often(60); round > 0; round--) {
      const threads = 2 + stage.random.below(Math.min(3, Math.max(1, stage.plan.procs - 1)));
      await channelHistory(stage, threads);
      await lockHistory(stage, threads);
    }
  },
};
