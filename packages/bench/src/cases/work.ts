import { type Runtime, start } from "heddle";
import { burnAll, burnSteps } from "../bodies/work.ts";
import { burn } from "../burn.ts";
import type { Case, Context, PoolName, Sample } from "../case.ts";
import { compareInTurn } from "../measure.ts";
import type { Pool } from "../peers/pool.ts";
import { loadPiscina, sidesOn } from "../peers/pools.ts";

/**
 * Lists of work on two processors. The same process does the list serially and in parallel in turn, so the
 * figure is a speed-up of its own and needs no other side; the peers say what others reach.
 */

const SKEWED_TASKS = 200;
const SHORT_US = 200;
const LONG_US = 20_000;
/** One task in twenty is long. */
const LONG_EVERY = 20;

type Order = "first" | "last" | "spread";

export function evenList({ stepsPerUs }: Context, tasks: number, us: number): number[] {
  return Array.from({ length: tasks }, () => Math.round(us * stepsPerUs));
}

function skewedList({ stepsPerUs }: Context, order: Order): number[] {
  const long = SKEWED_TASKS / LONG_EVERY;
  const isLong: Record<Order, (index: number) => boolean> = {
    first: (index) => index < long,
    last: (index) => index >= SKEWED_TASKS - long,
    spread: (index) => index % LONG_EVERY === LONG_EVERY / 2,
  };
  return Array.from({ length: SKEWED_TASKS }, (_, i) =>
    Math.round((isLong[order](i) ? LONG_US : SHORT_US) * stepsPerUs),
  );
}

function burnSerially(tasks: readonly number[]): number {
  let last = 0;
  for (const steps of tasks) last = burn(steps);
  return last;
}

function burnInPool(pool: Pool, tasks: readonly number[]): Promise<number[]> {
  return Promise.all(tasks.map((steps) => pool.run<number>("burnSteps", steps)));
}

function burnFromHost(runtime: Runtime, tasks: readonly number[]): Promise<number[]> {
  return Promise.all(tasks.map((steps) => runtime.run(burnSteps, steps)));
}

export async function speedUp(
  context: Context,
  tasks: number[],
  parallel: () => Promise<unknown>,
): Promise<Sample[]> {
  const { serialMs, parallelMs } = await compareInTurn(context, () => burnSerially(tasks), parallel);
  return [{ value: serialMs / parallelMs }];
}

/** Ideal is half of the serial time: two processors that are busy from the first to the last moment. */
async function timesIdeal(
  context: Context,
  tasks: number[],
  parallel: () => Promise<unknown>,
): Promise<Sample[]> {
  const { serialMs, parallelMs } = await compareInTurn(context, () => burnSerially(tasks), parallel);
  return [{ value: parallelMs / (serialMs / 2) }];
}

type EvenList = readonly [label: string, tasks: number, us: number];

/** A tenth or a fifth of a second of work each. */
const evenLists: readonly EvenList[] = [
  ["10us", 10_000, 10],
  ["100us", 2000, 100],
  ["1ms", 100, 1000],
];

function evenFromGoroutine([label, count, us]: EvenList): Case {
  return {
    name: `even-goroutine/${label}`,
    section: "lists of work",
    scenario: `${count} tasks of ${us} µs spawned and joined by a goroutine, on two P; times faster than serially.`,
    unit: "× serial",
    goals: us === 100 ? [{ atLeast: 1.92 }] : [],
    short: us === 100,
    async run(context) {
      const tasks = evenList(context, count, us);
      await using runtime = await start({ procs: 2 });
      return await speedUp(context, tasks, () => runtime.run(burnAll, tasks));
    },
    peers: { go: { go: "even", flags: { size: count, us, procs: 2 } } },
  };
}

/** What has a queue and shares it out to its threads; for one list of the three, because a list takes seconds. */
function poolsFor(us: number): readonly PoolName[] {
  return us === 100 ? ["piscina", "tinypool", "workerpool", "poolifier"] : [];
}

function evenFromHost([label, count, us]: EvenList): Case {
  return {
    name: `even-host/${label}`,
    section: "lists of work",
    scenario: `${count} tasks of ${us} µs submitted by the host at once, a promise each, on two P; times faster than serially.`,
    unit: "× serial",
    goals: us === 100 ? [{ atLeast: 1.92 }] : [],
    short: false,
    async run(context) {
      const tasks = evenList(context, count, us);
      await using runtime = await start({ procs: 2 });
      return await speedUp(context, tasks, () => burnFromHost(runtime, tasks));
    },
    peers: {
      ...sidesOn(poolsFor(us), (context, pool) => evenInPool(context, pool, count, us)),
      async "piscina tuned"(context) {
        const { forWork, openPiscina } = await loadPiscina();
        await using pool = openPiscina({ ...forWork, concurrentTasksPerWorker: 8 });
        return await evenInPool(context, pool, count, us);
      },
    },
  };
}

async function evenInPool(context: Context, pool: Pool, count: number, us: number): Promise<Sample[]> {
  const tasks = evenList(context, count, us);
  return await speedUp(context, tasks, () => burnInPool(pool, tasks));
}

function skewed(order: Order): Case {
  const where = {
    first: "the long ones first",
    last: "the long ones last",
    spread: "the long ones spread evenly",
  }[order];
  return {
    name: `skewed/${order}`,
    section: "lists of work",
    scenario: `${SKEWED_TASKS} tasks, one in ${LONG_EVERY} of ${LONG_US / 1000} ms and the others of ${SHORT_US / 1000} ms, ${where}, spawned and joined by a goroutine, on two P; times the ideal.`,
    unit: "× ideal",
    goals: [{ atMost: 1.05 }],
    short: order === "spread",
    async run(context) {
      const tasks = skewedList(context, order);
      await using runtime = await start({ procs: 2 });
      return await timesIdeal(context, tasks, () => runtime.run(burnAll, tasks));
    },
    peers: {
      go: { go: "skewed", flags: { size: SKEWED_TASKS, procs: 2, order } },
      ...sidesOn(["piscina tuned"], async (context, pool) => {
        const tasks = skewedList(context, order);
        return await timesIdeal(context, tasks, () => burnInPool(pool, tasks));
      }),
    },
  };
}

export const work: readonly Case[] = [
  ...evenLists.map(evenFromGoroutine),
  ...evenLists.map(evenFromHost),
  skewed("first"),
  skewed("last"),
  skewed("spread"),
];
