/** Values of random shape and size, and a hash by which a copy is known. */

import type { SeededRandom } from "@heddle/testkit";

/** A value of random shape. Deep and large ones are rare. */
export function randomValue(random: SeededRandom, depth = 0): unknown {
  const kind = random.below(depth > 4 ? 12 : 20);
  switch (kind) {
    case 0:
      return random.below(2) === 0;
    case 1:
      return random.pick([null, undefined, Number.NaN, -0, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 31)]);
    case 2:
      return random.next() | 0;
    case 3:
      return random.fraction() * 1e9;
    case 4:
      return BigInt(random.next()) << BigInt(random.below(90));
    case 5:
    case 6:
      return text(random, random.below(12));
    case 7:
      return text(random, random.below(random.below(10) === 0 ? 20_000 : 200));
    case 8:
      return new Date(random.below(2 ** 31));
    case 9:
      return Uint8Array.from({ length: random.below(random.below(25) === 0 ? 100_000 : 300) }, () =>
        random.below(256),
      );
    case 10:
      return Float64Array.from({ length: random.below(20) }, () => random.fraction());
    case 11:
      return /a[b-z]+/giu;
    case 12:
    case 13:
      return list(random, depth);
    case 14:
      return new Map(
        list(random, depth).map((value, index) => [index % 2 === 0 ? index : `k${index}`, value]),
      );
    case 15:
      return new Set(list(random, depth));
    case 16:
      return Object.assign(new RangeError(text(random, 9)), { cause: randomValue(random, depth + 1) });
    case 17: {
      // A cycle, and the same thing twice.
      const shared = list(random, depth);
      const ring: Record<string, unknown> = { shared, again: shared };
      ring["self"] = ring;
      return ring;
    }
    default:
      return Object.fromEntries(
        list(random, depth).map((value, index) => [text(random, 1 + (index % 9)), value]),
      );
  }
}

function list(random: SeededRandom, depth: number): unknown[] {
  const length = random.below(random.below(20) === 0 && depth < 2 ? 300 : 6);
  return Array.from({ length }, () => randomValue(random, depth + 1));
}

function text(random: SeededRandom, length: number): string {
  const top = random.pick([127, 127, 255, 0xd7ff]);
  let made = "";
  for (let i = 0; i < length; i++) made += String.fromCharCode(random.below(top));
  return made;
}

/** A hash of everything that a copy must keep: types, contents, order, and which parts are the same object. */
export function digest(value: unknown): number {
  const seen = new Map<object, number>();
  let hash = 0x811c9dc5;
  const addNumber = (number: number): void => {
    hash = Math.imul(hash ^ (number | 0), 0x01000193);
    hash ^= hash >>> 13;
  };
  const addText = (part: string): void => {
    addNumber(part.length);
    for (let i = 0; i < part.length; i++) addNumber(part.charCodeAt(i));
  };
  const add = (part: unknown): void => {
    if (typeof part !== "object" || part === null) {
      addText(`${typeof part} ${Object.is(part, -0) ? "-0" : String(part)}`);
      return;
    }
    const known = seen.get(part);
    addText(Object.prototype.toString.call(part));
    addNumber(known ?? -1);
    if (known !== undefined) return;
    seen.set(part, seen.size);
    addContents(part);
  };
  const addContents = (part: object): void => {
    if (ArrayBuffer.isView(part)) addBytes(part);
    else if (part instanceof Date) add(part.getTime());
    else if (part instanceof RegExp) addText(String(part));
    else if (part instanceof Map) for (const entry of part) for (const side of entry) add(side);
    else if (part instanceof Set) for (const item of part) add(item);
    else if (part instanceof Error) for (const side of [part.name, part.message, part.cause]) add(side);
    else if (Array.isArray(part)) for (const item of part) add(item);
    else for (const [key, item] of Object.entries(part)) for (const side of [key, item]) add(side);
  };
  const addBytes = (view: ArrayBufferView): void => {
    addNumber(view.byteLength);
    for (const byte of new Uint8Array(view.buffer, view.byteOffset, view.byteLength)) addNumber(byte);
  };
  add(value);
  return hash >>> 0;
}
