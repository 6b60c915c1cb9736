/**
 * Methods of the built-in classes, for use with `call`: on objects that have others of the same name, or
 * none, and whatever the program puts in their place later.
 */

/* oxlint-disable typescript/unbound-method -- each is given its `this` where it is used */

export const hasOwn: (this: object, key: PropertyKey) => boolean = Object.prototype.hasOwnProperty;
export const isEnumerable: (this: object, key: PropertyKey) => boolean =
  Object.prototype.propertyIsEnumerable;
/** "[object Array]" and the like. Asks the object itself, if it has a Symbol.toStringTag. */
export const tagOf: (this: unknown) => string = Object.prototype.toString;

type ForEach = (this: object, visit: (value: unknown, key: unknown) => void) => void;
export const forEachEntry: ForEach = Map.prototype.forEach;
export const forEachMember: ForEach = Set.prototype.forEach;

// The rest read an internal slot, and throw `TypeError` for an object without it.

type Reader<T> = (this: object) => T;

/** The getter of an accessor property. */
function getter<T>(prototype: object, property: PropertyKey): Reader<T> {
  return Object.getOwnPropertyDescriptor(prototype, property)?.get as Reader<T>;
}

export const sizeOfMap: Reader<number> = getter(Map.prototype, "size");
export const sizeOfSet: Reader<number> = getter(Set.prototype, "size");
export const timeOfDate: Reader<number> = Date.prototype.getTime;
export const sourceOfRegExp: Reader<string> = getter(RegExp.prototype, "source");
/** Asks the object for each flag. */
export const flagsOfRegExp: Reader<string> = getter(RegExp.prototype, "flags");
export const bytesOfBuffer: Reader<number> = getter(ArrayBuffer.prototype, "byteLength");
export const bytesOfSharedBuffer: Reader<number> = getter(SharedArrayBuffer.prototype, "byteLength");
/** A typed array's class; `undefined`, instead of an error, for what is none. */
export const classOfTypedArray: Reader<string | undefined> = getter(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
);

/** Throws `TypeError` for a typed array that lies outside its buffer, or whose buffer is gone. */
export const elementsOf: (this: object) => unknown = (
  Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array
).keys;

/** What is in a boxed number, string, boolean, bigint: one each. */
export const unboxers: readonly Reader<unknown>[] = [
  Number.prototype.valueOf as Reader<unknown>,
  String.prototype.valueOf as Reader<unknown>,
  Boolean.prototype.valueOf as Reader<unknown>,
  BigInt.prototype.valueOf as Reader<unknown>,
];

/** Whether an object has the slot that `read` reads. */
export function hasSlot(value: object, read: Reader<unknown>): boolean {
  try {
    read.call(value);
    return true;
  } catch {
    return false;
  }
}

/** The primitive inside a boxed one. Throws `TypeError` for everything else. */
export function unbox(this: object): unknown {
  const read = unboxers.find((reader) => hasSlot(this, reader));
  if (read === undefined) throw new TypeError("unbox: not a boxed number, string, boolean or bigint");
  return read.call(this);
}
