import { start } from "heddle";
import { echo } from "../bodies/goroutines.ts";
import type { Case, Goal, PoolName } from "../case.ts";
import { latency } from "../measure.ts";
import { allPools, sidesOn } from "../peers/pools.ts";

function atPercentile(percentile: "p50" | "p99", pools: readonly PoolName[], goals: readonly Goal[]): Case {
  const name = percentile === "p50" ? "median" : "p99";
  return {
    name: `host-latency/${name}`,
    section: "from the host",
    scenario: `One task that returns its argument at a time, from the host's call to its result, on two P; ${name} in µs.`,
    unit: "µs",
    goals,
    short: percentile === "p50",
    async run(context) {
      await using runtime = await start({ procs: 2 });
      return await latency(context, percentile, () => runtime.run(echo, 1));
    },
    peers: sidesOn(pools, (context, pool) => latency(context, percentile, () => pool.run("echo", 1))),
  };
}

export const hostLatency: readonly Case[] = [
  atPercentile("p50", allPools, [{ beside: "piscina", atMost: 0.7 }, { atMost: 5 }]),
  atPercentile("p99", ["piscina", "piscina tuned", "tinypool"], []),
];
