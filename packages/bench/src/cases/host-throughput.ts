import { type Runtime, start } from "heddle";
import { echo } from "../bodies/goroutines.ts";
import type { Case } from "../case.ts";
import { tasksPerSecond } from "../measure.ts";
import { bestPiscina, openPiscina, openTinypool, submitAtOnce } from "../peers/pools.ts";

const TASKS = 100_000;

function runAtOnce(runtime: Runtime, tasks: number): Promise<number[]> {
  return Promise.all(Array.from({ length: tasks }, (_, i) => runtime.run(echo, i)));
}

export const hostThroughput: readonly Case[] = [
  {
    name: "host-throughput",
    scenario: `${TASKS} tasks that return their argument, submitted by the host at once, a promise each, on two P; tasks per second.`,
    unit: "tasks/s",
    goals: [
      { beside: "piscina", atLeast: 30 },
      { beside: "piscina tuned", atLeast: 20 },
    ],
    short: true,
    async run(context) {
      await using runtime = await start({ procs: 2 });
      return await tasksPerSecond(context, TASKS, (tasks) => runAtOnce(runtime, tasks));
    },
    peers: {
      async piscina(context) {
        await using pool = openPiscina();
        return await tasksPerSecond(context, TASKS, (tasks) => submitAtOnce(pool, tasks));
      },
      async "piscina tuned"(context) {
        const { options, note } = await bestPiscina();
        await using pool = openPiscina(options);
        const samples = await tasksPerSecond(context, TASKS, (tasks) => submitAtOnce(pool, tasks));
        return samples.map((sample) => ({ ...sample, note }));
      },
      async tinypool(context) {
        await using pool = openTinypool();
        return await tasksPerSecond(context, TASKS, (tasks) => submitAtOnce(pool, tasks));
      },
    },
  },
];
