import { start } from "heddle";
import { echo } from "../bodies/goroutines.ts";
import type { Case } from "../case.ts";
import { allPools, loadPool } from "../peers/pools.ts";

export const startToFirstResult: readonly Case[] = [
  {
    name: "start",
    section: "from the host",
    scenario:
      "From the call of start(), or the opening of a pool, to the first result, once in a fresh process, the import not counted; ms.",
    unit: "ms",
    goals: [{ atMost: 45 }],
    short: false,
    async run() {
      const began = performance.now();
      await using runtime = await start({ procs: 2 });
      await runtime.run(echo, 1);
      return [{ value: performance.now() - began }];
    },
    peers: Object.fromEntries(
      allPools.map((name) => [
        name,
        async () => {
          const { open } = await loadPool(name);
          const began = performance.now();
          await using pool = open();
          await pool.run("echo", 1);
          return [{ value: performance.now() - began }];
        },
      ]),
    ),
  },
];
