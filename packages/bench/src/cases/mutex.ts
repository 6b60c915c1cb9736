import { start } from "heddle";
import { lockAlone } from "../bodies/locks.ts";
import type { Case } from "../case.ts";
import { nsPerOperation } from "../measure.ts";

/** Lockings per call from the host. */
const TIMES = 100_000;

export const mutex: readonly Case[] = [
  {
    name: "mutex",
    scenario: "One goroutine that locks and unlocks a mutex that nobody else wants, on one P; ns for both.",
    unit: "ns",
    goals: [{ beside: "go", atMost: 3 }],
    short: true,
    async run(context) {
      await using runtime = await start({ procs: 1 });
      return await nsPerOperation(context, TIMES, () => runtime.run(lockAlone, TIMES));
    },
    peers: { go: { go: "mutex", flags: { procs: 1 } } },
  },
];
