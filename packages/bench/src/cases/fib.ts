import { start } from "heddle";
import { timeFib } from "../bodies/goroutines.ts";
import type { Case, Goal } from "../case.ts";
import { nsPerOperation } from "../measure.ts";

const N = 25;

/** How many calls fib(n) makes, itself included; each is a goroutine. */
function callsOfFib(n: number): number {
  return n < 2 ? 1 : 1 + callsOfFib(n - 1) + callsOfFib(n - 2);
}

function onProcessors(procs: number, goal: Goal): Case {
  return {
    name: `fib/${procs}p`,
    scenario: `fib(${N}) with a goroutine per call, each joining the two it spawned, on ${procs} P; ns per goroutine.`,
    unit: "ns",
    goals: [goal],
    short: true,
    async run(context) {
      await using runtime = await start({ procs });
      return await nsPerOperation(context, callsOfFib(N), () => runtime.run(timeFib, N));
    },
    peers: { go: { go: "fib", flags: { size: N, procs } } },
  };
}

export const fib: readonly Case[] = [
  onProcessors(1, { beside: "go", atMost: 0.5 }),
  onProcessors(2, { beside: "go", atMost: 0.6 }),
];
