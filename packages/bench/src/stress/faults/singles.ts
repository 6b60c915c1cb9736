/** Goroutines that have to do with nobody: they sleep, wait for their thread's event loop, hold their thread, or are cancelled on the way. Some are run again when they are lost. */

import { blocking, type Chan, chan, checkpoint, type Goroutine, goroutine, sleep } from "heddle";
import { expectSame } from "../scenario.ts";
import { noteBegun, noteEnded } from "./accounts.ts";
import { home } from "./home.ts";
import type { Errand, Load } from "./load.ts";

const naps = goroutine(
  home,
  function* naps(marks: Int32Array, own: number, count: number): Goroutine<number> {
    noteBegun(marks, own);
    for (let nap = 0; nap < count; nap++) yield* sleep(nap / 8);
    noteEnded(marks, own);
    return count;
  },
);

/** Waits by turns for a timer of Heddle's and for the event loop. */
const patientNaps = goroutine(
  home,
  async function patientNaps(marks: Int32Array, own: number, count: number): Promise<number> {
    noteBegun(marks, own);
    for (let nap = 0; nap < count; nap++) {
      await sleep(nap / 8);
      await new Promise((resolve) => setImmediate(resolve));
    }
    noteEnded(marks, own);
    return count;
  },
);

/** Holds its thread while it sleeps. */
const blockedNaps = goroutine(
  home,
  function blockedNaps(marks: Int32Array, own: number, count: number): number {
    noteBegun(marks, own);
    for (let nap = 0; nap < count; nap += 4) sleep(nap / 8).block();
    noteEnded(marks, own);
    return count;
  },
);

/** Makes calls that keep the thread. */
const longCalls = goroutine(
  home,
  function* longCalls(marks: Int32Array, own: number, count: number): Goroutine<number> {
    noteBegun(marks, own);
    for (let call = 0; call < count; call += 4) {
      yield* checkpoint();
      blocking(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0.5));
    }
    noteEnded(marks, own);
    return count;
  },
);

const bodies = [naps, naps, patientNaps, patientNaps, blockedNaps, longCalls];

async function single({ stage, accounts }: Load): Promise<void> {
  const own = accounts.take(1);
  const count = 1 + stage.random.below(12);
  const body = stage.random.pick(bodies);
  const retry = stage.random.pick([0, 0, 1, 3]);
  accounts.allowRuns(own, 1 + retry);
  const work =
    retry > 0
      ? stage.runtime.spawnWith({ retry }, body, accounts.marks, own, count)
      : stage.runtime.run(body, accounts.marks, own, count);
  await accounts.follow(own, work, (napped) => expectSame("naps", napped, count));
  stage.did(count);
}

export const singles: Errand = { run: single };

/** Waits for what never comes. */
const waits = goroutine(
  home,
  function* waits(marks: Int32Array, own: number, silent: Chan<never>): Goroutine<void> {
    noteBegun(marks, own);
    try {
      yield* silent.recv();
    } finally {
      noteEnded(marks, own);
    }
  },
);

/** Started and cancelled: some before they have begun. */
async function cancelled({ stage, accounts }: Load): Promise<void> {
  const own = accounts.take(1);
  const silent = stage.runtime.enter(() => chan<never>());
  const handle = stage.runtime.spawn(waits, accounts.marks, own, silent);
  const fate = accounts.follow(own, handle);
  if (stage.random.below(3) > 0) await new Promise((resolve) => setTimeout(resolve, stage.random.below(4)));
  handle.cancel("enough");
  expectSame("whether what never comes has come", (await fate) === "done", false);
  // Held until here: a channel that nobody has would be a deadlock.
  silent.close();
  stage.did(1);
}

export const cancellations: Errand = { run: cancelled };
