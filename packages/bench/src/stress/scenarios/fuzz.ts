/** Every public function and method with wrong types, huge numbers and hostile objects, on the host and in goroutines. */

import { type SeededRandom, seeded } from "@heddle/testkit";
import * as heddle from "heddle";
import { type Goroutine, goroutine, HeddleError } from "heddle";
import { HostileError, hostileArguments, nameOf } from "../hostile.ts";
import { BrokenInvariant, expectSame, type Scenario, type Stage } from "../scenario.ts";

type Call = (...args: unknown[]) => unknown;

/** Not called: they end the goroutine, start runtimes of their own, or make programs of their arguments. */
const LEFT_OUT = new Set(["goexit", "run", "start", "goroutine", "block", "constructor"]);

/** What the engine says when code that should have checked did not. */
const ENGINE_SAYS =
  /^Cannot (read|set|convert|mix|destructure|perform)|^\S+ is not (a function|iterable|a constructor)|^object is not|^Invalid (array|typed)|^Maximum call stack|^(undefined|null) /;

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
      call: (...args: unknown[]) => Reflect.construct(value as never, args) as unknown,
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

/** An object of each kind that programs hold. */
function instances(): object[] {
  const mutex = new heddle.Mutex();
  const ticker = new heddle.Ticker(1000);
  const timer = heddle.afterFunc(3_600_000, echo, 1);
  const [context] = heddle.context.withCancel(heddle.context.background());
  return [
    mutex,
    ticker,
    timer,
    context,
    new heddle.WaitGroup(),
    new heddle.RWMutex(),
    new heddle.Once(),
    new heddle.Cond(mutex),
    new heddle.Semaphore(3),
    new heddle.Barrier(2),
    new heddle.AtomicInt(),
    new heddle.ErrGroup(),
    heddle.chan<unknown>(2),
    heddle.spawn(echo, 1),
  ];
}

function methodsOf(object: object): Target[] {
  const found: Target[] = [];
  for (
    let level = object;
    level !== Object.prototype && level !== null;
    level = Object.getPrototypeOf(level) as object
  )
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (typeof value !== "function" || LEFT_OUT.has(name)) continue;
      found.push({ name: `${object.constructor.name}.${name}`, call: (value as Call).bind(object) });
    }
  return found;
}

/** Calls a target with hostile arguments. Returns what it gave, or undefined; throws if the error it threw is not one that a caller can make sense of. */
function attack(random: SeededRandom, { name, call }: Target): unknown {
  const args = hostileArguments(random);
  try {
    return call(...args);
  } catch (error) {
    judge(`${name}(${args.map(nameOf).join(", ")})`, error);
    return undefined;
  }
}

/** Typed errors: Heddle's own, TypeError and RangeError that it words itself, and what a hostile value throws. */
function judge(where: string, error: unknown): void {
  if (error instanceof HeddleError || error instanceof HostileError) return;
  const worded = error instanceof TypeError || error instanceof RangeError;
  // A revoked proxy cannot be asked anything: what the engine says of it is all there is to say.
  const byProxy =
    error instanceof TypeError &&
    /revoked|'get' on proxy|private member|Symbol value|BigInt/.test(error.message);
  if (byProxy || (worded && !ENGINE_SAYS.test(error.message))) return;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  throw new BrokenInvariant(`${where} threw what tells a caller nothing: ${text}`);
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
    judge("an operation", error);
    // It is over for this goroutine's context, and it has been told.
    if (error instanceof heddle.CanceledError) throw error;
  }
}

async function inGoroutines(stage: Stage): Promise<void> {
  const { runtime } = stage;
  const attacks = stage.often(400);
  const attackers = Array.from({ length: stage.many(6) }, () => {
    const handle = runtime.spawn(waiter, stage.seed(), attacks);
    // It waits for something that does not come, sooner or later.
    const timer = setTimeout(() => handle.cancel("long enough"), 100);
    return Promise.resolve(handle)
      .catch((error: unknown) => {
        if (!(error instanceof heddle.CanceledError || error instanceof heddle.ClosedChannelError))
          throw error;
      })
      .finally(() => clearTimeout(timer));
  });
  await Promise.all(attackers);
  stage.did(attacks * attackers.length);
}

async function onHost(stage: Stage): Promise<void> {
  const { runtime, random } = stage;
  const all = runtime.enter(targets);
  for (let i = stage.often(600); i > 0; i--) {
    const given = runtime.enter(() => attack(random, random.pick(all)));
    // A rejection that nobody waits for would end the process, rightly.
    if (given instanceof Promise) given.catch((error: unknown) => judge("a promise", error));
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
    await inGoroutines(stage);
    expectSame("what a goroutine gives after all attacks", await stage.runtime.run(echo, 7), 7);
    // What the attacks have started in earnest.
    await stage.runtime.close({ graceMs: 0 });
  },
};
