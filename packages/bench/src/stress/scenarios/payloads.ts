/** Values of random shape and size on every way that values take: arguments, results, errors, channels, selects. */

import { type SeededRandom, seeded } from "@heddle/testkit";
import { type Chan, chan, type Goroutine, goroutine, gosched, select, spawn } from "heddle";
import { BrokenInvariant, type Scenario, type Stage } from "../scenario.ts";
import { digest, randomValue } from "../values.ts";

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
