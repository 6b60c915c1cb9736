/** What explorer models of the kernel stand on: a small runtime's memory, and ways to break an operation on purpose. */

import type { ModelMemory, ThreadFunction } from "@heddle/testkit";
import { type Layout, layoutFor, type MemoryShape } from "../../src/memory/layout.ts";
import { initialiseMemory, type SharedMemory } from "../../src/memory/shared-memory.ts";

/** Ring capacity in models: small enough that filling, wrapping and spilling take few steps. */
export const MODEL_RING = 4;

/** What most models need: the rest of the shape is as small as it gets. */
export interface ModelShape {
  readonly procs?: number;
  readonly maxMachines?: number;
  readonly maxGoroutines?: number;
  readonly maxObjects?: number;
  readonly slabBytes?: number;
}

function shapeOf({
  procs = 1,
  maxMachines = 2,
  maxGoroutines = 40,
  maxObjects = 4,
  slabBytes = 2 ** 16,
}: ModelShape): MemoryShape {
  return { procs, maxMachines, maxGoroutines, maxObjects, slabBytes };
}

/** Where the regions of a model lie. */
export function modelLayout(shape: ModelShape = {}): Layout {
  return layoutFor(shapeOf(shape));
}

/** Words of memory that a model of this shape needs. */
export function modelWords(shape: ModelShape = {}): number {
  return modelLayout(shape).words;
}

/** The model's memory as the kernel knows it. Call it in `setup`, where it also writes the header. */
export function modelMemory({ i32, f64, u8, buffer }: ModelMemory, model: ModelShape = {}): SharedMemory {
  const shape = shapeOf(model);
  const layout = layoutFor(shape);
  initialiseMemory({ i32, f64, layout }, { ...shape, timeSliceMs: 10, ringSize: MODEL_RING });
  return { i32, f64, u8, buffer, shape, layout };
}

// ───────────────────────────── planted bugs ─────────────────────────────

/** Operations in the place of `Atomics`'s own, made for each run of the thread. */
export type Fault = (real: Atomics) => { readonly [Name in keyof Atomics]?: unknown };

/** The same thread with operations that are broken on purpose. */
export function withFault<Shared, Result>(
  fault: Fault,
  thread: ThreadFunction<Shared, Result>,
): ThreadFunction<Shared, Result> {
  return (memory, shared) => {
    const real = globalThis.Atomics;
    globalThis.Atomics = Object.assign(Object.create(real), fault(real)) as Atomics;
    try {
      return thread(memory, shared);
    } finally {
      globalThis.Atomics = real;
    }
  };
}

type Access = (i32: Int32Array, index: number, ...operands: number[]) => number;

/** Replaces one operation, on the words that `at` picks. */
function replacing(
  name: keyof Atomics,
  at: (word: number) => boolean,
  access: (real: Atomics, i32: Int32Array, index: number, operands: number[]) => number,
): Fault {
  return (real) => {
    const original = real[name as "load"] as Access;
    const replacement: Access = (i32, index, ...operands) =>
      at(index) ? access(real, i32, index, operands) : original(i32, index, ...operands);
    return { [name]: replacement };
  };
}

const only =
  (...words: number[]) =>
  (word: number): boolean =>
    words.includes(word);

/** A compare-and-swap that does not compare. */
export function casStores(...words: number[]): Fault {
  return replacing("compareExchange", only(...words), (real, i32, index, [expected, value]) => {
    real.store(i32, index, value);
    return expected;
  });
}

/** A compare-and-swap in two steps. */
export function casTears(...words: number[]): Fault {
  return replacing("compareExchange", only(...words), (real, i32, index, [expected, value]) => {
    const seen = real.load(i32, index);
    if (seen === expected) real.store(i32, index, value);
    return seen;
  });
}

/** An exchange in two steps. */
export function exchangeTears(...words: number[]): Fault {
  return replacing("exchange", only(...words), (real, i32, index, [value]) => {
    const seen = real.load(i32, index);
    real.store(i32, index, value);
    return seen;
  });
}

/** An addition and a subtraction in two steps. */
export function sumTears(...words: number[]): Fault {
  const torn =
    (sign: number) =>
    (real: Atomics, i32: Int32Array, index: number, [by]: number[]) => {
      const seen = real.load(i32, index);
      real.store(i32, index, seen + sign * by);
      return seen;
    };
  return both(replacing("add", only(...words), torn(1)), replacing("sub", only(...words), torn(-1)));
}

/** A lock that everybody gets. */
export function lockIsFree(...words: number[]): Fault {
  return both(
    replacing("compareExchange", only(...words), (_real, _i32, _index, [expected]) => expected),
    replacing("store", only(...words), (_real, _i32, _index, [value]) => value),
  );
}

/** A load that always finds `value`: a look that is missing. */
export function looksAway(value: number, ...words: number[]): Fault {
  return replacing("load", only(...words), () => value);
}

/** A load that finds what it found the first time. */
export function looksOnce(...words: number[]): Fault {
  return (real) => {
    const seen = new Map<number, number>();
    const load: Access = (i32, index) => {
      if (!words.includes(index)) return real.load(i32, index);
      if (!seen.has(index)) seen.set(index, real.load(i32, index));
      return seen.get(index) as number;
    };
    return { load };
  };
}

/** A notify that nobody hears. */
export const notifiesNobody: Fault = () => ({ notify: () => 0 });

/** Two faults at once. */
export function both(first: Fault, second: Fault): Fault {
  return (real) => ({ ...first(real), ...second(real) });
}

// ───────────────────────────── who has what ─────────────────────────────

/** Throws unless `found` holds each of 1 … `count` exactly once. */
export function expectEachOnce(found: readonly number[], count: number): void {
  const sorted = [...found].sort((a, b) => a - b);
  const lost = Array.from({ length: count }, (_, i) => i + 1).filter((number) => !sorted.includes(number));
  const doubled = sorted.filter((number, i) => number === sorted[i - 1]);
  if (lost.length + doubled.length > 0 || sorted.length !== count) {
    throw new Error(`of 1…${count}: lost ${lost.join()}; doubled ${doubled.join()}; found ${sorted.join()}`);
  }
}
