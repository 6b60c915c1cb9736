/** How objects show themselves when a program prints them: in a line, without the runtime that they work with. */

/** The symbol by which Node's `console.log` and `util.inspect` ask. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** Says how instances of a class print, also as JSON, where what they hold leads to the whole runtime. A subclass may say it differently. */
export function printsAs<T extends object>(prototype: T, line: (object: T) => string): void {
  function print(this: T): string {
    // A prototype has none of its fields.
    return Object.hasOwn(this, "constructor") ? "{}" : line(this);
  }
  for (const key of [INSPECT, "toJSON"] as const)
    Object.defineProperty(prototype, key, { value: print, configurable: true, writable: true });
}
