import { type GoFunction, start } from "heddle";
import { bytesOf, lengthOf, sendBack } from "../bodies/work.ts";
import type { Case, Context, Goal, Run, Sample } from "../case.ts";
import { latency } from "../measure.ts";
import { bytesOfLength } from "../payloads.ts";
import { loadPiscina, sidesOn } from "../peers/pools.ts";

const KIB = 2 ** 10;
const MIB = 2 ** 20;

const lengths: readonly (readonly [label: string, length: number])[] = [
  ["8B", 8],
  ["1KiB", KIB],
  ["64KiB", 64 * KIB],
  ["1MiB", MIB],
  ["16MiB", 16 * MIB],
];

/** One call at a time from the host, on one P. */
function calling<A extends unknown[], R>(body: GoFunction<A, R>, ...args: A): Run {
  return async (context) => {
    await using runtime = await start({ procs: 1 });
    return await latency(context, "p50", () => runtime.run(body, ...args));
  };
}

function toTheGoroutine([label, length]: readonly [string, number]): Case {
  return {
    name: `payload-in/${label}`,
    section: "payloads",
    scenario: `A Uint8Array of ${label} as the argument of a task that answers with its length, copied, on one P; median in µs.`,
    unit: "µs",
    goals: [],
    short: false,
    run: (context) => calling(lengthOf, bytesOfLength(length))(context),
    peers: sidesOn(["piscina tuned"], (context, pool) =>
      latency(context, "p50", () => pool.run("lengthOf", bytesOfLength(length))),
    ),
  };
}

function fromTheGoroutine([label, length]: readonly [string, number]): Case {
  return {
    name: `payload-out/${label}`,
    section: "payloads",
    scenario: `A Uint8Array of ${label} as the result of a task, copied, on one P; median in µs.`,
    unit: "µs",
    goals: [],
    short: false,
    run: calling(bytesOf, length),
    peers: sidesOn(["piscina tuned"], (context, pool) =>
      latency(context, "p50", () => pool.run("bytesOf", length)),
    ),
  };
}

function thereAndBack(label: string, what: string, value: unknown, goals: readonly Goal[]): Case {
  return {
    name: `payload-round/${label}`,
    section: "payloads",
    scenario: `${what} as argument and result of a task, copied both ways, on one P; median in µs.`,
    unit: "µs",
    goals,
    short: label === "64KiB",
    run: calling(sendBack, value),
    peers: sidesOn(["piscina tuned"], (context, pool) =>
      latency(context, "p50", () => pool.run("echo", value)),
    ),
  };
}

function uncopied([label, length]: readonly [string, number], goals: readonly Goal[]): Case {
  return {
    name: `payload-uncopied/${label}`,
    section: "payloads",
    scenario: `${label} there and back without copying, on one P: a SharedArrayBuffer, which Heddle passes by reference, beside an ArrayBuffer that Piscina moves both ways; median in µs.`,
    unit: "µs",
    goals,
    short: false,
    run: (context) => calling(sendBack, new Uint8Array(new SharedArrayBuffer(length)))(context),
    peers: { "piscina tuned": (context) => moving(context, length) },
  };
}

async function moving(context: Context, length: number): Promise<Sample[]> {
  const { openMovingPiscina } = await loadPiscina();
  await using pool = openMovingPiscina();
  let bytes = new Uint8Array(length);
  return await latency(context, "p50", async () => {
    bytes = await pool.moveThereAndBack(bytes);
  });
}

const smallObject = { id: 17, name: "heddle", tags: ["a", "b"], position: { x: 1.5, y: -2.5 }, done: false };

export const payloads: readonly Case[] = [
  ...lengths.map(toTheGoroutine),
  ...lengths.map(fromTheGoroutine),
  thereAndBack("object", "A small object", smallObject, [{ atMost: 8 }]),
  thereAndBack("string", "A string of 1 KiB", "heddle".repeat(171).slice(0, KIB), [{ atMost: 8 }]),
  thereAndBack("64KiB", "A Uint8Array of 64 KiB", bytesOfLength(64 * KIB), [{ atMost: 25 }]),
  uncopied(["64KiB", 64 * KIB], [{ atMost: 15 }]),
  uncopied(["16MiB", 16 * MIB], []),
];
