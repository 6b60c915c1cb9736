import { start } from "heddle";
import { sleepBehindHogs, sleepTogether } from "../bodies/timers.ts";
import type { Case, Context, Sample } from "../case.ts";
import { msPerPass } from "../measure.ts";
import { medianOf } from "../median.ts";
import { withFibers, withPromises } from "../peers/single-threaded.ts";

const SLEEPERS = 10_000;
const SLEEP_MS = 10;
/**
 * Passes before any is counted, beside what msPerPass does: they sleep most of the time, so the engine gets to
 * compile late. Here the seventh took 20 ms, after 274, 109 and 49, and the twentieth 16.
 */
const WARM_UP_PASSES = 10;
const HOGS = 4;

async function warmMsPerPass(context: Context, pass: () => Promise<number>): Promise<Sample[]> {
  for (let i = 0; i < WARM_UP_PASSES; i++) await pass();
  return await msPerPass(context, pass);
}

export const timers: readonly Case[] = [
  {
    name: "sleepers",
    section: "inside the runtime",
    scenario: `${SLEEPERS} goroutines that sleep ${SLEEP_MS} ms each, on one P; warm; ms from the first spawn until the last one ends.`,
    unit: "ms",
    goals: [{ atMost: 30 }],
    short: false,
    async run(context) {
      await using runtime = await start({ procs: 1 });
      return await warmMsPerPass(context, () => runtime.run(sleepTogether, SLEEPERS, SLEEP_MS));
    },
    peers: {
      go: { go: "sleepers", flags: { size: SLEEPERS, procs: 1 } },
      promises: withPromises((context, promises) =>
        warmMsPerPass(context, () => promises.sleepTogether(SLEEPERS, SLEEP_MS)),
      ),
      effect: withFibers((context, fibers) =>
        warmMsPerPass(context, () => fibers.sleepTogether(SLEEPERS, SLEEP_MS)),
      ),
    },
  },
  {
    name: "timer-lateness",
    section: "inside the runtime",
    scenario: `A sleep of 1 ms beside ${HOGS} goroutines that compute and call checkpoint, on one P; ms by which it is late, median.`,
    unit: "ms",
    goals: [{ atMost: 20 }],
    short: false,
    async run({ budgetMs }) {
      await using runtime = await start({ procs: 1 });
      await runtime.run(sleepBehindHogs, HOGS, 1, budgetMs / 4);
      return [{ value: medianOf(await runtime.run(sleepBehindHogs, HOGS, 1, budgetMs)) }];
    },
    peers: { go: { go: "timer-lateness", flags: { size: HOGS, procs: 1 } } },
  },
];
