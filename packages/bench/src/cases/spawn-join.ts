import { start } from "heddle";
import { spawnInBatches, spawnOneAtATime } from "../bodies/goroutines.ts";
import type { Case } from "../case.ts";
import { nsPerOperation } from "../measure.ts";

/** Goroutines per call from the host, so that the call itself does not show. */
const GOROUTINES_PER_CALL = 10_000;

const oneAtATime: Case = {
  name: "spawn-join/1",
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
  peers: { go: { go: "spawn-join", flags: { size: 1, procs: 1 } } },
};

function inBatchesOf(size: number): Pick<Case, "name" | "scenario" | "unit" | "run" | "peers"> {
  const batches = Math.max(1, GOROUTINES_PER_CALL / size);
  return {
    name: `spawn-join/${size}`,
    scenario: `${size} goroutines spawned, then all of them joined, on one P; ns per goroutine.`,
    unit: "ns",
    async run(context) {
      await using runtime = await start({ procs: 1 });
      return await nsPerOperation(context, size * batches, () => runtime.run(spawnInBatches, size, batches));
    },
    peers: { go: { go: "spawn-join", flags: { size, procs: 1 } } },
  };
}

export const spawnJoin: readonly Case[] = [
  oneAtATime,
  { ...inBatchesOf(1000), goals: [{ beside: "go", atMost: 1 }], short: true },
  { ...inBatchesOf(100_000), goals: [], short: false },
];
