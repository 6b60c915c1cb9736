/** Goroutines that select among many channels at once, to send and to receive, while others do the same. */

import { type SeededRandom, seeded } from "@heddle/testkit";
import { type Chan, chan, type Goroutine, goroutine, type SelectCase, select, trySelect } from "heddle";
import { expectEach, ledger, type Scenario, type Stage } from "../scenario.ts";

/** Cases that send a token over some channels, and perhaps others that take one in. A few are left out, as nil channels are. */
function casesFor(random: SeededRandom, channels: readonly Chan<number>[], token: number): SelectCase[] {
  const outs = random.shuffled(channels).slice(0, 1 + random.below(4));
  const sends: SelectCase[] = outs.map(
    (out, place) => (place === 0 || random.below(4) > 0) && out.send(token),
  );
  const takesIn = random.below(4) === 0;
  return takesIn ? [...sends, ...outs.map((out) => out.recv())] : sends;
}

/** Brings its tokens away, each over whichever channel takes it; now and then it takes one of the others' in, and brings it away as well. */
const trader = goroutine(
  import.meta,
  function* trader(seed: number, first: number, count: number, channels: Chan<number>[]): Goroutine<void> {
    const random = seeded(seed);
    for (let token = first; token < first + count; token++) {
      const held = [token];
      while (held.length > 0) {
        const next = held[held.length - 1] as number;
        const tried = random.below(3) === 0 ? trySelect(...casesFor(random, channels, next)) : undefined;
        const { value } = tried ?? (yield* select(...casesFor(random, channels, next)));
        if (value === undefined) held.pop();
        else held.push(value as number);
      }
    }
  },
);

/** The same as an async body. */
const patientTrader = goroutine(
  import.meta,
  async function patientTrader(
    seed: number,
    first: number,
    count: number,
    channels: Chan<number>[],
  ): Promise<void> {
    const random = seeded(seed);
    for (let token = first; token < first + count; token++) {
      const held = [token];
      while (held.length > 0) {
        const { value } = await select(...casesFor(random, channels, held[held.length - 1] as number));
        if (value === undefined) held.pop();
        else held.push(value as number);
      }
    }
  },
);

/** Marks tokens until there will be no more. */
const collector = goroutine(
  import.meta,
  function* collector(
    seed: number,
    channels: Chan<number>[],
    done: Chan<never>,
    marks: Int32Array,
  ): Goroutine<void> {
    const random = seeded(seed);
    for (;;) {
      const watched = random.shuffled(channels).slice(0, 1 + random.below(channels.length));
      const { index, value } = yield* select(done.recv(), ...watched.map((channel) => channel.recv()));
      if (index === 0) return;
      Atomics.add(marks, value as number, 1);
    }
  },
);

async function exchange(stage: Stage): Promise<void> {
  const { runtime, random } = stage;
  const traders = stage.many(24);
  const each = stage.often(120);
  const marks = ledger(traders * each);
  const make = <T>(capacity: number): Chan<T> => runtime.enter(() => chan<T>(capacity));
  const channels = Array.from({ length: 2 + random.below(10) }, () =>
    make<number>(random.pick([0, 0, 0, 1, 4])),
  );
  const done = make<never>(0);
  const collectors = Array.from({ length: stage.many(4) }, () =>
    runtime.run(collector, stage.seed(), channels, done, marks),
  );
  // A collector may look at some of the channels only: one looks at all of them, whatever the others do.
  const last = runtime.run(collectAll, channels, done, marks);
  const traded = Array.from({ length: traders }, (_, trade) => {
    const body = random.below(4) === 0 ? patientTrader : trader;
    return runtime.run(body, stage.seed(), trade * each, each, channels).then(() => stage.did(each));
  });
  await Promise.all(traded);
  done.close();
  await Promise.all([...collectors, last]);
  for (const channel of channels)
    for (let left = channel.tryRecv(); left?.[1]; left = channel.tryRecv()) Atomics.add(marks, left[0], 1);
  expectEach("tokens have been collected", marks, 1);
}

const collectAll = goroutine(
  import.meta,
  function* collectAll(channels: Chan<number>[], done: Chan<never>, marks: Int32Array): Goroutine<void> {
    for (;;) {
      const { index, value } = yield* select(done.recv(), ...channels.map((channel) => channel.recv()));
      if (index === 0) return;
      Atomics.add(marks, value as number, 1);
    }
  },
);

export const selectStorm: Scenario = {
  name: "select-storm",
  about:
    "goroutines that select among many channels to send and to receive: each token ends up with one of them, once",
  async play(stage) {
    for (let round = stage.often(4); round > 0; round--) await exchange(stage);
  },
};
