/**
 * Goroutines that hand values on over channels, one channel or several by select.
 *
 * No value is taken twice. One that was surely given is missing only if somebody who takes was lost, with that value in hand: one for each of them.
 */

import { type SeededRandom, seeded } from "@heddle/testkit";
import { type Chan, chan, type Goroutine, goroutine, type RecvChan, select, sleep } from "heddle";
import { BrokenInvariant } from "../scenario.ts";
import { type Fate, noteBegun, noteEnded } from "./accounts.ts";
import { home } from "./home.ts";
import type { Errand, Load } from "./load.ts";

/** A value, which takes a block of memory. */
interface Parcel {
  readonly place: number;
  readonly label: string;
}

function wrap(place: number): Parcel {
  return { place, label: `parcel of place ${place}` };
}

/** What a parcel's place notes. */
const TAKEN = 1;
const GIVEN = 1 << 8;

function take(marks: Int32Array, { place, label }: Parcel): void {
  if (label !== `parcel of place ${place}`) throw new BrokenInvariant(`parcel ${place} is labelled ${label}`);
  Atomics.add(marks, place, TAKEN);
}

const giver = goroutine(
  home,
  function* giver(
    marks: Int32Array,
    own: number,
    seed: number,
    first: number,
    count: number,
    channels: Chan<Parcel>[],
  ): Goroutine<void> {
    noteBegun(marks, own);
    const random = seeded(seed);
    for (let place = first; place < first + count; place++) {
      if (random.below(16) === 0) yield* sleep(0.1);
      yield* give(random, channels, wrap(place));
      Atomics.add(marks, place, GIVEN);
    }
    noteEnded(marks, own);
  },
);

function* give(random: SeededRandom, channels: Chan<Parcel>[], parcel: Parcel): Goroutine<void> {
  if (random.below(3) === 0) yield* random.pick(channels).send(parcel);
  else yield* select(...random.shuffled(channels).map((channel) => channel.send(parcel)));
}

const patientGiver = goroutine(
  home,
  async function patientGiver(
    marks: Int32Array,
    own: number,
    seed: number,
    first: number,
    count: number,
    channels: Chan<Parcel>[],
  ): Promise<void> {
    noteBegun(marks, own);
    const random = seeded(seed);
    for (let place = first; place < first + count; place++) {
      await random.pick(channels).send(wrap(place));
      Atomics.add(marks, place, GIVEN);
    }
    noteEnded(marks, own);
  },
);

/** Takes from any of the channels until there will be no more. */
const taker = goroutine(
  home,
  function* taker(
    marks: Int32Array,
    own: number,
    channels: Chan<Parcel>[],
    over: Chan<never>,
  ): Goroutine<void> {
    noteBegun(marks, own);
    for (;;) {
      const parcel = yield* next(channels, over);
      if (parcel === undefined) break;
      take(marks, parcel);
    }
    noteEnded(marks, own);
  },
);

function* next(channels: RecvChan<Parcel>[], over: RecvChan<never>): Goroutine<Parcel | undefined> {
  const { value } = yield* select(over.recv(), ...channels.map((channel) => channel.recv()));
  return value as Parcel | undefined;
}

const GIVERS = 4;
const TAKERS = 3;
const EACH = 30;

/** One lot of parcels: who gives, who takes, and what is left in the end. */
class Lot {
  private readonly load: Load;
  private readonly channels: Chan<Parcel>[];
  private readonly over: Chan<never>;
  private readonly first: number;

  constructor(load: Load) {
    const { stage, accounts } = load;
    const { random, runtime } = stage;
    this.load = load;
    this.first = accounts.take(GIVERS * EACH);
    [this.channels, this.over] = runtime.enter(() => [
      Array.from({ length: 1 + random.below(3) }, () => chan<Parcel>(random.pick([0, 0, 1, 4]))),
      chan<never>(),
    ]);
  }

  async run(): Promise<void> {
    const takers = Array.from({ length: TAKERS }, () => this.startTaker());
    const givers = Array.from({ length: GIVERS }, (_, i) => this.startGiver(this.first + i * EACH));
    // With nobody left who takes, those who give would wait for ever.
    const drained = Promise.all(takers).then(() => this.takeTheRest());
    await Promise.all(givers);
    this.over.close();
    const lost = (await Promise.all(takers)).filter((fate) => fate === "lost").length;
    await drained;
    this.check(lost);
    this.load.stage.did(GIVERS * EACH);
  }

  private startGiver(first: number): Promise<Fate> {
    const { stage, accounts } = this.load;
    const body = stage.random.below(3) === 0 ? patientGiver : giver;
    const own = accounts.take(1);
    const work = stage.runtime.run(body, accounts.marks, own, stage.seed(), first, EACH, this.channels);
    return accounts.follow(own, work);
  }

  private startTaker(): Promise<Fate> {
    const { stage, accounts } = this.load;
    const own = accounts.take(1);
    return accounts.follow(own, stage.runtime.run(taker, accounts.marks, own, this.channels, this.over));
  }

  /** On the host: until there will be no more, then what is left in the buffers. */
  private async takeTheRest(): Promise<void> {
    const { marks } = this.load.accounts;
    const { runtime } = this.load.stage;
    for (;;) {
      const { index, value } = await runtime.enter(() =>
        select(this.over.recv(), ...this.channels.map((channel) => channel.recv())),
      );
      if (index === 0) break;
      take(marks, value as Parcel);
    }
    for (const channel of this.channels)
      for (let left = channel.tryRecv(); left?.[1]; left = channel.tryRecv()) take(marks, left[0]);
  }

  private check(lostTakers: number): void {
    const { marks } = this.load.accounts;
    const end = this.first + GIVERS * EACH;
    let missing = 0;
    for (let place = this.first; place < end; place++) {
      const [taken, given] = [(marks[place] as number) & 0xff, ((marks[place] as number) >> 8) & 0xff];
      if (taken > 1) throw new BrokenInvariant(`a parcel was taken ${taken} times`);
      if (given > taken) missing++;
    }
    if (missing > lostTakers)
      throw new BrokenInvariant(`${missing} parcels are missing, and ${lostTakers} who take are lost`);
    marks.fill(0, this.first, end);
  }
}

export const goods: Errand = {
  run: (load) => new Lot(load).run(),
};
