/** A runtime of one machine and a host in one thread, without worker threads: what the scheduler does, step by step and repeatably. */

import { makeMachine } from "../../src/chaos/chaotic-machine.ts";
import { registerKinds } from "../../src/context/kinds.ts";
import { type Body, declareBody } from "../../src/goroutine/functions.ts";
import { SharedMemory } from "../../src/memory/shared-memory.ts";
import type { Frame } from "../../src/scheduler/frames/frame.ts";
import type { Machine } from "../../src/scheduler/machine/machine.ts";
import { LEAVE_EVENTS } from "../../src/scheduler/machine/processor-holding.ts";
import { becomeMachine } from "../../src/scheduler/thread/ambient.ts";
import { type Holdings, holdingsIn, reserveHoldings } from "../../src/scheduler/thread/holdings.ts";
import { HostThread } from "../../src/scheduler/thread/host.ts";
import { threadParts } from "../../src/scheduler/thread/thread-parts.ts";
import { loopText } from "../../src/values/text.ts";

let bodies = 0;

/** Declares a body under a name of its own. */
export function body<F>(f: F): F {
  return declareBody({ url: "test:bodies" }, f as Body, `body${++bodies}`) as F;
}

export interface SingleMachine {
  readonly memory: SharedMemory;
  readonly machine: Machine;
  readonly host: HostThread;
  /** What the machine's objects hold: for its repair. */
  readonly holdings: Holdings;
  /** What left `go` bodies unrecovered. */
  readonly panics: unknown[];
  /** Runs a body to its end. Throws if the machine has nothing to do and the body has not ended. */
  run<A extends unknown[]>(body: (...args: A) => unknown, ...args: A): Promise<unknown>;
  /** Lets the machine run until it has nothing to do. */
  settle(): Promise<void>;
}

/** Turns of the microtask queue without progress after which a machine is taken to be at its end. */
const IDLE_TURNS = 20;

export interface SingleMachineOptions {
  readonly maxGoroutines?: number;
  readonly maxObjects?: number;
  readonly ringSize?: number;
  readonly chaosSeed?: number;
  /** With more than the one that the machine holds its queue is kept so that others might steal from it. */
  readonly procs?: number;
  readonly clock?: () => number;
  /** Loads the module of a body that was never declared here. */
  readonly load?: (url: string) => Promise<object>;
}

export function singleMachine(options: SingleMachineOptions = {}): SingleMachine {
  const memory = SharedMemory.create({
    procs: options.procs ?? 1,
    maxMachines: options.procs ?? 1,
    maxGoroutines: options.maxGoroutines ?? 10_000,
    maxObjects: options.maxObjects ?? 10_000,
    slabBytes: 2 ** 26,
    timeSliceMs: 10,
    ...(options.ringSize === undefined ? {} : { ringSize: options.ringSize }),
    ...(options.chaosSeed === undefined ? {} : { chaosSeed: options.chaosSeed }),
  });
  const written = reserveHoldings(memory);
  const parts = (number: number) =>
    threadParts({
      ...(number === 1 ? { holdings: written } : {}),
      memory,
      number,
      text: loopText,
      clock: options.clock ?? (() => performance.now()),
    });
  const host = new HostThread(parts(0), {
    keepAlive: () => {},
    expectResults: () => {},
    rejectWithSite: (resolve, error) => resolve(Promise.reject(error)),
  });
  const panics: unknown[] = [];
  let entered: Frame | undefined;
  const machine = makeMachine(parts(1), {
    eventsPending: () => true,
    requestRun: () => {},
    runMicrotasks: () => false,
    load: options.load ?? ((url) => Promise.reject(new Error(`there is no module ${url} in this test`))),
    enterAsync: (frame, start) => {
      entered = frame;
      return start();
    },
    asyncFrame: () => entered,
    panic: (_goroutine, error) => panics.push(error),
  });
  registerKinds(host);
  registerKinds(machine);
  becomeMachine(machine);

  const turn = async (): Promise<boolean> => {
    const why = machine.run();
    const came = host.drain();
    await Promise.resolve();
    return came || why !== LEAVE_EVENTS;
  };
  const settle = async (): Promise<void> => {
    for (let idle = 0; idle < IDLE_TURNS; idle++) if (await turn()) idle = 0;
  };
  const run = async (f: (...args: never[]) => unknown, ...args: unknown[]): Promise<unknown> => {
    let ended = false;
    const outcome = host.run(f as Body, args);
    outcome.then(
      () => {
        ended = true;
      },
      () => {
        ended = true;
      },
    );
    for (let idle = 0; !ended; idle++) {
      if (await turn()) idle = 0;
      if (idle > IDLE_TURNS) throw new Error("nothing is left to do, and the body has not ended");
    }
    return outcome;
  };
  const holdings = holdingsIn(memory, written);
  return { memory, machine, host, holdings, panics, run: run as SingleMachine["run"], settle };
}
