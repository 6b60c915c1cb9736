import { start } from "heddle";
import { joinResults, receiveResults } from "../bodies/goroutines.ts";
import type { Case } from "../case.ts";
import { nsPerOperation } from "../measure.ts";

const BATCH = 1000;
const BATCHES = 10;

function resultsThrough(way: "handle" | "channel"): Case {
  const body = way === "handle" ? joinResults : receiveResults;
  const means =
    way === "handle" ? "their handles (in Go memory and a WaitGroup)" : "a channel that has room for all";
  return {
    name: `result/${way}`,
    section: "inside the runtime",
    scenario: `${BATCH} goroutines that answer with a number each, the results taken through ${means}, on one P; ns per goroutine.`,
    unit: "ns",
    goals: [],
    short: false,
    async run(context) {
      await using runtime = await start({ procs: 1 });
      return await nsPerOperation(context, BATCH * BATCHES, () => runtime.run(body, BATCH, BATCHES));
    },
    peers: { go: { go: `result-${way}`, flags: { size: BATCH, procs: 1 } } },
  };
}

export const results: readonly Case[] = [resultsThrough("handle"), resultsThrough("channel")];
