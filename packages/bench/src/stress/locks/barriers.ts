/** A barrier that opens turn after turn, and a once for each turn. */

import { Barrier, type Goroutine, goroutine, gosched, Once } from "heddle";
import { BrokenInvariant, expectSame, ledger, type Stage } from "../scenario.ts";

/** Words: arrivals; times somebody was the one of a generation; calls of the once. */
const ARRIVED = 0;
const CHOSEN = 1;
const CALLED = 2;

const party = goroutine(
  import.meta,
  function* party(
    parties: number,
    turns: number,
    barrier: Barrier,
    onces: Once[],
    words: Int32Array,
  ): Goroutine<void> {
    for (let turn = 0; turn < turns; turn++) {
      Atomics.add(words, ARRIVED, 1);
      if (yield* barrier.wait()) Atomics.add(words, CHOSEN, 1);
      const arrived = Atomics.load(words, ARRIVED);
      if (arrived < parties * (turn + 1))
        throw new BrokenInvariant(`the barrier opened turn ${turn} for ${arrived} arrivals of ${parties}`);
      const called = Atomics.load(words, CALLED);
      if (called < turn) throw new BrokenInvariant(`${called} calls of once before turn ${turn}`);
      yield* (onces[turn] as Once).do(function* once(): Goroutine<void> {
        yield* gosched();
        Atomics.add(words, CALLED, 1);
      });
      if (Atomics.load(words, CALLED) <= turn)
        throw new BrokenInvariant("do returned before the call had ended");
    }
  },
);

export async function barriers(stage: Stage): Promise<void> {
  const { runtime } = stage;
  const parties = stage.many(8);
  const turns = stage.often(25);
  const [barrier, onces] = runtime.enter(
    () => [new Barrier(parties), Array.from({ length: turns }, () => new Once())] as const,
  );
  const words = ledger(3);
  await Promise.all(
    Array.from({ length: parties }, () => runtime.run(party, parties, turns, barrier, [...onces], words)),
  );
  expectSame("goroutines that were the one at the barrier", words[CHOSEN], turns);
  expectSame("calls of once", words[CALLED], turns);
  stage.did(parties * turns);
}
