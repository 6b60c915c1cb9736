/** Every public function and method with wrong types, huge numbers and hostile objects, on the host and in goroutines. */

import { type SeededRandom, seeded } from "@heddle/testkit";
import * as heddle from "heddle";
import { type Goroutine, goroutine, HeddleError } from "heddle";
import { HostileError, hostileArguments, hostileValue, nameOf } from "../hostile.ts";
import { BrokenInvariant, expectSame, type Scenario, type Stage } from "../scenario.ts";

type Call = (...args: unknown[]) => unknown;

/** Not called: they end the goroutine, start runtimes of their own, or make programs of their arguments. */
const LEFT_OUT = new Set(["goexit", "run", "start", "goroutine", "block", "constructor"]);

/** What the engine says when code that should have checked did not. */
const ENGINE_SAYS =
  /^Cannot (read|set|convert|mix|destructure|perform)|^\S+ is not (a function|iterable|a constructor)|^object is not|^Invalid (array|typed)|^Maximum call stack|^(undefined|null) /;

/** Arguments of the constructors that take some. */
const DOCUMENTED: Readonly<Record<string, number>> = {
  Semaphore: 1,
  Barrier: 1,
  Cond: 1,
  AtomicInt: 1,
  Ticker: 1,
  ErrGroup: 1,
};

/** One thing that can be called. */
interface Target {
  readonly name: string;
  readonly call: Call;
}

/** Everything that the package exports, and every method of an object of each of its classes. */
function targets(): Target[] {
  const functions = Object.entries(heddle)
    .filter(([name, value]) => typeof value === "function" && !isClass(value) && !LEFT_OUT.has(name))
    .map(([name, value]) => ({ name, call: value as Call }));
  const constructors = Object.entries(heddle)
    .filter(([, value]) => isClass(value) && !isErrorClass(value))
    .map(([name, value]) => ({
      name: `new ${name}`,
      // Further ones are between Heddle's own modules.
      call: (...args: unknown[]) =>
        Reflect.construct(value as never, args.slice(0, DOCUMENTED[name] ?? 0)) as unknown,
    }));
  const contexts = Object.entries(heddle.context).map(([name, call]) => ({
    name: `context.${name}`,
    call: call as Call,
  }));
  return [...functions, ...constructors, ...contexts, ...instances().flatMap(methodsOf)];
}

function isClass(value: unknown): boolean {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

function isErrorClass(value: unknown): boolean {
  return (value as { prototype?: unknown }).prototype instanceof Error;
}

const echo = goroutine(import.meta, function echo(value: number): number {
  return value;
});

const asynchronous = ["then", "catch", "finally"];

/** An object of each kind that programs hold, with its public methods. */
function instances(): [name: string, object: object, methods: readonly string[]][] {
  const mutex = new heddle.Mutex();
  const [context] = heddle.context.withCancel(heddle.context.background());
  return [
    ["Mutex", mutex, ["lock", "tryLock", "unlock"]],
    ["RWMutex", new heddle.RWMutex(), ["lock", "unlock", "rlock", "runlock", "tryLock", "tryRLock"]],
    ["Once", new heddle.Once(), ["do"]],
    ["Cond", new heddle.Cond(mutex), ["wait", "signal", "broadcast"]],
    ["Semaphore", new heddle.Semaphore(3), ["acquire", "tryAcquire", "release"]],
    ["Barrier", new heddle.Barrier(2), ["wait"]],
    ["WaitGroup", new heddle.WaitGroup(), ["add", "done", "wait", "go"]],
    ["AtomicInt", new heddle.AtomicInt(), ["load", "store", "add", "swap", "compareAndSwap"]],
    ["ErrGroup", new heddle.ErrGroup(), ["go", "tryGo", "setLimit", "wait"]],
    ["Chan", heddle.chan<unknown>(2), ["send", "trySend", "close", "recv", "recvOk", "tryRecv"]],
    ["Ticker", new heddle.Ticker(1000), ["stop", "reset"]],
    ["Timer", heddle.afterFunc(3_600_000, echo, 1), ["stop", "reset"]],
    ["Context", context, ["done", "err", "cause", "value"]],
    ["Handle", heddle.spawn(echo, 1), ["cancel", ...asynchronous]],
    ["Op", heddle.sleep(1), asynchronous],
  ];
}

function methodsOf([name, object, methods]: [string, object, readonly string[]]): Target[] {
  return methods.flatMap((method) => {
    const call = (object as Record<string, unknown>)[method];
    return typeof call === "function"
      ? [{ name: `${name}.${method}`, call: (call as Call).bind(object) }]
      : [];
  });
}

/** Calls a target with hostile arguments. Returns what it gave, or undefined; throws if the error it threw is not one that a caller can make sense of. */
function attack(random: SeededRandom, { name, call }: Target): unknown {
  const args = hostileArguments(random);
  try {
    const given = call(...args);
    // A rejection that nobody waits for would end the thread, rightly.
    if (given instanceof Promise) given.catch((error: unknown) => judge(`a promise of ${name}`, error));
    return given;
  } catch (error) {
    judge(`${name}(${args.map(nameOf).join(", ")})`, error);
    return undefined;
  }
}

/** Typed errors: Heddle's own, TypeError and RangeError that it words itself, and what a hostile value throws. */
function judge(where: string, error: unknown): void {
  // From another thread it comes as an error of that name.
  if (error instanceof HeddleError || (error instanceof Error && error.name === HostileError.name)) return;
  const worded = error instanceof TypeError || error instanceof RangeError;
  // A revoked proxy cannot be asked anything: what the engine says of it is all there is to say.
  const byProxy =
    error instanceof TypeError &&
    /revoked|'get' on proxy|private member|Symbol value|BigInt/.test(error.message);
  if (byProxy || (worded && !ENGINE_SAYS.test(error.message))) return;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  throw new BrokenInvariant(`${where} threw what tells a caller nothing: ${text}`);
}

/** Throws whatever there is, or gives it as its result. */
const hostileBody = goroutine(import.meta, function hostileBody(seed: number): unknown {
  const random = seeded(seed);
  const value = hostileValue(random);
  if (random.below(2) === 0) throw value;
  return value;
});

async function hostileBodies(stage: Stage): Promise<void> {
  const { runtime } = stage;
  for (let i = stage.often(150); i > 0; i--) {
    await runtime.run(hostileBody, stage.seed()).catch(() => {});
    stage.did(1);
  }
}

/** What a call gave may be an operation. It is waited for, but not for long. */
const waiter = goroutine(import.meta, function* waiter(seed: number, attacks: number): Goroutine<void> {
  const random = seeded(seed);
  const all = targets();
  for (let i = 0; i < attacks; i++) {
    const given = attack(random, random.pick(all));
    if (isOperation(given)) yield* waitBriefly(given, random);
    if (i % 16 === 0) yield* heddle.gosched();
  }
});

function isOperation(value: unknown): value is heddle.Op<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { block?: unknown }).block === "function"
  );
}

function* waitBriefly(operation: heddle.Op<unknown>, random: SeededRandom): Goroutine<void> {
  try {
    if (random.below(2) === 0) yield* operation;
  } catch (error) {
    // Anything else may be what a call threw that the operation was given. This goroutine has been told that it is to end.
    if (error instanceof heddle.CanceledError) throw error;
  }
}

/** While it sleeps, those that wait for ever are no deadlock, whatever timers of theirs have been stopped. */
const sleeper = goroutine(import.meta, function* sleeper(): Goroutine<void> {
  yield* heddle.sleep(3_600_000);
});

async function inGoroutines(stage: Stage): Promise<void> {
  const { runtime } = stage;
  const asleep = runtime.spawn(sleeper);
  const attacks = stage.often(400);
  const attackers = Array.from({ length: stage.many(6) }, () => {
    const handle = runtime.spawn(waiter, stage.seed(), attacks);
    // It waits for something that does not come, sooner or later.
    const timer = setTimeout(() => handle.cancel("long enough"), 100);
    return (
      Promise.resolve(handle)
        // Cancelled; or what a deferred call that was given it threw.
        .catch((error: unknown) => {
          if (error instanceof Error && error.name === "BrokenInvariant") throw error;
        })
        .finally(() => clearTimeout(timer))
    );
  });
  // One that has been told of its cancellation in a promise that it made may wait for ever: closing the runtime ends it.
  await Promise.race([Promise.all(attackers), new Promise((resolve) => setTimeout(resolve, 1500))]);
  asleep.cancel("done");
  stage.did(attacks * attackers.length);
}

async function onHost(stage: Stage): Promise<void> {
  const { runtime, random } = stage;
  const all = runtime.enter(targets);
  for (let i = stage.often(600); i > 0; i--) {
    runtime.enter(() => attack(random, random.pick(all)));
    if (i % 100 === 0) expectSame("what a goroutine gives after attacks", await runtime.run(echo, i), i);
    stage.did(1);
  }
}

export const fuzz: Scenario = {
  name: "fuzz",
  about:
    "every public function and method with wrong types, huge numbers and hostile objects: errors that say what is wrong, and a runtime that lives",
  async play(stage) {
    await onHost(stage);
    await hostileBodies(stage);
    await inGoroutines(stage);
    expectSame("what a goroutine gives after all attacks", await stage.runtime.run(echo, 7), 7);
    // What the attacks have started in earnest.
    await stage.runtime.close({ graceMs: 0 });
  },
};
