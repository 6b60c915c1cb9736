import { type Runtime, start } from "heddle";
import { parkAndWake } from "../bodies/parked.ts";
import type { Case, Context, Sample } from "../case.ts";
import { msPerPass } from "../measure.ts";
import { withFibers, withPromises } from "../peers/single-threaded.ts";

const HUNDRED_THOUSAND = 100_000;
const MILLION = 1_000_000;
/** Enough to load the code and too few to leave memory behind that the measured ones would find. */
const WARM_UP = 100;

async function startFor(goroutines: number): Promise<Runtime> {
  const runtime = await start({ procs: 1, maxGoroutines: goroutines + 1000 });
  await runtime.run(parkAndWake, WARM_UP);
  return runtime;
}

function memory(goroutines: number, label: string): Case {
  return {
    name: `parked/memory-${label}`,
    section: "inside the runtime",
    scenario: `${goroutines} goroutines that wait on one channel, on one P, once in a fresh process; resident memory in bytes per goroutine, Go's after a collection.`,
    unit: "bytes",
    goals: [{ beside: "go", atMost: 0.25 }],
    short: goroutines === HUNDRED_THOUSAND,
    async run() {
      await using runtime = await startFor(goroutines);
      const { residentBytes } = await runtime.run(parkAndWake, goroutines);
      return [{ value: residentBytes / goroutines }];
    },
    peers: {
      go: { go: "parked", flags: { size: goroutines, procs: 1 } },
      ...(goroutines < MILLION && memoryInOneThread(goroutines)),
    },
  };
}

/** A million, which takes seconds, need no less each. */
function memoryInOneThread(count: number): Case["peers"] {
  return {
    promises: withPromises(async (_, { parkedBytes }) => [{ value: (await parkedBytes(count)) / count }]),
    effect: withFibers(async (_, { parkedBytes }) => [{ value: (await parkedBytes(count)) / count }]),
  };
}

const times = {
  park: { key: "parkMs", what: "ms from the first spawn until the last is about to wait", goals: [] },
  wake: {
    key: "wakeMs",
    what: "ms from its close until the last of them has ended",
    goals: [{ atMost: 200 }],
  },
} as const;

function time(way: "park" | "wake", goroutines: number, label: string): Case {
  const { key, what, goals } = times[way];
  return {
    name: `parked/${way}-${label}`,
    section: "inside the runtime",
    scenario: `${goroutines} goroutines that wait on one channel, on one P${goroutines === MILLION ? ", once in a fresh process" : ""}; ${what}.`,
    unit: "ms",
    goals: goroutines === HUNDRED_THOUSAND ? goals : [],
    short: false,
    async run(context) {
      await using runtime = await startFor(goroutines);
      const pass = async () => (await runtime.run(parkAndWake, goroutines))[key];
      return await (goroutines === MILLION ? once(pass) : manyTimes(context, pass));
    },
    peers: { go: { go: way, flags: { size: goroutines, procs: 1 } } },
  };
}

/** A million takes seconds, and what happens to the first million of a program is what one wants to know. */
async function once(pass: () => Promise<number>): Promise<Sample[]> {
  return [{ value: await pass() }];
}

function manyTimes(context: Context, pass: () => Promise<number>): Promise<Sample[]> {
  return msPerPass(context, pass);
}

export const parked: readonly Case[] = [
  memory(HUNDRED_THOUSAND, "100k"),
  time("park", HUNDRED_THOUSAND, "100k"),
  time("wake", HUNDRED_THOUSAND, "100k"),
  memory(MILLION, "1m"),
  time("park", MILLION, "1m"),
  time("wake", MILLION, "1m"),
];
