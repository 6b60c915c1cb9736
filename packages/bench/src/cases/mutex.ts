import { start } from "heddle";
import { contend, lockAlone } from "../bodies/locks.ts";
import type { Case } from "../case.ts";
import { nsPerOperation } from "../measure.ts";
import { withFibers } from "../peers/single-threaded.ts";

/** Lockings per call from the host. */
const TIMES = 100_000;

const alone: Case = {
  name: "mutex/alone",
  section: "inside the runtime",
  scenario:
    "One goroutine that locks and unlocks a mutex (Effect: a semaphore of one permit) that nobody else wants, on one P; ns for both.",
  unit: "ns",
  goals: [{ beside: "go", atMost: 3 }],
  short: true,
  async run(context) {
    await using runtime = await start({ procs: 1 });
    return await nsPerOperation(context, TIMES, () => runtime.run(lockAlone, TIMES));
  },
  peers: {
    go: { go: "mutex", flags: { procs: 1 } },
    effect: withFibers((context, fibers) => nsPerOperation(context, TIMES, () => fibers.lockAlone(TIMES))),
  },
};

/** As many lockings in all as in a batch of Go's side. */
const CONTENDED_TIMES = 10_000;

function contended(contenders: number): Case {
  return {
    name: `mutex/${contenders}`,
    section: "inside the runtime",
    scenario: `${contenders} goroutines that lock and unlock one mutex with nothing in between, on two P; ns for both.`,
    unit: "ns",
    goals: [],
    short: false,
    async run(context) {
      await using runtime = await start({ procs: 2 });
      return await nsPerOperation(context, CONTENDED_TIMES, () =>
        runtime.run(contend, contenders, CONTENDED_TIMES),
      );
    },
    peers: { go: { go: "contend", flags: { size: contenders, procs: 2 } } },
  };
}

export const mutex: readonly Case[] = [alone, contended(2), contended(8)];
