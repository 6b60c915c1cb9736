import {
  CanceledError,
  chan,
  FunctionError,
  MachineLostError,
  MisuseError,
  Mutex,
  Once,
  PanicError,
  type Runtime,
  sleep,
  start,
} from "heddle";
import { describe, expect, test, vi } from "vitest";
import * as bodies from "./fixtures/failing-bodies.mjs";
import * as hostSide from "./fixtures/host-side.mjs";
import { addPlain } from "./fixtures/kinds-of-bodies.mjs";
import { PROCS, rejection, thrownBy, withRuntime } from "./support/runtimes.ts";

type Fails = (name: string) => unknown;

/** What must arrive of an error: class for built-in ones, name, message, code, cause and other properties of its own. */
function expectSameError(arrived: unknown, name: string): void {
  const original = bodies.errorNamed(name as never) as unknown;
  if (!(original instanceof Error)) {
    expect(arrived).toEqual(original);
    return;
  }
  expect(arrived).toBeInstanceOf(Error);
  const error = arrived as Error & Record<string, unknown>;
  expect(Object.prototype.toString.call(error)).toBe("[object Error]");
  expect(error.message).toBe(original.message);
  expect(error.name).toBe(original.name);
  expect(Object.getPrototypeOf(error)).toBe(builtInPrototype(original));
  expect(error.cause).toEqual(original.cause);
  const own = Object.entries(original).filter(([key]) => key !== "name");
  for (const [key, value] of own) expect([key, error[key]]).toEqual([key, value]);
  if (original instanceof AggregateError) expect((arrived as AggregateError).errors).toEqual(original.errors);
}

function builtInPrototype(error: Error): object {
  const builtIn = [TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError, AggregateError];
  return (builtIn.find((errorClass) => error instanceof errorClass) ?? Error).prototype;
}

/** These cannot be sent as they are. */
const REDUCED = ["withFunction", "hostile", "symbol"];
const sent = bodies.errorNames.filter((name) => !REDUCED.includes(name));

describe.each(PROCS)("on %i processors", (procs) => {
  test("what a body throws arrives at the host, from every kind of body", async () => {
    await withRuntime({ procs }, async (runtime) => {
      for (const body of [bodies.throwsPlain, bodies.throwsGenerator, bodies.throwsAsync]) {
        for (const name of sent) expectSameError(await rejection(runtime.run(body as Fails, name)), name);
      }
    });
  });

  test("and at a goroutine that joins it, in every form", async () => {
    await withRuntime({ procs }, async (runtime) => {
      for (const body of [bodies.catches, bodies.catchesAwaiting, bodies.catchesBlocking]) {
        for (const name of sent) {
          const { caught, error } = (await runtime.run(body as Fails, name)) as {
            caught: boolean;
            error: unknown;
          };
          expect(caught).toBe(true);
          expectSameError(error, name);
        }
      }
    });
  });

  test("a failed handle fails each time it is joined, with the same error on one thread", async () => {
    await withRuntime({ procs }, async (runtime) => {
      const handle = runtime.spawn(bodies.throwsPlain, "custom");
      const first = await rejection(handle);
      expect(await rejection(handle)).toBe(first);
      expect(handle.done).toBe(true);
    });
  });
});

test("an error that cannot be sent arrives with what can: name, message, stack", async () => {
  await withRuntime({ procs: 1 }, async (runtime) => {
    for (const name of ["withFunction", "hostile"]) {
      const error = (await rejection(runtime.run(bodies.throwsPlain, name))) as Error;
      const original = bodies.errorNamed(name as never) as Error;
      expect([error.name, error.message]).toEqual([original.name, original.message]);
      expect(error.stack).toContain("throwsPlain");
    }
    const symbol = (await rejection(runtime.run(bodies.throwsPlain, "symbol"))) as Error;
    expect(symbol.message).toContain("symbol");
  });
});

describe("stacks", () => {
  const awaiting = Object.values(hostSide);
  const cases = [bodies.outermost, bodies.outermostAsync].flatMap((body) =>
    awaiting.map((awaits) => [body.name, awaits.name, awaits, body] as const),
  );

  test.each(cases)(
    "of %s, for %s: the body's frames, then those of the host",
    async (name, host, awaits, body) => {
      await withRuntime({ procs: 1 }, async (runtime) => {
        const { stack = "" } = (await rejection(awaits(runtime, body))) as Error;
        const lines = stack.split("\n");
        const at = (text: string): number => lines.findIndex((line) => line.includes(text));
        expect(lines[0]).toBe("Error: deep inside");
        expect(at("innermost")).toBe(1);
        expect(at("failing-bodies.mjs")).toBe(1);
        expect(at(name)).toBeGreaterThan(at("innermost"));
        expect(at("spawned from the host")).toBeGreaterThan(at(name));
        expect(at(host)).toBe(at("spawned from the host") + 1);
        // Neither the scheduler's frames, nor the engine's, nor the pool's in between.
        expect(stack).not.toMatch(
          /scheduler\/machine|machine-loop|machine-main|microtasks|piscina|node:internal/,
        );
      });
    },
  );

  test("tell once where a handle was awaited, however often it is", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      const handle = runtime.spawn(bodies.outermost);
      await rejection(handle);
      await rejection(handle);
      const { stack = "" } = (await rejection(handle)) as Error;
      expect(stack.match(/spawned from the host/g)).toHaveLength(1);
    });
  });

  test("of what a generator throws: the generators that it was called through are there", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      const { stack = "" } = (await rejection(runtime.run(bodies.outermost))) as Error;
      expect(stack).toMatch(/innermost[^]*inTheMiddle[^]*outermost/);
    });
  });
});

describe("misuse is refused where it happens", () => {
  test("a body that yields a value of its own, or forgets the star", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      for (const failing of [
        runtime.run(bodies.yieldsValue, 1),
        runtime.run(bodies.forgetsStar as () => unknown),
      ]) {
        const error = await rejection(failing);
        expect(error).toBeInstanceOf(FunctionError);
        expect((error as Error).message).toContain("yield*");
      }
      expect(await runtime.run(bodies.catchesAndGoesOn)).toBe(2);
    });
  });

  test("an operation used twice; yield* outside a generator body; a negative counter", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      const twice = await rejection(runtime.run(bodies.usesTwice));
      expect(twice).toBeInstanceOf(MisuseError);
      expect((twice as Error).message).toMatch(/used once/);
      const inAsync = await rejection(runtime.run(bodies.yieldsInAsync));
      expect(inAsync).toBeInstanceOf(MisuseError);
      const negative = await rejection(runtime.run(bodies.negative));
      expect((negative as Error).message).toBe("sync: negative WaitGroup counter");
    });
  });

  test("yield* and block() on the host thread", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      const handle = runtime.spawn(bodies.parksForEver);
      expect(thrownBy(() => handle.block())).toBeInstanceOf(MisuseError);
      expect(thrownBy(() => handle[Symbol.iterator]().next())).toBeInstanceOf(MisuseError);
    });
  });

  test("block() on the host thread, also where it would not have to wait", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      const [ch, mutex, once] = runtime.enter(() => [chan<number>(1), new Mutex(), new Once()]);
      const ended = runtime.spawn(addPlain, 1, 2);
      await ended;
      await ch.send(1);
      const ready = [ch.recv(), mutex.lock(), once.do(() => {}), ended, runtime.enter(() => sleep(0))];
      for (const operation of ready) expect(thrownBy(() => operation.block())).toBeInstanceOf(MisuseError);
      expect([ch.length, mutex.tryLock()]).toEqual([1, true]);
    });
  });

  test("an operation iterated over in a call that the host makes", async () => {
    await withRuntime({ procs: 1 }, async (runtime) => {
      for (const left of [true, false]) {
        const [once, ch] = runtime.enter(() => [new Once(), chan<number>()]);
        const call = once.do(function* () {
          for (const _ of ch.recv() as Iterable<unknown>) if (left) break;
          yield* ch.recv();
        });
        expect(await rejection(call)).toBeInstanceOf(MisuseError);
      }
      expect(await runtime.run(addPlain, 1, 2)).toBe(3);
    });
  });
});

/** What the runtime writes to stderr when it ends. */
function quietly<T>(use: () => Promise<T>): Promise<{ result: T; written: string }> {
  let written = "";
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written += String(text);
    return true;
  });
  return use()
    .then((result) => ({ result, written }))
    .finally(() => spy.mockRestore());
}

describe("an error that leaves a go body ends the runtime", () => {
  test("every pending run is rejected with it, and nothing can be started any more", async () => {
    const { written } = await quietly(async () => {
      const runtime = await start({ procs: 2 });
      const pending = [
        rejection(runtime.run(bodies.parksForEver)),
        rejection(runtime.run(bodies.startsPanic, "oh no")),
      ];
      for (const error of await Promise.all(pending)) {
        expect(error).toBeInstanceOf(PanicError);
        expect((error as Error).cause).toBeInstanceOf(TypeError);
        expect(((error as Error).cause as Error).message).toBe("oh no");
      }
      expect(runtime.closed).toBe(true);
      expect(await rejection(runtime.run(addPlain, 1))).toBeInstanceOf(PanicError);
      expect(thrownBy(() => runtime.go(addPlain, 1))).toBeInstanceOf(PanicError);
      await runtime.close();
    });
    expect(written).toMatch(/^panic: TypeError: oh no/);
  });

  test("started by the host, too", async () => {
    await quietly(async () => {
      const runtime = await start({ procs: 1 });
      const pending = rejection(runtime.run(bodies.parksForEver));
      runtime.go(bodies.panics, "from the host");
      expect(await pending).toBeInstanceOf(PanicError);
      await runtime.close();
    });
  });

  test("also one that throws whenever it is read", async () => {
    await quietly(async () => {
      for (const body of [bodies.panicsUnreadably, bodies.panicsWithRevokedProxy]) {
        const runtime = await start({ procs: 1 });
        const pending = rejection(runtime.run(bodies.parksForEver));
        runtime.go(body);
        expect(await pending).toBeInstanceOf(PanicError);
        await runtime.close();
      }
    });
  });
});

describe("a thread that ends takes nobody along into waiting for ever", () => {
  const endings: [string, (runtime: Runtime) => Promise<unknown>][] = [
    ["process.exit in a body", (runtime) => runtime.run(bodies.exits, 0)],
    ["process.exit in a body, with a status", (runtime) => runtime.run(bodies.exits, 3)],
    ["process.exit later, in an async body", (runtime) => runtime.run(bodies.exitsLater, 0)],
    ["an error from a timer", (runtime) => runtime.run(bodies.throwsFromTimer)],
    ["a rejection that nobody handles", (runtime) => runtime.run(bodies.rejectsUnseen)],
  ];

  test.each(endings)("%s", async (_name, ending) => {
    const runtime = await start({ procs: 2 });
    const parked = rejection(runtime.run(bodies.parksForEver));
    expect(await rejection(ending(runtime))).toBeInstanceOf(MachineLostError);
    expect(await runtime.run(addPlain, 1, 2)).toBe(3);
    await runtime.close({ graceMs: 0 });
    // It lived on the thread that ended, or on another.
    const left = await parked;
    expect(left instanceof MachineLostError || left instanceof CanceledError).toBe(true);
  });

  test("the error says why", async () => {
    const runtime = await start({ procs: 1 });
    const error = (await rejection(runtime.run(bodies.throwsFromTimer))) as Error;
    expect(error.message).toContain("from a timer");
    await runtime.close();
  });
});
