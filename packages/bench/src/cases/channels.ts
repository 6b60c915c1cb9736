import { start } from "heddle";
import {
  pingPong,
  produceAndConsume,
  selectFromProducers,
  selectReady,
  shareChannel,
  sieve,
} from "../bodies/channels.ts";
import type { Case, Goal } from "../case.ts";
import { msPerPass, nsPerOperation } from "../measure.ts";
import { withFibers, withPromises } from "../peers/single-threaded.ts";

/** Operations per call from the host, as many as in a batch of Go's side. */
const TIMES = 10_000;
const CAPACITY = 128;
const PRIMES = 1000;

const pingPongCase: Case = {
  name: "ping-pong",
  section: "inside the runtime",
  scenario:
    "A value sent to another goroutine and back over two unbuffered channels (Effect: queues of capacity 1), on one P; ns per round trip.",
  unit: "ns",
  goals: [{ beside: "go", atMost: 1.5 }, { atMost: 200 }],
  short: true,
  async run(context) {
    await using runtime = await start({ procs: 1 });
    return await nsPerOperation(context, TIMES, () => runtime.run(pingPong, TIMES));
  },
  peers: {
    go: { go: "ping-pong", flags: { procs: 1 } },
    promises: withPromises((context, { pingPong }) => nsPerOperation(context, TIMES, () => pingPong(TIMES))),
    effect: withFibers((context, { pingPong }) => nsPerOperation(context, TIMES, () => pingPong(TIMES))),
  },
};

function producerAndConsumer(capacity: number, goals: readonly Goal[]): Case {
  const channel =
    capacity === 0
      ? "an unbuffered channel (Effect: a queue of capacity 1)"
      : `a channel of capacity ${capacity}`;
  return {
    name: `producer-consumer/${capacity}`,
    section: "inside the runtime",
    scenario: `One producer, one consumer, ${channel} between them, on one P; ns per message.`,
    unit: "ns",
    goals,
    short: capacity > 0,
    async run(context) {
      await using runtime = await start({ procs: 1 });
      return await nsPerOperation(context, TIMES, () => runtime.run(produceAndConsume, capacity, TIMES));
    },
    peers: {
      go: { go: "buffered", flags: { size: capacity, procs: 1 } },
      promises: withPromises((context, promises) =>
        nsPerOperation(context, TIMES, () => promises.produceAndConsume(capacity, TIMES)),
      ),
      effect: withFibers((context, fibers) =>
        nsPerOperation(context, TIMES, () => fibers.produceAndConsume(Math.max(1, capacity), TIMES)),
      ),
    },
  };
}

function fourByFour(procs: number): Case {
  return {
    name: `four-by-four/${procs}p`,
    section: "inside the runtime",
    scenario: `Four producers and four consumers on one channel of capacity ${CAPACITY}, on ${procs} P; ns per message.`,
    unit: "ns",
    goals: [],
    short: false,
    async run(context) {
      await using runtime = await start({ procs });
      return await nsPerOperation(context, TIMES, () => runtime.run(shareChannel, CAPACITY, TIMES));
    },
    peers: { go: { go: "four-by-four", flags: { size: CAPACITY, procs } } },
  };
}

const selects: readonly Case[] = [
  {
    name: "select/ready",
    section: "inside the runtime",
    scenario:
      "A select over receives from four channels that all have a value, which is put back, on one P; ns for both.",
    unit: "ns",
    goals: [{ beside: "go", atMost: 2 }],
    short: true,
    async run(context) {
      await using runtime = await start({ procs: 1 });
      return await nsPerOperation(context, TIMES, () => runtime.run(selectReady, TIMES));
    },
    peers: { go: { go: "select", flags: { procs: 1 } } },
  },
  {
    name: "select/producers",
    section: "inside the runtime",
    scenario:
      "A select over receives from four unbuffered channels with a producer each, on one P; ns per message.",
    unit: "ns",
    goals: [],
    short: false,
    async run(context) {
      await using runtime = await start({ procs: 1 });
      return await nsPerOperation(context, TIMES, () => runtime.run(selectFromProducers, TIMES));
    },
    peers: { go: { go: "select-from", flags: { procs: 1 } } },
  },
];

const sieveCase: Case = {
  name: "sieve",
  section: "inside the runtime",
  scenario: `The first ${PRIMES} primes through a chain of a goroutine and an unbuffered channel per prime, on one P; ms.`,
  unit: "ms",
  goals: [{ beside: "go", atMost: 1.5 }],
  short: false,
  async run(context) {
    await using runtime = await start({ procs: 1 });
    return await msPerPass(context, () => runtime.run(sieve, PRIMES));
  },
  peers: { go: { go: "sieve", flags: { size: PRIMES, procs: 1 } } },
};

export const channels: readonly Case[] = [
  pingPongCase,
  producerAndConsumer(0, []),
  producerAndConsumer(CAPACITY, [{ beside: "go", atMost: 2 }, { atMost: 50 }]),
  fourByFour(1),
  fourByFour(2),
  ...selects,
  sieveCase,
];
