import { start } from "heddle";
import { echo } from "../bodies/goroutines.ts";
import type { Case } from "../case.ts";
import { openPiscina } from "../peers/pools.ts";

export const startToFirstResult: readonly Case[] = [
  {
    name: "start",
    scenario:
      "From the call of start() to the first result, once in a fresh process, the import not counted; ms.",
    unit: "ms",
    goals: [{ atMost: 120 }],
    short: true,
    async run() {
      const began = performance.now();
      await using runtime = await start({ procs: 2 });
      await runtime.run(echo, 1);
      return [{ value: performance.now() - began }];
    },
    peers: {
      async piscina() {
        const began = performance.now();
        await using pool = openPiscina();
        await pool.run("echo", 1);
        return [{ value: performance.now() - began }];
      },
    },
  },
];
