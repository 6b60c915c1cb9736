import { type Runtime, start } from "heddle";
import { echo } from "../bodies/goroutines.ts";
import type { Case } from "../case.ts";
import { tasksPerSecond } from "../measure.ts";
import { submitAtOnce } from "../peers/pool.ts";
import { allPools, loadPiscina, sidesOn } from "../peers/pools.ts";

const TASKS = 100_000;
/**
 * The pools get fewer: they take seconds for a hundred thousand. In processor time for each task none is more than a
 * tenth the worse for it, and half of them are the better.
 */
const TASKS_OF_A_POOL = 20_000;

function runAtOnce(runtime: Runtime, tasks: number): Promise<number[]> {
  return Promise.all(Array.from({ length: tasks }, (_, i) => runtime.run(echo, i)));
}

export const hostThroughput: readonly Case[] = [
  {
    name: "host-throughput",
    section: "from the host",
    scenario: `${TASKS} tasks (${TASKS_OF_A_POOL} on the pools) that return their argument, submitted by the host at once, a promise each, on two P; tasks per second.`,
    unit: "tasks/s",
    goals: [
      { atLeast: 2_000_000 },
      { beside: "piscina", atLeast: 30 },
      { beside: "piscina tuned", atLeast: 20 },
    ],
    short: true,
    async run(context) {
      await using runtime = await start({ procs: 2 });
      return await tasksPerSecond(context, TASKS, (tasks) => runAtOnce(runtime, tasks));
    },
    peers: {
      ...sidesOn(allPools, (context, pool) =>
        tasksPerSecond(context, TASKS_OF_A_POOL, (tasks) => submitAtOnce(pool, tasks)),
      ),
      async "piscina tuned"(context) {
        const { bestPiscina, openPiscina } = await loadPiscina();
        const { options, note } = await bestPiscina();
        await using pool = openPiscina(options);
        const samples = await tasksPerSecond(context, TASKS_OF_A_POOL, (tasks) => submitAtOnce(pool, tasks));
        return samples.map((sample) => ({ ...sample, note }));
      },
    },
  },
];
