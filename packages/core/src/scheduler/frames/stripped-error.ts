/** What is left of an error that cannot be copied to another thread as it is: it has a function among its properties, say. */

import { CloneError } from "../../base/errors.ts";

/** The error reduced to what always travels: class, name, message, stack, and those of its own properties that are no objects. */
export function strippedError(error: unknown): Error {
  try {
    if (error instanceof Error) return stripped(error);
  } catch {
    // A hostile error, whose properties throw when they are read.
    return new CloneError("a goroutine threw an error that cannot even be read");
  }
  return new CloneError(`a goroutine threw a value that cannot be copied: ${typeof error}`);
}

function stripped(error: Error): Error {
  const copy = new Error(String(error.message));
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error) as object);
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
    if ("value" in property && isPrimitive(property.value))
      Object.defineProperty(copy, key, { ...property, configurable: true });
  }
  Object.defineProperty(copy, "stack", { value: String(error.stack), configurable: true, writable: true });
  return copy;
}

function isPrimitive(value: unknown): boolean {
  return value === null || !["object", "function", "symbol"].includes(typeof value);
}
