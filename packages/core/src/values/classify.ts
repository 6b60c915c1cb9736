/**
 * What an object is, for the encoder.
 *
 * Structured clone looks at internal slots. The language shows them only through methods that throw when the
 * slot is not there, too slow to try one after another. So an object is first judged by its prototype: the
 * verdict on a prototype is the first known one in its chain, and is kept. Then the slot is tested once, with
 * the method that fits.
 *
 * An object that claims to be a Map but has no such slot (a Proxy of one, an object made with Map.prototype)
 * is refused: copied as a plain object it would silently lose its content. A Proxy of a plain object or of an
 * array is copied through its traps, which structured clone refuses to do. Errors are all those with
 * Error.prototype in their chain: old-style error classes have no slot either.
 */

import {
  bytesOfBuffer,
  hasSlot,
  sizeOfMap,
  sizeOfSet,
  sourceOfRegExp,
  tagOf,
  timeOfDate,
  unbox,
} from "./intrinsics.ts";
import type { ReferenceKind, ReferenceTable } from "./references.ts";

export const IS_PLAIN = 0;
export const IS_ARRAY = 1;
export const IS_VIEW = 2;
export const IS_MAP = 3;
export const IS_SET = 4;
export const IS_DATE = 5;
export const IS_REGEXP = 6;
export const IS_BOXED = 7;
export const IS_ERROR = 8;
export const IS_BUFFER = 9;
export const IS_REFUSED = 10;
/** From another realm, or without prototype: has to be judged one by one. */
const IS_FOREIGN = 11;

/** One of the numbers above, or the kind of reference that the object is. */
export type Verdict = number | ReferenceKind;

const { getPrototypeOf } = Object;
const OBJECT_PROTOTYPE = Object.prototype;

/** By verdict: what throws unless the slot is there. */
const slotReaders: readonly (((this: object) => unknown) | undefined)[] = [
  undefined,
  undefined,
  undefined,
  sizeOfMap,
  sizeOfSet,
  timeOfDate,
  sourceOfRegExp,
  unbox,
  undefined,
  bytesOfBuffer,
];

/** What stands `steps` prototypes above an object. */
function above(value: object, steps: number): object {
  return steps === 0 ? value : above(getPrototypeOf(value) as object, steps - 1);
}

const iteratorPrototype = above([][Symbol.iterator](), 2);
const asyncIteratorPrototype = above((async function* () {})(), 3);

const verdictsByPrototype = new Map<object, number>([
  [OBJECT_PROTOTYPE, IS_PLAIN],
  [Map.prototype, IS_MAP],
  [Set.prototype, IS_SET],
  [Date.prototype, IS_DATE],
  [RegExp.prototype, IS_REGEXP],
  [Number.prototype, IS_BOXED],
  [String.prototype, IS_BOXED],
  [Boolean.prototype, IS_BOXED],
  [BigInt.prototype, IS_BOXED],
  [Error.prototype, IS_ERROR],
  [ArrayBuffer.prototype, IS_BUFFER],
  // Unless it is registered as a kind of reference.
  [SharedArrayBuffer.prototype, IS_REFUSED],
  // Real ones are known by isView; this is a Proxy of one, or pretends.
  [DataView.prototype, IS_REFUSED],
  [getPrototypeOf(Uint8Array.prototype) as object, IS_REFUSED],
  [Symbol.prototype, IS_REFUSED],
  [Promise.prototype, IS_REFUSED],
  [WeakMap.prototype, IS_REFUSED],
  [WeakSet.prototype, IS_REFUSED],
  [WeakRef.prototype, IS_REFUSED],
  [FinalizationRegistry.prototype, IS_REFUSED],
  [iteratorPrototype, IS_REFUSED],
  [asyncIteratorPrototype, IS_REFUSED],
]);

/** For objects of another realm: by what `toString` says of them. */
const verdictsByTag = new Map<string, number>([
  ["Map", IS_MAP],
  ["Set", IS_SET],
  ["Date", IS_DATE],
  ["RegExp", IS_REGEXP],
  ["Number", IS_BOXED],
  ["String", IS_BOXED],
  ["Boolean", IS_BOXED],
  ["BigInt", IS_BOXED],
  ["Error", IS_ERROR],
  ["ArrayBuffer", IS_BUFFER],
]);
for (const tag of [
  "Symbol",
  "Promise",
  "WeakMap",
  "WeakSet",
  "WeakRef",
  "FinalizationRegistry",
  "Generator",
]) {
  verdictsByTag.set(tag, IS_REFUSED);
}
for (const tag of [
  "AsyncGenerator",
  "Array Iterator",
  "Map Iterator",
  "Set Iterator",
  "String Iterator",
  "Module",
]) {
  verdictsByTag.set(tag, IS_REFUSED);
}

/** Classes of the platform whose objects keep what matters outside their properties. */
const PLATFORM_CLASSES = new Set([
  "AbortController",
  "AbortSignal",
  "Blob",
  "BroadcastChannel",
  "CryptoKey",
  "File",
  "FormData",
  "Headers",
  "MessagePort",
  "ReadableStream",
  "Request",
  "Response",
  "TransformStream",
  "URL",
  "URLSearchParams",
  "WritableStream",
]);
const BUILT_IN_NAMESPACE = /^(?:Intl|Temporal|WebAssembly)\./;

/** A property as it stands in the object itself; a getter is not called. */
function ownValue(object: object, key: PropertyKey): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value;
}

/** What a prototype calls its class. Node gives MessagePort no toStringTag. */
function classNameOf(prototype: object): unknown {
  const tag = ownValue(prototype, Symbol.toStringTag);
  if (tag !== undefined) return tag;
  const constructor = ownValue(prototype, "constructor");
  return typeof constructor === "function" ? ownValue(constructor, "name") : undefined;
}

/** Whether a prototype belongs to a class of the platform whose objects would arrive empty. */
function isPlatformPrototype(prototype: object): boolean {
  const name = classNameOf(prototype);
  if (typeof name !== "string") return false;
  if (BUILT_IN_NAMESPACE.test(name)) return true;
  if (!PLATFORM_CLASSES.has(name)) return false;
  // The global is asked only now: Node loads some of these classes when they are first named.
  const platformClass = (globalThis as Record<string, unknown>)[name] as { prototype?: unknown } | undefined;
  return platformClass?.prototype === prototype;
}

/** What Node calls the method by which an object of its own packs its content for another thread: X509Certificate, BlockList and others have it. */
const PACKING_METHOD = "messaging_clone_symbol";

/** Whether objects with this prototype keep their content where only Node finds it. Its KeyObjects pack theirs in native code. */
function isPackedByNode(prototype: object): boolean {
  if (ownValue(prototype, Symbol.toStringTag) === "KeyObject") return true;
  return Object.getOwnPropertySymbols(prototype).some(({ description }) => description === PACKING_METHOD);
}

/** By prototype: objects of Heddle's that stay on their thread, in words. */
const staying = new WeakMap<object, string>();

/** Says that instances of a class are never copied, and what messages call one of them. */
export function neverCopied(prototype: object, inWords: string): void {
  staying.set(prototype, inWords);
}

/** What messages call an object that is never copied; `undefined` for others. */
export function wordsFor(value: object): string | undefined {
  for (let at: object | null = value; at !== null; at = getPrototypeOf(at) as object | null) {
    const words = staying.get(at);
    if (words !== undefined) return words;
  }
  return undefined;
}

/** Judges objects; knows the kinds of references. */
export class Classifier {
  private readonly references: ReferenceTable;
  private readonly verdicts = new WeakMap<object, Verdict>();

  constructor(references: ReferenceTable) {
    this.references = references;
  }

  verdictOn(value: object): Verdict {
    const prototype = getPrototypeOf(value) as object | null;
    if (prototype === OBJECT_PROTOTYPE) return IS_PLAIN;
    if (Array.isArray(value)) return IS_ARRAY;
    if (ArrayBuffer.isView(value)) return IS_VIEW;
    if (prototype === null) return this.judgeForeign(value);
    const verdict = this.verdicts.get(prototype) ?? this.judge(prototype);
    if (verdict === IS_PLAIN) return IS_PLAIN;
    return verdict === IS_FOREIGN ? this.judgeForeign(value) : this.confirm(value, verdict);
  }

  /** Finds and keeps the verdict on a prototype. */
  private judge(prototype: object): Verdict {
    const verdict = this.search(prototype);
    this.verdicts.set(prototype, verdict);
    return verdict;
  }

  private search(prototype: object): Verdict {
    let isPacked = false;
    for (let at: object | null = prototype; at !== null; at = getPrototypeOf(at) as object | null) {
      const verdict = this.references.ofPrototype(at) ?? verdictsByPrototype.get(at);
      if (verdict !== undefined) return verdict === IS_PLAIN && isPacked ? IS_REFUSED : verdict;
      if (staying.has(at) || isPlatformPrototype(at)) return IS_REFUSED;
      isPacked ||= isPackedByNode(at);
    }
    return IS_FOREIGN;
  }

  /** Tests the slot. */
  private confirm(value: object, verdict: Verdict): Verdict {
    if (typeof verdict === "object") return verdict.is(value) ? verdict : IS_REFUSED;
    const reader = slotReaders[verdict];
    return reader === undefined || hasSlot(value, reader) ? verdict : IS_REFUSED;
  }

  private judgeForeign(value: object): Verdict {
    const tag = tagOf.call(value).slice(8, -1);
    if (tag === "SharedArrayBuffer") return this.confirmShared(value);
    return this.confirm(value, verdictsByTag.get(tag) ?? IS_PLAIN);
  }

  private confirmShared(value: object): Verdict {
    const kind = this.references.ofPrototype(SharedArrayBuffer.prototype);
    return kind?.is(value) === true ? kind : IS_REFUSED;
  }
}
