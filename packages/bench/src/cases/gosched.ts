import { start } from "heddle";
import { takeTurns } from "../bodies/goroutines.ts";
import type { Case } from "../case.ts";
import { nsPerOperation } from "../measure.ts";
import { withFibers, withPromises } from "../peers/single-threaded.ts";

/** Switches per call from the host, whatever the number of goroutines. */
const SWITCHES_PER_CALL = 100_000;

function among(goroutines: number): Case {
  const turns = SWITCHES_PER_CALL / goroutines;
  return {
    name: `gosched/${goroutines}`,
    section: "inside the runtime",
    scenario: `${goroutines} goroutines that do nothing but give way to each other, on one P; ns per switch.`,
    unit: "ns",
    goals: [{ beside: "go", atMost: 1 }],
    short: goroutines === 100,
    async run(context) {
      await using runtime = await start({ procs: 1 });
      return await nsPerOperation(context, SWITCHES_PER_CALL, () =>
        runtime.run(takeTurns, goroutines, turns),
      );
    },
    peers: {
      go: { go: "gosched", flags: { size: goroutines, procs: 1 } },
      promises: withPromises((context, promises) =>
        nsPerOperation(context, SWITCHES_PER_CALL, () => promises.takeTurns(goroutines, turns)),
      ),
      effect: withFibers((context, fibers) =>
        nsPerOperation(context, SWITCHES_PER_CALL, () => fibers.takeTurns(goroutines, turns)),
      ),
    },
  };
}

export const gosched: readonly Case[] = [2, 100, 1000].map(among);
