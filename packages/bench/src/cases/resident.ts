import { start } from "heddle";
import { echo } from "../bodies/goroutines.ts";
import type { Case } from "../case.ts";
import { loadPiscina } from "../peers/pools.ts";

const BYTES_PER_MIB = 2 ** 20;

/** What the process grows by until a task has come back; `open` leaves everything open. */
async function growth(firstTask: () => Promise<unknown>): Promise<{ value: number }[]> {
  const before = process.memoryUsage.rss();
  await firstTask();
  return [{ value: (process.memoryUsage.rss() - before) / BYTES_PER_MIB }];
}

export function residentOn(procs: number): Case {
  return {
    name: `resident/${procs}p`,
    section: "processors",
    short: false,
    scenario: `What a process grows by in resident memory from before start() until after the first result, on ${procs} P (Piscina: as many threads); MiB.`,
    unit: "MiB",
    goals: [],
    async run() {
      let open: AsyncDisposable | undefined;
      const samples = await growth(async () => {
        const runtime = await start({ procs });
        open = runtime;
        await runtime.run(echo, 1);
      });
      await open?.[Symbol.asyncDispose]();
      return samples;
    },
    peers: {
      async piscina() {
        const { openPiscina } = await loadPiscina();
        let open: AsyncDisposable | undefined;
        const samples = await growth(async () => {
          const pool = openPiscina({ minThreads: procs, maxThreads: procs });
          open = pool;
          await pool.run("echo", 1);
        });
        await open?.[Symbol.asyncDispose]();
        return samples;
      },
    },
  };
}
