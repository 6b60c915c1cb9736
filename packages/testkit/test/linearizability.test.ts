import { expect, it } from "vitest";
import { checkLinearizable, formatHistory, type RecordedOperation, seeded } from "../src/index.ts";

type Operation = { readonly put: number } | "take";
type History = RecordedOperation<Operation, number>[];

/** A queue; taking from an empty one gives 0. */
const queue = {
  initial: [] as readonly number[],
  step: (
    state: readonly number[],
    operation: Operation,
    result: number,
    ended: boolean,
  ): readonly number[] | undefined => {
    if (operation !== "take") return [...state, operation.put];
    return !ended || (state[0] ?? 0) === result ? state.slice(1) : undefined;
  },
  key: (state: readonly number[]): string => state.join(),
};

const put = (thread: number, value: number, began: number, ended: number) =>
  ({ thread, operation: { put: value }, result: 0, began, ended }) as const;
const take = (thread: number, result: number, began: number, ended: number) =>
  ({ thread, operation: "take", result, began, ended }) as const;

it("operations one after the other must give what the sequential object gives", () => {
  expect(checkLinearizable([put(0, 1, 1, 2), take(1, 1, 3, 4)], queue).linearizable).toBe(true);
  expect(checkLinearizable([put(0, 1, 1, 2), take(1, 0, 3, 4)], queue).linearizable).toBe(false);
});

it("operations that overlap may take effect in either order, and only they", () => {
  const overlapping: History = [put(0, 1, 1, 4), put(1, 2, 2, 3), take(0, 2, 5, 6), take(1, 1, 7, 8)];
  expect(checkLinearizable(overlapping, queue).linearizable).toBe(true);
  const apart: History = [put(0, 1, 1, 2), put(1, 2, 3, 4), take(0, 2, 5, 6), take(1, 1, 7, 8)];
  const result = checkLinearizable(apart, queue);
  expect(result.linearizable).toBe(false);
  expect(result.stuck).toContainEqual(apart[2]);
});

it("a value that comes out twice, or from nowhere, is seen", () => {
  expect(checkLinearizable([put(0, 1, 1, 9), take(1, 1, 2, 3), take(1, 1, 4, 5)], queue).linearizable).toBe(
    false,
  );
  expect(checkLinearizable([take(0, 7, 1, 2)], queue).linearizable).toBe(false);
});

it("an operation that never ended may have taken effect, or not", () => {
  const pending = put(0, 1, 1, Number.POSITIVE_INFINITY);
  expect(checkLinearizable([pending, take(1, 1, 2, 3)], queue).linearizable).toBe(true);
  expect(checkLinearizable([pending, take(1, 0, 2, 3)], queue).linearizable).toBe(true);
  expect(checkLinearizable([pending, take(1, 2, 2, 3)], queue).linearizable).toBe(false);
});

/** A history as threads with a real queue between them would have it: each operation takes effect somewhere between its beginning and its end. */
function genuineHistory(seed: number, threads: number, each: number): History {
  const random = seeded(seed);
  const state: number[] = [];
  const left = Array.from({ length: threads }, () => each);
  const open = new Map<number, { operation: Operation; began: number; result?: number }>();
  const history: History = [];
  for (let now = 1; left.some((count) => count > 0) || open.size > 0; now++) {
    const thread = random.below(threads);
    const current = open.get(thread);
    if (current === undefined) {
      if ((left[thread] as number) === 0) continue;
      left[thread] = (left[thread] as number) - 1;
      open.set(thread, { operation: random.below(2) === 0 ? "take" : { put: now }, began: now });
    } else if (current.result === undefined) {
      const { operation } = current;
      if (operation !== "take") state.push(operation.put);
      current.result = operation === "take" ? (state.shift() ?? 0) : 0;
    } else {
      history.push({ thread, ...current, result: current.result, ended: now });
      open.delete(thread);
    }
  }
  return history;
}

it("histories of a real queue are always explained, with up to four threads", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const history = genuineHistory(seed, 2 + (seed % 3), 10);
    expect(checkLinearizable(history, queue).linearizable, formatHistory(history)).toBe(true);
  }
});

it("a wrong result in one of them is found, nearly always", () => {
  let found = 0;
  let tried = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const history = genuineHistory(seed, 3, 10);
    const place = history.findIndex(({ operation, result }) => operation === "take" && result !== 0);
    if (place < 0) continue;
    tried++;
    const spoiled = history.map((one, i) => (i === place ? { ...one, result: 999 } : one));
    if (!checkLinearizable(spoiled, queue).linearizable) found++;
  }
  expect(tried).toBeGreaterThan(100);
  expect(found).toBe(tried);
});
