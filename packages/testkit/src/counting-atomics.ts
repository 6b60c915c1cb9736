/**
 * Counts atomic operations, to guard hot paths: each costs 5–10 ns even when nobody else touches the word, so a test can say
 * how many a push or a spawn may take and notice when one more creeps in. Times vary with the machine, counts do not.
 */

const COUNTED = [
  "load",
  "store",
  "add",
  "sub",
  "and",
  "or",
  "xor",
  "exchange",
  "compareExchange",
  "wait",
  "waitAsync",
  "notify",
] as const;

/** An operation of `Atomics` that is counted. */
export type CountedOperation = (typeof COUNTED)[number];

/** Calls of each operation, and of all together. */
export type AtomicsCounts = Record<CountedOperation | "total", number>;

type AnyFunction = (...args: unknown[]) => unknown;

/**
 * Runs `action` on real memory and returns how often it called each operation of `Atomics`.
 *
 * Seen is what is written `Atomics.load(…)`; an operation that was taken out of `Atomics` before escapes. The action is
 * synchronous: a promise in its place is a TypeError, for the rest of it would run uncounted.
 */
export function countAtomics(action: () => unknown): AtomicsCounts {
  const counts = Object.fromEntries([...COUNTED, "total"].map((name) => [name, 0])) as AtomicsCounts;
  const original = globalThis.Atomics;
  globalThis.Atomics = countingVersion(original, counts);
  try {
    if (action() instanceof Promise) throw new TypeError("countAtomics: the action must be synchronous");
  } finally {
    globalThis.Atomics = original;
  }
  return counts;
}

function countingVersion(original: Atomics, counts: AtomicsCounts): Atomics {
  const counting = Object.create(original) as Record<CountedOperation, AnyFunction>;
  for (const name of COUNTED) {
    const operation = original[name] as AnyFunction;
    counting[name] = (...args) => {
      counts[name]++;
      counts.total++;
      return operation(...args);
    };
  }
  return counting as unknown as Atomics;
}
