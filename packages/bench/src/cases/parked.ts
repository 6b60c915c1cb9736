import { start } from "heddle";
import { parkAndWake } from "../bodies/parked.ts";
import type { Case } from "../case.ts";
import { msPerPass } from "../measure.ts";

const GOROUTINES = 100_000;
/** Enough to load the code and too few to leave memory behind that the measured ones would find. */
const WARM_UP = 100;

export const parked: readonly Case[] = [
  {
    name: "parked/memory",
    scenario: `${GOROUTINES} goroutines that wait on one channel, on one P, once in a fresh process; resident memory in bytes per goroutine, Go's after a collection.`,
    unit: "bytes",
    goals: [{ atMost: 680 }],
    short: true,
    async run() {
      await using runtime = await start({ procs: 1 });
      await runtime.run(parkAndWake, WARM_UP);
      const { residentBytes } = await runtime.run(parkAndWake, GOROUTINES);
      return [{ value: residentBytes / GOROUTINES }];
    },
    peers: { go: { go: "parked", flags: { size: GOROUTINES, procs: 1 } } },
  },
  {
    name: "parked/wake",
    scenario: `${GOROUTINES} goroutines that wait on one channel, on one P; ms from its close until the last of them has ended.`,
    unit: "ms",
    goals: [{ atMost: 200 }],
    short: false,
    async run(context) {
      await using runtime = await start({ procs: 1 });
      return await msPerPass(context, async () => (await runtime.run(parkAndWake, GOROUTINES)).wakeMs);
    },
    peers: { go: { go: "wake", flags: { size: GOROUTINES, procs: 1 } } },
  },
];
