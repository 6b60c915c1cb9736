/** Values of random shape and size on every way that values take: arguments, results, errors, channels, selects. */

import { type SeededRandom, seeded } from "@heddle/testkit";
import { type Chan, chan, type Goroutine, goroutine, gosched, select, spawn } from "heddle";
import { BrokenInvariant, type Scenario, type Stage } from "../scenario.ts";

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

/** What travels: a value, and what its sender makes of it. */
interface Parcel {
  readonly value: unknown;
  readonly hash: number;
}

function wrap(random: SeededRandom): Parcel {
  const value = randomValue(random);
  return { value, hash: digest(value) };
}

function open({ value, hash }: Parcel, where: string, seed: number): void {
  const found = digest(value);
  if (found !== hash) throw new BrokenInvariant(`${where}: a value of seed ${seed} arrived changed`);
}

const echo = goroutine(
  import.meta,
  function* echo(seed: number, parcel: Parcel, hash: number, ...rest: Parcel[]): Goroutine<Parcel> {
    open(parcel, "argument", seed);
    for (const one of rest) open(one, "further argument", seed);
    if (parcel.hash % 3 === 0) yield* gosched();
    if (parcel.hash !== hash) throw new BrokenInvariant(`argument: a value of seed ${seed} is another`);
    return parcel;
  },
);

const thrower = goroutine(import.meta, function thrower(parcel: Parcel): never {
  throw Object.assign(new TypeError("on purpose", { cause: parcel.value }), { hash: parcel.hash });
});

/** Sends parcels round a ring of channels, each of which opens and wraps them anew. */
const carrier = goroutine(
  import.meta,
  function* carrier(seed: number, from: Chan<Parcel>, to: Chan<Parcel>, count: number): Goroutine<void> {
    for (let i = 0; i < count; i++) {
      const parcel = i % 3 === 0 ? (yield* select(from.recv())).value : yield* from.recv();
      if (parcel === undefined) throw new BrokenInvariant("a channel that nobody closed gave nothing");
      open(parcel, "channel", seed);
      if (i % 4 === 0) yield* select(to.send(parcel), undefined);
      else yield* to.send(parcel);
    }
  },
);

const tour = goroutine(import.meta, function* tour(seed: number, count: number): Goroutine<void> {
  const random = seeded(seed);
  const channels = Array.from({ length: 4 }, () => chan<Parcel>(random.below(3)));
  const [first, second, third, last] = channels as [Chan<Parcel>, Chan<Parcel>, Chan<Parcel>, Chan<Parcel>];
  const carriers = [
    spawn(carrier, seed, first, second, count),
    spawn(carrier, seed, second, third, count),
    spawn(carrier, seed, third, last, count),
  ];
  for (let i = 0; i < count; i++) {
    const parcel = wrap(random);
    yield* first.send(parcel);
    const back = yield* last.recv();
    if (back?.hash !== parcel.hash)
      throw new BrokenInvariant(`channel: a parcel of seed ${seed} came back as another`);
    const extra = Array.from({ length: random.below(6) }, () => wrap(random));
    const echoed = yield* spawn(echo, seed, parcel, parcel.hash, ...extra);
    open(echoed, "result", seed);
    yield* throwAndCatch(parcel, seed);
  }
  for (const one of carriers) yield* one;
});

function* throwAndCatch(parcel: Parcel, seed: number): Goroutine<void> {
  try {
    yield* spawn(thrower, parcel);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    if (digest(error.cause) !== parcel.hash)
      throw new BrokenInvariant(`error: the cause of seed ${seed} arrived changed`);
    return;
  }
  throw new BrokenInvariant("a body that throws gave a result");
}

async function fromHost(stage: Stage): Promise<void> {
  for (let i = stage.often(20); i > 0; i--) {
    const seed = stage.seed();
    const parcel = wrap(seeded(seed));
    open(await stage.runtime.run(echo, seed, parcel, parcel.hash), "result at the host", seed);
    stage.did(1);
  }
}

export const payloads: Scenario = {
  name: "payloads",
  about:
    "values of random shape and size as arguments, results, errors and over channels: each arrives as it was sent, by its hash",
  async play(stage) {
    const count = stage.often(6);
    const tours = Array.from({ length: stage.many(8) }, () =>
      stage.runtime.run(tour, stage.seed(), count).then(() => stage.did(count * 6)),
    );
    await Promise.all([fromHost(stage), ...tours]);
  },
};
