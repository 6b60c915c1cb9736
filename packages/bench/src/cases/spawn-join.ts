import { start } from "heddle";
import { spawnInBatches, spawnOneAtATime } from "../bodies/goroutines.ts";
import type { Case } from "../case.ts";
import { nsPerOperation } from "../measure.ts";
import { withFibers, withPromises } from "../peers/single-threaded.ts";

/** Goroutines per call from the host, so that the call itself does not show. */
const GOROUTINES_PER_CALL = 10_000;

const MILLION = 1_000_000;

const oneAtATime: Case = {
  name: "spawn-join/1",
  section: "inside the runtime",
  scenario: "One goroutine spawned and joined after the other, on one P; ns per goroutine.",
  unit: "ns",
  goals: [],
  short: false,
  async run(context) {
    await using runtime = await start({ procs: 1 });
    return await nsPerOperation(context, GOROUTINES_PER_CALL, () =>
      runtime.run(spawnOneAtATime, GOROUTINES_PER_CALL),
    );
  },
  peers: {
    go: { go: "spawn-join", flags: { size: 1, procs: 1 } },
    promises: withPromises((context, { callOneAtATime }) =>
      nsPerOperation(context, GOROUTINES_PER_CALL, () => callOneAtATime(GOROUTINES_PER_CALL)),
    ),
    effect: withFibers((context, { forkOneAtATime }) =>
      nsPerOperation(context, GOROUTINES_PER_CALL, () => forkOneAtATime(GOROUTINES_PER_CALL)),
    ),
  },
};

function inBatchesOf(size: number, others: Pick<Case, "goals" | "short">): Case {
  const batches = Math.max(1, GOROUTINES_PER_CALL / size);
  return {
    name: `spawn-join/${size}`,
    section: "inside the runtime",
    scenario: `${size} goroutines spawned, then all of them joined, on one P; ns per goroutine.`,
    unit: "ns",
    ...others,
    async run(context) {
      await using runtime = await start({ procs: 1, maxGoroutines: size + 1000 });
      return await nsPerOperation(context, size * batches, () => runtime.run(spawnInBatches, size, batches));
    },
    peers: {
      go: { go: "spawn-join", flags: { size, procs: 1 } },
      ...(size < MILLION && besideInOneThread(size, batches)),
    },
  };
}

/** Of a million, which takes seconds, they say nothing that they do not of a hundred thousand. */
function besideInOneThread(size: number, batches: number): Case["peers"] {
  return {
    promises: withPromises((context, { callInBatches }) =>
      nsPerOperation(context, size * batches, () => callInBatches(size, batches)),
    ),
    effect: withFibers((context, { forkInBatches }) =>
      nsPerOperation(context, size * batches, () => forkInBatches(size, batches)),
    ),
  };
}

export const spawnJoin: readonly Case[] = [
  oneAtATime,
  inBatchesOf(1000, { goals: [{ beside: "go", atMost: 1 }, { atMost: 100 }], short: true }),
  inBatchesOf(100_000, { goals: [], short: false }),
  inBatchesOf(MILLION, { goals: [], short: false }),
];
