import { start } from "heddle";
import { echo } from "../bodies/goroutines.ts";
import type { Case, Goal } from "../case.ts";
import { latency } from "../measure.ts";
import { forWork, openPiscina, openTinypool } from "../peers/pools.ts";

function atPercentile(percentile: "p50" | "p99", goals: readonly Goal[]): Case {
  const name = percentile === "p50" ? "median" : "p99";
  return {
    name: `host-latency/${name}`,
    scenario: `One task that returns its argument at a time, from the host's call to its result, on two P; ${name} in µs.`,
    unit: "µs",
    goals,
    short: percentile === "p50",
    async run(context) {
      await using runtime = await start({ procs: 2 });
      return await latency(context, percentile, () => runtime.run(echo, 1));
    },
    peers: {
      async piscina(context) {
        await using pool = openPiscina();
        return await latency(context, percentile, () => pool.run("echo", 1));
      },
      async "piscina tuned"(context) {
        await using pool = openPiscina(forWork);
        return await latency(context, percentile, () => pool.run("echo", 1));
      },
      async tinypool(context) {
        await using pool = openTinypool();
        return await latency(context, percentile, () => pool.run("echo", 1));
      },
    },
  };
}

export const hostLatency: readonly Case[] = [
  atPercentile("p50", [{ beside: "piscina", atMost: 0.7 }]),
  atPercentile("p99", []),
];
