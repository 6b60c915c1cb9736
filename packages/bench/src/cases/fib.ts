import { start } from "heddle";
import { timeFib } from "../bodies/goroutines.ts";
import type { Case, Goal } from "../case.ts";
import { nsPerOperation } from "../measure.ts";
import { withFibers, withPromises } from "../peers/single-threaded.ts";

const N = 25;
/** Effect takes seconds for as many; a fiber costs it no more among more of them. */
const N_OF_FIBERS = 18;

/** How many calls fib(n) makes, itself included; each is a goroutine. */
function callsOfFib(n: number): number {
  return n < 2 ? 1 : 1 + callsOfFib(n - 1) + callsOfFib(n - 2);
}

type Unplaced = Pick<Case, "name" | "scenario" | "unit" | "run" | "peers">;

/** fib on a number of processors, beside Go. */
export function fibOn(procs: number): Unplaced {
  return {
    name: `fib/${procs}p`,
    scenario: `fib(${N}) with a goroutine per call, each joining the two it spawned, on ${procs} P; ns per goroutine.`,
    unit: "ns",
    async run(context) {
      await using runtime = await start({ procs });
      return await nsPerOperation(context, callsOfFib(N), () => runtime.run(timeFib, N));
    },
    peers: { go: { go: "fib", flags: { size: N, procs } } },
  };
}

const onOne = fibOn(1);

function inside(others: Unplaced, goals: readonly Goal[]): Case {
  return { section: "inside the runtime", short: true, goals, ...others };
}

export const fib: readonly Case[] = [
  inside(
    {
      ...onOne,
      peers: {
        ...onOne.peers,
        promises: withPromises((context, promises) =>
          nsPerOperation(context, callsOfFib(N), () => promises.timeFib(N)),
        ),
        effect: withFibers((context, fibers) =>
          nsPerOperation(context, callsOfFib(N_OF_FIBERS), () => fibers.timeFib(N_OF_FIBERS)),
        ),
      },
    },
    [{ beside: "go", atMost: 0.5 }, { atMost: 180 }],
  ),
  inside(fibOn(2), [{ beside: "go", atMost: 0.6 }, { atMost: 110 }]),
];
