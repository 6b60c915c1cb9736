import { start } from "heddle";
import { pingPong, selectReady, sendBuffered, sieve } from "../bodies/channels.ts";
import type { Case } from "../case.ts";
import { msPerPass, nsPerOperation } from "../measure.ts";

/** Operations per call from the host, as many as in a batch of Go's side. */
const TIMES = 10_000;
const CAPACITY = 128;
const PRIMES = 1000;

export const channels: readonly Case[] = [
  {
    name: "ping-pong",
    scenario:
      "A value sent to another goroutine and back over two unbuffered channels, on one P; ns per round trip.",
    unit: "ns",
    goals: [{ beside: "go", atMost: 1.5 }],
    short: true,
    async run(context) {
      await using runtime = await start({ procs: 1 });
      return await nsPerOperation(context, TIMES, () => runtime.run(pingPong, TIMES));
    },
    peers: { go: { go: "ping-pong", flags: { procs: 1 } } },
  },
  {
    name: "buffered",
    scenario: `One producer, one consumer, a channel of capacity ${CAPACITY} between them, on one P; ns per message.`,
    unit: "ns",
    goals: [{ beside: "go", atMost: 2 }],
    short: true,
    async run(context) {
      await using runtime = await start({ procs: 1 });
      return await nsPerOperation(context, TIMES, () => runtime.run(sendBuffered, CAPACITY, TIMES));
    },
    peers: { go: { go: "buffered", flags: { size: CAPACITY, procs: 1 } } },
  },
  {
    name: "select",
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
    name: "sieve",
    scenario: `The first ${PRIMES} primes through a chain of a goroutine and an unbuffered channel per prime, on one P; ms.`,
    unit: "ms",
    goals: [{ beside: "go", atMost: 1.5 }],
    short: true,
    async run(context) {
      await using runtime = await start({ procs: 1 });
      return await msPerPass(context, () => runtime.run(sieve, PRIMES));
    },
    peers: { go: { go: "sieve", flags: { size: PRIMES, procs: 1 } } },
  },
];
