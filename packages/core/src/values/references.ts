/**
 * Objects that travel by reference: channels, handles, sync objects, SharedArrayBuffers.
 *
 * Such an object is a local stand-in for a record in shared memory. In a value it is three words: kind, index
 * of the record, generation (which tells a record from a later one in its place). Each kind counts its
 * references: a value under way counts as one from
 * `retain` to `revive` or `release`, so the record outlives it.
 *
 * An object is recognised by its prototype, then by `is`, which should test a private field: a program can
 * copy a prototype but not a private field.
 */

import { REFERENCE_KINDS } from "./tags.ts";

/** One class of objects that travel by reference. */
export interface ReferenceKind<T extends object = object> {
  /** 0 to 15; each number once. SharedArrayBuffers have the last. */
  readonly kind: number;
  /** The class. Its instances, and those of classes derived from it, are asked `is`. */
  readonly prototype: object;
  /** Whether this is really such an object. */
  is(value: object): value is T;
  /**
   * Counts a reference that is under way, and writes index and generation to `words[at]` and `words[at + 1]`.
   */
  retain(value: T, words: Int32Array, at: number): void;
  /** Counts one more of a reference that is under way. */
  retainAgain(index: number, generation: number): void;
  /**
   * This thread's object. Takes over a counted reference; if it throws, it has not, and `release` is called.
   * It and the two around it are given whatever stands in shared memory: they check both numbers, and throw
   * `CorruptValueError` for what cannot be.
   */
  revive(index: number, generation: number): T;
  /** Ends a counted reference that nobody takes over. */
  release(index: number, generation: number): void;
  /** For kinds whose objects may outlive their record, as a handle does that has its result. */
  readonly carried?: CarriedKind<T>;
}

/** How an object travels that has no record any more: its content is copied. */
export interface CarriedKind<T extends object> {
  /** What to copy; `undefined` if the object still has a record and travels by reference. */
  contentOf(value: T): object | undefined;
  /** An empty object, before the content is known: the content may contain the object itself. */
  create(): T;
  fill(object: T, content: object): void;
}

/** A kind with its type parameter forgotten. */
type AnyKind = ReferenceKind<never>;

/** The kinds that a thread knows. All are registered before the first value is encoded or decoded. */
export class ReferenceTable {
  private readonly kinds: (AnyKind | undefined)[] = Array.from({ length: REFERENCE_KINDS });
  private readonly byPrototype = new Map<object, AnyKind>();

  register<T extends object>(kind: ReferenceKind<T>): void {
    const place = kind.kind;
    if (!(place >= 0 && place < REFERENCE_KINDS))
      throw new RangeError(`register: kind ${place} is not 0 to ${REFERENCE_KINDS - 1}`);
    if (this.kinds[place] !== undefined) throw new Error(`register: kind ${place} is registered already`);
    this.kinds[place] = kind as AnyKind;
    this.byPrototype.set(kind.prototype, kind as AnyKind);
  }

  /** The kind registered for exactly this prototype. */
  ofPrototype(prototype: object): ReferenceKind | undefined {
    return this.byPrototype.get(prototype) as ReferenceKind | undefined;
  }

  /** The kind with this number. */
  ofNumber(kind: number): ReferenceKind | undefined {
    return this.kinds[kind] as ReferenceKind | undefined;
  }
}
