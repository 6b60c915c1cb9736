/** What more processors bring, and cost once there are more of them than cores. */
import { start } from "heddle";
import { burnAll } from "../bodies/work.ts";
import type { Case } from "../case.ts";
import { fibOn } from "./fib.ts";
import { residentOn } from "./resident.ts";
import { evenList, speedUp } from "./work.ts";

const counts = [1, 2, 4, 8];
const TASKS = 1000;
const TASK_US = 100;

function evenOn(procs: number): Case {
  return {
    name: `even-procs/${procs}`,
    section: "processors",
    scenario: `${TASKS} tasks of ${TASK_US} µs spawned and joined by a goroutine, on ${procs} P; times faster than serially.`,
    unit: "× serial",
    goals: [],
    short: false,
    async run(context) {
      const tasks = evenList(context, TASKS, TASK_US);
      await using runtime = await start({ procs });
      return await speedUp(context, tasks, () => runtime.run(burnAll, tasks));
    },
    peers: { go: { go: "even", flags: { size: TASKS, us: TASK_US, procs } } },
  };
}

export const processors: readonly Case[] = [
  ...counts
    .filter((procs) => procs > 2)
    .map((procs): Case => ({ section: "processors", goals: [], short: false, ...fibOn(procs) })),
  ...counts.map(evenOn),
  ...counts.map(residentOn),
];
