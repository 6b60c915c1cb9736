import { setTimeout as pass } from "node:timers/promises";
import { start } from "heddle";
import { echo } from "../bodies/goroutines.ts";
import type { Case, Sample } from "../case.ts";
import { loadPiscina } from "../peers/pools.ts";

/**
 * Left alone before the clock starts: threads finish loading and the engine compiles what has just run, some 30 ms of
 * work that is start-up and not idleness.
 */
const SETTLE_MS = 1000;
/** How long nothing is done. The time is the measurement: no result waits for it. */
const IDLE_MS = 2000;

/** What all threads of this process use of one core while nothing is asked of them, in percent. */
async function idleShare(): Promise<Sample[]> {
  await pass(SETTLE_MS);
  const began = performance.now();
  const before = process.cpuUsage();
  await pass(IDLE_MS);
  const used = process.cpuUsage(before);
  return [{ value: (100 * (used.user + used.system)) / 1000 / (performance.now() - began) }];
}

export const idle: readonly Case[] = [
  {
    name: "idle",
    section: "from the host",
    scenario: `A runtime on two P, a second after its last task, with nothing to do for ${IDLE_MS / 1000} s; processor time in % of one core.`,
    unit: "% of a core",
    goals: [{ atMost: 0.5 }],
    short: false,
    async run() {
      await using runtime = await start({ procs: 2 });
      await runtime.run(echo, 1);
      return await idleShare();
    },
    peers: {
      async piscina() {
        const { openPiscina } = await loadPiscina();
        await using pool = openPiscina();
        await pool.run("echo", 1);
        return await idleShare();
      },
    },
  },
];
