/**
 * Puts the explorer between the code under test and its memory.
 *
 * - `Atomics.load(i32, …)`: while a model runs, `globalThis.Atomics` is a stand-in that hands accesses to the model's memory to the
 *   hooks. Other memory goes to the engine's own operations. Code that took an operation out of `Atomics` before escapes; it is
 *   given views that the engine's operations refuse, so it fails instead of running unobserved.
 * - `i32[n]`: the views are proxies. They must be: running a thread again from its start would otherwise write plainly again.
 *
 * Views that the code makes itself from the buffer cannot be seen through; atomic operations on them are refused.
 */

import { ExplorerError } from "./explorer-error.ts";
import {
  ADD,
  AND,
  COMPARE_EXCHANGE,
  EXCHANGE,
  LOAD,
  type Operation,
  OR,
  READ_F64,
  READ_I32,
  READ_U8,
  STORE,
  SUB,
  WRITE_F64,
  WRITE_I32,
  WRITE_U8,
  XOR,
} from "./operation.ts";
import type { TrackedMemory } from "./tracked-memory.ts";

/** The memory of a model, as the code under test sees it: three views of one buffer. */
export interface ModelMemory {
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly f64: Float64Array<SharedArrayBuffer>;
  readonly u8: Uint8Array<SharedArrayBuffer>;
  /** For identity and size only: the explorer does not see through views that the code makes from it. */
  readonly buffer: SharedArrayBuffer;
  /** Says that the thread only spins: it stands aside until another thread changes memory, or nobody else can run. */
  readonly spinHint: () => void;
}

/** Who carries out the accesses. Indices are checked before. */
export interface AccessHooks {
  atomicAccess(operation: Operation, index: number, operand: number, replacement: number): number;
  wait(index: number, expected: number, timeoutMs: number): "ok" | "not-equal" | "timed-out";
  notify(index: number, count: number): number;
  plainAccess(operation: Operation, index: number, value: number): number;
  spinHint(): void;
  /** Throws an ExplorerError, which ends the exploration also if the code under test catches it. */
  refuse(what: string): never;
}

/* Views */

export function interceptedViews(memory: TrackedMemory, hooks: AccessHooks): ModelMemory {
  return {
    i32: viewProxy(memory.i32, hooks, READ_I32, WRITE_I32),
    f64: viewProxy(memory.f64, hooks, READ_F64, WRITE_F64),
    u8: viewProxy(memory.u8, hooks, READ_U8, WRITE_U8),
    buffer: memory.buffer,
    spinHint: () => hooks.spinHint(),
  };
}

type View = Int32Array | Float64Array | Uint8Array;

function viewProxy<T extends View>(view: T, hooks: AccessHooks, read: Operation, write: Operation): T {
  const { length } = view;
  return new Proxy(view, {
    get(target, key) {
      const index = elementIndex(key);
      if (index !== index) return propertyOf(target, key, hooks);
      return hooks.plainAccess(read, requireIndex(index, length), 0);
    },
    set(_target, key, value: unknown) {
      hooks.plainAccess(write, requireIndex(elementIndex(key), length), Number(value));
      return true;
    },
  });
}

/** The index that a property key stands for, NaN for other properties. */
function elementIndex(key: string | symbol): number {
  return typeof key === "string" ? Number(key) : Number.NaN;
}

/** The engine ignores accesses beyond the end; in a kernel each of them is a bug. */
function requireIndex(index: number, length: number): number {
  if (index >>> 0 === index && index < length) return index;
  throw new RangeError(`memory access: index ${index} is not in 0..${length - 1}`);
}

/**
 * A property that is no element. Methods of typed arrays insist on a real one and would miss the hooks; those of Array work element by
 * element on anything, so the code gets these. `set` and `subarray` have no counterpart there.
 */
function propertyOf(view: View, key: string | symbol, hooks: AccessHooks): unknown {
  if (key === "set") return setElements;
  const value: unknown = Reflect.get(view, key, view);
  if (typeof value !== "function" || key === "constructor") return value;
  return Reflect.get(Array.prototype, key) ?? (() => hooks.refuse(`${String(key)} of a typed array`));
}

function setElements(this: Record<number, number>, values: ArrayLike<number>, offset = 0): void {
  for (let i = 0; i < values.length; i++) this[offset + i] = values[i] as number;
}

/* Atomics */

interface Interception {
  readonly memory: ModelMemory;
  readonly hooks: AccessHooks;
  readonly length: number;
  /** What stood in `globalThis.Atomics` before. */
  readonly original: Atomics;
}

let active: Interception | undefined;

/** Runs `action` with the stand-in for `Atomics` in place, and takes it away again. */
export function intercepting<T>(memory: ModelMemory, hooks: AccessHooks, action: () => T): T {
  if (active !== undefined) throw new ExplorerError("explore: a model cannot explore another model");
  active = { memory, hooks, length: memory.i32.length, original: globalThis.Atomics };
  globalThis.Atomics = standIn(active.original);
  try {
    return action();
  } finally {
    globalThis.Atomics = active.original;
    active = undefined;
  }
}

/** Whether the access is to the model's memory. Throws if it is, but cannot be followed. */
function isModelAccess(view: unknown, index: number): boolean {
  const { memory, length, hooks } = active as Interception; // the stand-in is in place only while there is one
  if (view === memory.i32) {
    requireIndex(index, length);
    return true;
  }
  if ((view as View).buffer === memory.buffer)
    hooks.refuse("an atomic operation on any view but the model's own i32");
  return false;
}

type NumberOperation = (view: Int32Array, index: number, operand: number, replacement: number) => number;
type NumberOperationName =
  | "load"
  | "store"
  | "add"
  | "sub"
  | "and"
  | "or"
  | "xor"
  | "exchange"
  | "compareExchange";

function intercepted(operation: Operation, name: NumberOperationName): NumberOperation {
  return (view, index, operand, replacement) => {
    const { hooks, original } = active as Interception; // as in isModelAccess
    if (isModelAccess(view, index)) return hooks.atomicAccess(operation, index, operand, replacement);
    return (original[name] as NumberOperation)(view, index, operand, replacement);
  };
}

function wait(view: Int32Array, index: number, expected: number, timeoutMs = Infinity): string {
  const { hooks } = active as Interception; // as in isModelAccess
  if (!isModelAccess(view, index)) hooks.refuse("Atomics.wait on memory other than the model's");
  return hooks.wait(index, expected, Number.isNaN(timeoutMs) ? Infinity : timeoutMs);
}

function waitAsync(): never {
  return (active as Interception).hooks.refuse("Atomics.waitAsync"); // as in isModelAccess
}

function notify(view: Int32Array, index: number, count = Infinity): number {
  const { hooks, original } = active as Interception; // as in isModelAccess
  if (!isModelAccess(view, index)) return original.notify(view, index, count);
  return hooks.notify(index, Number.isNaN(count) ? 0 : count);
}

const replacements = {
  load: intercepted(LOAD, "load"),
  store: intercepted(STORE, "store"),
  add: intercepted(ADD, "add"),
  sub: intercepted(SUB, "sub"),
  and: intercepted(AND, "and"),
  or: intercepted(OR, "or"),
  xor: intercepted(XOR, "xor"),
  exchange: intercepted(EXCHANGE, "exchange"),
  compareExchange: intercepted(COMPARE_EXCHANGE, "compareExchange"),
  wait,
  waitAsync,
  notify,
};

function standIn(original: Atomics): Atomics {
  return Object.assign(Object.create(original), replacements) as Atomics;
}
