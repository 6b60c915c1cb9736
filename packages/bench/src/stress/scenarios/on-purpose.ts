/** Scenarios that fail, to show what the harness does then. They are played only when they are named. */

import { type Chan, chan, type Goroutine, goroutine } from "heddle";
import { BrokenInvariant, type Scenario } from "../scenario.ts";

/** The smallest size at which it fails. */
const FAILS_FROM = 10;

export const failsOnPurpose: Scenario = {
  name: "fails-on-purpose",
  about: `fails as long as there are ${FAILS_FROM} goroutines or more`,
  byNameOnly: true,
  async play(stage) {
    if (stage.many(100) >= FAILS_FROM)
      throw new BrokenInvariant(`on purpose, with ${stage.many(100)} goroutines`);
  },
};

const waitsForHost = goroutine(import.meta, function* waitsForHost(channel: Chan<number>): Goroutine<number> {
  return (yield* channel.recv()) as number;
});

export const hangsOnPurpose: Scenario = {
  name: "hangs-on-purpose",
  about: "waits for something that the host could send and does not: no deadlock, as far as Heddle can know",
  byNameOnly: true,
  async play({ runtime }) {
    const channel = runtime.enter(() => chan<number>());
    await runtime.run(waitsForHost, channel);
    channel.close();
  },
};
