/** Networks of channels of random shape: layers of goroutines, each of which reads from a channel of its layer and passes on to any of the next. */

import { seeded } from "@heddle/testkit";
import { type Chan, chan, type Goroutine, go, goroutine, gosched, range, WaitGroup } from "heddle";
import { BrokenInvariant, expectEach, expectSame, ledger, type Scenario, type Stage } from "../scenario.ts";

/** A value: who made it, and its number among his. */
interface Parcel {
  readonly source: number;
  readonly number: number;
  /** Nodes it has come through. */
  readonly hops: number;
}

const source = goroutine(
  import.meta,
  function* source(id: number, count: number, outs: Chan<Parcel>[], done: WaitGroup): Goroutine<void> {
    const random = seeded(id);
    for (let number = 0; number < count; number++) {
      if (random.below(16) === 0) yield* gosched();
      yield* random.pick(outs).send({ source: id, number, hops: 0 });
    }
    done.done();
  },
);

const relay = goroutine(
  import.meta,
  function* relay(seed: number, from: Chan<Parcel>, outs: Chan<Parcel>[], done: WaitGroup): Goroutine<void> {
    const random = seeded(seed);
    yield* range(from, function* ({ source: id, number, hops }): Goroutine<void> {
      const out = random.pick(outs);
      const parcel = { source: id, number, hops: hops + 1 };
      if (random.below(4) === 0 && out.trySend(parcel)) return;
      yield* out.send(parcel);
    });
    done.done();
  },
);

/** The same as an async body. */
const patientRelay = goroutine(
  import.meta,
  async function patientRelay(
    seed: number,
    from: Chan<Parcel>,
    outs: Chan<Parcel>[],
    done: WaitGroup,
  ): Promise<void> {
    const random = seeded(seed);
    for await (const { source: id, number, hops } of from)
      await random.pick(outs).send({ source: id, number, hops: hops + 1 });
    done.done();
  },
);

/** Marks what arrives; returns how many hops it took in all. */
const sink = goroutine(
  import.meta,
  function* sink(from: Chan<Parcel>, marks: Int32Array, perSource: number): Goroutine<number> {
    let hops = 0;
    for (;;) {
      const [parcel, ok] = yield* from.recvOk();
      if (!ok) return hops;
      Atomics.add(marks, parcel.source * perSource + parcel.number, 1);
      hops += parcel.hops;
    }
  },
);

/** Closes the channels of a layer when all that send to it have ended. */
const closer = goroutine(
  import.meta,
  function* closer(before: WaitGroup, channels: Chan<Parcel>[]): Goroutine<void> {
    yield* before.wait();
    for (const channel of channels) channel.close();
  },
);

async function network(stage: Stage): Promise<void> {
  const { runtime, random } = stage;
  const sources = stage.many(12);
  const perSource = stage.often(150);
  const layers = 1 + random.below(5);
  const marks = ledger(sources * perSource);
  const channelsOf = (): Chan<Parcel>[] =>
    Array.from({ length: 1 + random.below(5) }, () =>
      runtime.enter(() => chan<Parcel>(random.pick([0, 0, 1, 2, 7, 64]))),
    );

  let channels = channelsOf();
  let senders = runtime.enter(() => new WaitGroup());
  senders.add(sources);
  for (let id = 0; id < sources; id++) runtime.go(source, id, perSource, channels, senders);
  for (let layer = 0; layer < layers; layer++) {
    const next = channelsOf();
    const here = runtime.enter(() => new WaitGroup());
    const before = channels;
    runtime.go(closer, senders, before);
    for (let node = stage.many(10) + before.length; node > 0; node--) {
      here.add(1);
      // Each channel has a reader: the first nodes see to it.
      const from = before[node % before.length] as Chan<Parcel>;
      runtime.go(random.below(5) === 0 ? patientRelay : relay, stage.seed(), from, next, here);
    }
    channels = next;
    senders = here;
  }
  runtime.go(closer, senders, channels);
  const sinks = channels.map((channel) => runtime.run(sink, channel, marks, perSource));
  const hops = (await Promise.all(sinks)).reduce((sum, one) => sum + one, 0);
  expectEach("parcels have arrived", marks, 1);
  expectSame("hops of all parcels", hops, sources * perSource * layers);
  stage.did(sources * perSource * (layers + 1));
}

const follow = goroutine(
  import.meta,
  function* follow(from: Chan<number>, to: Chan<number>): Goroutine<void> {
    yield* range(from, (value) => passOn(to, value));
    to.close();
  },
);

function* passOn(to: Chan<number>, value: number): Goroutine<void> {
  yield* to.send(value + 1);
}

const feed = goroutine(import.meta, function* feed(to: Chan<number>, count: number): Goroutine<void> {
  for (let i = 0; i < count; i++) yield* to.send(i);
  to.close();
});

/** A chain of channels, each with one sender and one receiver: what comes out is what went in, in order. */
const chain = goroutine(
  import.meta,
  function* chain(seed: number, length: number, count: number): Goroutine<void> {
    const random = seeded(seed);
    const capacity = (): number => random.pick([0, 0, 1, 3, 16]);
    const first = chan<number>(capacity());
    go(feed, first, count);
    let last = first;
    for (let i = 0; i < length; i++) {
      const next = chan<number>(capacity());
      go(follow, last, next);
      last = next;
    }
    for (let i = 0; i < count; i++) {
      const value = yield* last.recv();
      if (value !== i + length)
        throw new BrokenInvariant(`value ${i} of a chain of ${length} came as ${value}`);
    }
    const [, more] = yield* last.recvOk();
    if (more) throw new BrokenInvariant(`a chain of ${length} gave more than the ${count} values put in`);
  },
);

export const channelNetwork: Scenario = {
  name: "channel-network",
  about:
    "layers and chains of goroutines that pass values on over channels: each value arrives once, and in order where one sends and one receives",
  async play(stage) {
    for (let round = stage.often(4); round > 0; round--) {
      const chains = Array.from({ length: stage.many(6) }, () => {
        const length = 1 + stage.random.below(stage.many(60));
        const count = stage.often(100);
        return stage.runtime.run(chain, stage.seed(), length, count).then(() => stage.did(length * count));
      });
      await Promise.all([network(stage), ...chains]);
    }
  },
};
