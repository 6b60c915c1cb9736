/**
 * An HTTP server whose handlers await, then compute: what async bodies and the goroutines they start make of the same processors.
 *
 * The server is an async body, so it lives on a machine's event loop, as do the awaits of its handlers. The clients are this process's main thread: a few, each of which thinks for a while after an answer, so that
 * a server that is slow is asked less.
 */

import { Agent, createServer, get, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pass } from "node:timers/promises";
import { type Chan, chan, checkpoint, type Goroutine, goroutine, spawn, start } from "heddle";
import { quantile } from "simple-statistics";
import { burn } from "../burn.ts";
import type { Case, Context, Sample } from "../case.ts";

/** What a handler waits for, as for a database. */
const AWAIT_MS = 5;
/** Goroutines of a handler, and what each computes. */
const PARTS = 4;
const PART_US = 250;
const CLIENTS = 8;
/** Between an answer and the client's next request. */
const THINK_MS = 20;
/** A p99 needs hundreds of requests. */
const LEAST_MS = 3000;
/** Sent, and not counted, before. */
const WARM_UP_MS = 500;
/** What the computing goroutines do between two checkpoints. */
const BETWEEN_CHECKPOINTS_US = 50;

/** What a server saw of itself. */
interface Served {
  readonly loopP99Ms: number;
}

/** What a run found. */
interface Observed extends Served {
  readonly requestP99Ms: number;
  /** What the goroutines in the background computed, in cores. */
  readonly background: number;
}

const computes = goroutine(import.meta, function computes(steps: number): number {
  return burn(steps);
});

/** Computes until told to stop; gives way when asked. Counts what it has done. */
const computesForEver = goroutine(
  import.meta,
  function* computesForEver(words: Int32Array, steps: number): Goroutine<void> {
    while (Atomics.load(words, 0) === 0) {
      burn(steps);
      Atomics.add(words, 1, 1);
      yield* checkpoint();
    }
  },
);

/** Serves until told to stop. Says at which port. */
const serves = goroutine(
  import.meta,
  async function serves(ports: Chan<number>, stop: Chan<number>, partSteps: number): Promise<Served> {
    const server = await listen((_request, response) => {
      const handle = async (): Promise<void> => {
        await pass(AWAIT_MS);
        const parts = Array.from({ length: PARTS }, () => spawn(computes, partSteps));
        for (const part of parts) await part;
        response.end("done");
      };
      handle().catch((error: unknown) => response.destroy(error as Error));
    });
    const delay = watchLoop();
    await ports.send(portOf(server));
    await stop.recv();
    await shut(server);
    return { loopP99Ms: p99Of(delay) };
  },
);

function listen(handler: RequestListener): Promise<Server> {
  const server = createServer(handler);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function shut(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

/** Milliseconds of the timer by which a delay is noticed. */
const RESOLUTION_MS = 1;

function watchLoop(): IntervalHistogram {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  return delay;
}

/** By how much the event loop was late. */
function p99Of(delay: IntervalHistogram): number {
  delay.disable();
  return Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS);
}

/** The p99 of what requests take, in milliseconds. */
async function request(context: Context, port: number): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const warm = performance.now() + WARM_UP_MS;
  const end = warm + Math.max(context.budgetMs, LEAST_MS);
  const durations: number[] = [];
  const client = async (): Promise<void> => {
    for (let began = performance.now(); began < end; began = performance.now()) {
      await requestOnce(agent, port);
      if (began >= warm) durations.push(performance.now() - began);
      await pass(THINK_MS);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  agent.destroy();
  return quantile(durations, 0.99);
}

function requestOnce(agent: Agent, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ agent, port, host: "127.0.0.1" }, (response) => {
      response.on("error", reject).on("end", resolve).resume();
    }).on("error", reject);
  });
}

/** Heddle's server on two P, alone or with two goroutines in the background that would compute all the time. */
async function onHeddle(context: Context, inBackground: number): Promise<Observed> {
  await using runtime = await start({ procs: 2 });
  const [ports, stop] = runtime.enter(() => [chan<number>(), chan<number>()]);
  const served = runtime.run(serves, ports, stop, PART_US * context.stepsPerUs);
  const port = (await ports.recv()) as number;
  const words = new Int32Array(new SharedArrayBuffer(8));
  const background = Array.from({ length: inBackground }, () =>
    runtime.run(computesForEver, words, BETWEEN_CHECKPOINTS_US * context.stepsPerUs),
  );
  const began = performance.now();
  const requestP99Ms = await request(context, port);
  const computedUs = Atomics.load(words, 1) * BETWEEN_CHECKPOINTS_US;
  const elapsedUs = (performance.now() - began) * 1000;
  Atomics.store(words, 0, 1);
  await Promise.all(background);
  stop.close();
  return { ...(await served), requestP99Ms, background: computedUs / elapsedUs };
}

/** The same server on this thread, which computes in its handlers. */
async function onPromises(context: Context): Promise<Observed> {
  const server = await listen((_request, response) => {
    const handle = async (): Promise<void> => {
      await pass(AWAIT_MS);
      for (let part = 0; part < PARTS; part++) burn(PART_US * context.stepsPerUs);
      response.end("done");
    };
    handle().catch((error: unknown) => response.destroy(error as Error));
  });
  const delay = watchLoop();
  const requestP99Ms = await request(context, portOf(server));
  await shut(server);
  return { loopP99Ms: p99Of(delay), requestP99Ms, background: 0 };
}

const SETTING = `An HTTP server on loopback, in an async body on two P, asked by ${CLIENTS} clients that each think for ${THINK_MS} ms after an answer; its handlers await ${AWAIT_MS} ms and then spawn ${PARTS} goroutines of ${PART_US} µs`;
const BUSY = `${SETTING}, while two more goroutines compute all the time with a checkpoint every ${BETWEEN_CHECKPOINTS_US} µs`;

const sample = (value: number): Sample[] => [{ value }];

export const http: readonly Case[] = [
  {
    name: "http/request",
    section: "from the host",
    scenario: `${SETTING}; p99 of a request in ms.`,
    unit: "ms",
    goals: [],
    short: false,
    run: async (context) => sample((await onHeddle(context, 0)).requestP99Ms),
    peers: { promises: async (context) => sample((await onPromises(context)).requestP99Ms) },
  },
  {
    name: "http/event-loop",
    section: "from the host",
    scenario: `${SETTING}; p99 of the delay of the server's event loop in ms.`,
    unit: "ms",
    goals: [],
    short: false,
    run: async (context) => sample((await onHeddle(context, 0)).loopP99Ms),
    peers: { promises: async (context) => sample((await onPromises(context)).loopP99Ms) },
  },
  {
    name: "http/request-busy",
    section: "from the host",
    scenario: `${BUSY}; p99 of a request in ms.`,
    unit: "ms",
    goals: [],
    short: false,
    run: async (context) => sample((await onHeddle(context, 2)).requestP99Ms),
    peers: {},
  },
  {
    name: "http/event-loop-busy",
    section: "from the host",
    scenario: `${BUSY}; p99 of the delay of the server's event loop in ms.`,
    unit: "ms",
    goals: [],
    short: false,
    run: async (context) => sample((await onHeddle(context, 2)).loopP99Ms),
    peers: {},
  },
  {
    name: "http/computing-busy",
    section: "from the host",
    scenario: `${BUSY}; what those two get done, in % of what one core alone would.`,
    unit: "% of a core",
    goals: [],
    short: false,
    run: async (context) => sample(100 * (await onHeddle(context, 2)).background),
    peers: {},
  },
];
