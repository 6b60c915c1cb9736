// A word of the memory that all threads share is overwritten: the runtime stops with one error, and the process goes on.

import { CorruptMemoryError, chan, type Runtime } from "heddle";
import { killMachine } from "heddle/testing";
import { describe, expect, test } from "vitest";
import * as bodies from "./fault-bodies.mjs";
import { eventually, rejection, withRuntime } from "./support/runtimes.ts";

/** The host's view of the memory, which no program has. */
interface Inside {
  readonly i32: Int32Array;
  descriptorOf(goroutine: number): number;
}

const insideOf = (runtime: Runtime): Inside => (runtime as unknown as { readonly host: Inside }).host;

/** G_STATUS is the first word of a descriptor. */
const [WAITING, DEAD] = [4, 6];

/** First words of the descriptors of the goroutines that wait. */
function waiting({ i32, descriptorOf }: Inside, host: Inside): number[] {
  return Array.from({ length: 1000 }, (_, goroutine) => descriptorOf.call(host, goroutine + 1)).filter(
    (base) => i32[base] === WAITING,
  );
}

describe("a goroutine in an impossible status", { timeout: 60_000 }, () => {
  test("found by its machine: every pending run is told, with the same error", async () => {
    await withRuntime({ procs: 2 }, (runtime) =>
      runtime.enter(async () => {
        const [homes, goOn] = [chan<number>(4), chan<number>(4)];
        const runs = [1, 2, 3].map(() =>
          rejection(runtime.run(bodies.lives as never, homes as never, goOn as never)),
        );
        for (const _ of runs) await homes.recv();
        await eventually(() => runtime.goroutines().every(({ status }) => status === "waiting"));
        const host = insideOf(runtime);
        for (const base of waiting(host, host)) host.i32[base] = DEAD;
        goOn.trySend(1);
        const errors = await Promise.all(runs);
        for (const error of errors) {
          expect(error).toBeInstanceOf(CorruptMemoryError);
          expect((error as Error).message).toMatch(
            /^the runtime's memory is damaged: goroutine status: dead to runnable is not a legal move \(descriptor at word \d+\)$/,
          );
        }
        expect(new Set(errors).size).toBe(1);
        expect(runtime.closed).toBe(true);
        expect(await rejection(runtime.run(bodies.fib as never, 3 as never))).toBe(errors[0]);
      }),
    );
    // The process goes on, and so do other runtimes.
    await withRuntime({ procs: 2 }, async (runtime) => {
      expect(await runtime.run(bodies.fib as never, 10 as never)).toBe(55);
    });
  });

  test("found by the host: the same", async () => {
    await withRuntime({ procs: 1 }, (runtime) =>
      runtime.enter(async () => {
        const [homes, goOn] = [chan<number>(1), chan<number>()];
        const host = insideOf(runtime);
        const pending = rejection(runtime.run(bodies.lives as never, homes as never, goOn as never));
        await homes.recv();
        await eventually(() => runtime.goroutines().every(({ status }) => status === "waiting"));
        const handle = runtime.spawn(bodies.fib as never, 5 as never);
        await eventually(() => handle.done);
        // It has ended, and its descriptor is to be given back here.
        const { base } = handle as unknown as { readonly base: number };
        host.i32[base] = WAITING;
        const error = await rejection(Promise.resolve().then(() => handle));
        expect(error).toBeInstanceOf(CorruptMemoryError);
        expect(await pending).toBe(error);
        expect(runtime.closed).toBe(true);
      }),
    );
  });
});

test("a slot that names no block, found where its value is taken", { timeout: 60_000 }, async () => {
  await withRuntime({ procs: 1 }, (runtime) =>
    runtime.enter(async () => {
      const [homes, goOn] = [chan<number>(1), chan<string>(1)];
      const pending = rejection(runtime.run(bodies.lives as never, homes as never, goOn as never));
      await homes.recv();
      const values = chan<string>(1);
      values.trySend("a string that is too long for its slot");
      const host = insideOf(runtime);
      const { base } = values as unknown as { readonly base: number };
      // C_BUFFER of the channel's record: there its first value's slot begins.
      host.i32[host.i32[base + 10] as number] = 1;
      expect(() => values.tryRecv()).toThrow(/names unit 1, where no block is in use/);
      const error = await pending;
      expect(error).toBeInstanceOf(CorruptMemoryError);
      expect((error as Error).message).toMatch(
        /^the runtime's memory is damaged: the slot at word \d+ names unit 1/,
      );
      expect(runtime.closed).toBe(true);
    }),
  );
});

test("what a lost thread had left cannot be put right: the same", { timeout: 60_000 }, async () => {
  await withRuntime({ procs: 2 }, (runtime) =>
    runtime.enter(async () => {
      const [homes, goOn] = [chan<number>(4), chan<number>()];
      const runs = [1, 2].map(() =>
        rejection(runtime.run(bodies.lives as never, homes as never, goOn as never)),
      );
      for (const _ of runs) await homes.recv();
      const { repair } = (runtime as unknown as { supervisor: { repair: { machineLost(): void } } })
        .supervisor;
      repair.machineLost = () => {
        throw new Error("no idea what to do");
      };
      for (const machine of [1, 2]) killMachine(runtime, machine);
      for (const error of await Promise.all(runs)) {
        expect(error).toBeInstanceOf(CorruptMemoryError);
        expect((error as Error).message).toMatch(/could not be put right: no idea what to do$/);
      }
      expect(runtime.closed).toBe(true);
    }),
  );
});
