import type { Case } from "../case.ts";
import { channels } from "./channels.ts";
import { fib } from "./fib.ts";
import { gosched } from "./gosched.ts";
import { hostLatency } from "./host-latency.ts";
import { hostThroughput } from "./host-throughput.ts";
import { http } from "./http.ts";
import { idle } from "./idle.ts";
import { mainJob } from "./main-job.ts";
import { mutex } from "./mutex.ts";
import { parked } from "./parked.ts";
import { payloads } from "./payloads.ts";
import { processors } from "./processors.ts";
import { results } from "./results.ts";
import { spawnJoin } from "./spawn-join.ts";
import { startToFirstResult } from "./start.ts";
import { timers } from "./timers.ts";
import { work } from "./work.ts";

/** Every case, in the order of the report. */
export const cases: readonly Case[] = [
  ...spawnJoin,
  ...results,
  ...fib,
  ...gosched,
  ...channels,
  ...mutex,
  ...timers,
  ...parked,
  ...work,
  ...mainJob,
  ...hostThroughput,
  ...hostLatency,
  ...startToFirstResult,
  ...idle,
  ...http,
  ...payloads,
  ...processors,
];

/** The cases whose name is, or starts with, one of the given; without a name the short selection, or all. */
export function selectCases(names: readonly string[], all: boolean): readonly Case[] {
  if (names.length === 0) return all ? cases : cases.filter((one) => one.short);
  const known = (name: string) => cases.some((one) => isNamed(one, name));
  const unknown = names.filter((name) => !known(name));
  if (unknown.length > 0) {
    throw new RangeError(
      `cases: unknown ${unknown.join(", ")}; there are ${cases.map((one) => one.name).join(", ")}`,
    );
  }
  return cases.filter((one) => names.some((name) => isNamed(one, name)));
}

function isNamed(one: Case, name: string): boolean {
  return one.name === name || one.name.startsWith(`${name}/`);
}
