/** Values that no function expects. */

import type { SeededRandom } from "@heddle/testkit";

/** What hostile values throw: whoever is given one may pass it on. */
export class HostileError extends Error {
  override readonly name = "HostileError";
}

function refuse(): never {
  throw new HostileError("touched");
}

/** Each makes a value anew: some can be used once. */
const makers: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => true,
  () => 0,
  () => -0,
  () => 1,
  () => -1,
  () => 1.5,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => Number.NEGATIVE_INFINITY,
  () => 2 ** 31,
  () => -(2 ** 31) - 1,
  () => 2 ** 32,
  () => 2 ** 53,
  () => 1e308,
  () => 10n ** 40n,
  () => "",
  () => "text",
  () => "\ud800",
  () => Symbol("hostile"),
  () => Symbol.iterator,
  () => ({}),
  () => [],
  () => [undefined],
  () => Object.create(null) as unknown,
  () => JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 1}') as unknown,
  () => Object.freeze({ then: 1 }),
  // biome-ignore lint/suspicious/noThenProperty: a thenable that throws is one of the things to withstand
  () => ({
    get then(): never {
      return refuse();
    },
  }),
  // biome-ignore lint/suspicious/noThenProperty: one that calls back twice, too
  () => ({
    then: (resolve: (value: unknown) => void) => {
      resolve(1);
      resolve(2);
    },
  }),
  () => Object.defineProperty({}, "value", { enumerable: true, get: refuse }),
  () => ({
    get context(): never {
      return refuse();
    },
    get name(): never {
      return refuse();
    },
  }),
  () => ({ [Symbol.iterator]: refuse, toString: refuse, valueOf: refuse, toJSON: refuse }),
  () => ({ [Symbol.toPrimitive]: refuse }),
  () => new Proxy({}, new Proxy({}, { get: () => refuse })),
  () => new Proxy(() => {}, new Proxy({}, { get: () => refuse })),
  () => revoked(),
  () => cycle(),
  () => detachedBuffer(),
  () => detachedBytes(),
  () => new SharedArrayBuffer(0),
  () => new Date(Number.NaN),
  () => new WeakMap(),
  () => new Map([[{}, new Set([cycle()])]]),
  () => Object.assign(new Error("with a cause"), { cause: cycle() }),
  () => new AggregateError([refuse]),
  () => Promise.resolve(1),
  () => () => {},
  () => refuse,
  () =>
    function* hostile(): Generator<number> {
      yield 1;
    },
  () => async () => {},
  () => class Hostile {},
  () => AbortSignal.abort(),
  () => new URL("data:text/javascript,throw 1"),
];

/** One of them. */
export function hostileValue(random: SeededRandom): unknown {
  return random.pick(makers)();
}

/** Up to four of them. */
export function hostileArguments(random: SeededRandom): unknown[] {
  return Array.from({ length: random.below(5) }, () => hostileValue(random));
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function cycle(): object {
  const ring: { self?: unknown } = {};
  ring.self = ring;
  return ring;
}

function detachedBuffer(): ArrayBuffer {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

/** For messages. */
export function nameOf(value: unknown): string {
  try {
    if (typeof value === "function") return "a function";
    if (typeof value !== "object" || value === null) return String(value);
    return Object.prototype.toString.call(value);
  } catch {
    return "a hostile object";
  }
}

function detachedBytes(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}
