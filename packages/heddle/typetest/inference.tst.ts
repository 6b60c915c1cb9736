// What a program need not write down, because it is inferred; and what is refused before it runs.

import {
  AtomicInt,
  after,
  afterFunc,
  type Barrier,
  type Chan,
  type ChanOp,
  Cond,
  type Context,
  chan,
  context,
  defer,
  ErrGroup,
  type Goroutine,
  go,
  goroutine,
  type Handle,
  Mutex,
  type Once,
  type Op,
  type Received,
  type RecvChan,
  type Runtime,
  type RWMutex,
  range,
  run,
  Semaphore,
  type SendChan,
  select,
  spawn,
  spawnWith,
  start,
  Ticker,
  tasks,
  trySelect,
  WaitGroup,
} from "heddle";
import { describe, expect, test } from "tstyche";

declare function generatorBody(n: number, label?: string): Goroutine<string>;
declare function asyncBody(path: string): Promise<Uint8Array>;
declare function plainBody(a: number, b: number): boolean;
declare const numbers: Chan<number>;
declare const texts: Chan<string>;

describe("bodies", () => {
  test("a declared body keeps its own type", () => {
    expect(goroutine(import.meta, generatorBody)).type.toBe<typeof generatorBody>();
    expect(goroutine(import.meta, plainBody, "sum")).type.toBe<typeof plainBody>();
  });

  test("a body of the wrong kind is refused", () => {
    expect(goroutine).type.not.toBeCallableWith(import.meta, 5);
    expect(goroutine).type.not.toBeCallableWith("file:///work.js", generatorBody);
  });

  test("yield* gives what the operation gives", () => {
    function* body(): Goroutine<number> {
      expect(yield* numbers.recv()).type.toBe<number | undefined>();
      expect(yield* numbers.recvOk()).type.toBe<Received<number>>();
      expect(yield* numbers.send(1)).type.toBe<void>();
      expect(yield* spawn(asyncBody, "a")).type.toBe<Uint8Array>();
      return yield* spawn(() => 1);
    }
    expect(body).type.toBeAssignableTo<() => Goroutine<number>>();
  });

  test("a body that yields values of its own is none", () => {
    function* numbersOfMine(): Generator<number, string, unknown> {
      yield 1;
      return "";
    }
    expect<typeof numbersOfMine>().type.not.toBeAssignableTo<() => Goroutine<string>>();
  });
});

describe("starting", () => {
  test("the result is the body's, whatever kind it is", () => {
    expect(spawn(generatorBody, 1)).type.toBe<Handle<string>>();
    expect(spawn(asyncBody, "a")).type.toBe<Handle<Uint8Array>>();
    expect(spawn(plainBody, 1, 2)).type.toBe<Handle<boolean>>();
    expect(run(generatorBody, 1, "label")).type.toBe<Promise<string>>();
    expect(run(asyncBody, "a")).type.toBe<Promise<Uint8Array>>();
    expect(spawnWith({ name: "sum" }, plainBody, 1, 2)).type.toBe<Handle<boolean>>();
    expect(go(generatorBody, 1)).type.toBe<void>();
  });

  test("a runtime's own functions infer alike", async () => {
    const runtime = await start({ procs: 2 });
    expect(runtime).type.toBe<Runtime>();
    expect(runtime.run(plainBody, 1, 2)).type.toBe<Promise<boolean>>();
    expect(runtime.spawn(generatorBody, 1)).type.toBe<Handle<string>>();
    expect(runtime.enter(() => chan<number>(3))).type.toBe<Chan<number>>();
    expect(runtime).type.toBeAssignableTo<AsyncDisposable>();
  });

  test("arguments of a wrong type or number are refused", () => {
    // @ts-expect-error Argument of type 'string' is not assignable to parameter of type 'number'.
    void run(plainBody, 1, "2");
    // @ts-expect-error Expected 2 arguments, but got 3.
    spawn(asyncBody, "a", "b");
    // @ts-expect-error Expected 2 arguments, but got 1.
    go(asyncBody);
    // @ts-expect-error Object literal may only specify known properties, and 'nmae' does not exist in type 'SpawnOptions'.
    spawnWith({ nmae: "sum" }, plainBody, 1, 2);
    // @ts-expect-error Type 'string' is not assignable to type 'number'.
    void start({ procs: "2" });
  });

  test("a handle is an operation and has an outcome", () => {
    expect<Handle<string>>().type.toBeAssignableTo<Op<string>>();
    expect<Handle<string>["block"]>().type.toBe<() => string>();
    expect<Awaited<Handle<string>>>().type.toBe<string>();
  });
});

describe("tasks", () => {
  interface Work {
    measure(path: string): number;
    walk(path: string, depth?: number): Promise<string[]>;
    readonly version: string;
  }
  const work = tasks<Work>(new URL("file:///work.js"));

  test("functions are there, with their types; other exports are not", () => {
    expect(work.measure).type.toBe<(path: string) => number>();
    expect<keyof typeof work>().type.toBe<"measure" | "walk">();
    expect(run(work.walk, "src", 2)).type.toBe<Promise<string[]>>();
  });

  test("their arguments are checked", () => {
    // @ts-expect-error Argument of type 'number' is not assignable to parameter of type 'string'.
    spawn(work.measure, 5);
    // @ts-expect-error Property 'version' does not exist on type '{ readonly measure: (path: string) => number; readonly walk: (path: string, depth?: number | undefined) => Promise<string[]>; }'.
    void work.version;
  });
});

describe("channels", () => {
  test("an end of a channel is one direction of it", () => {
    expect<Chan<number>>().type.toBeAssignableTo<SendChan<number>>();
    expect<Chan<number>>().type.toBeAssignableTo<RecvChan<number>>();
    expect<SendChan<number>>().type.not.toHaveProperty("recv");
    expect<RecvChan<number>>().type.not.toHaveProperty("send");
    expect<SendChan<number>>().type.not.toBeAssignableTo<RecvChan<number>>();
    expect<RecvChan<number>>().type.not.toBeAssignableTo<Chan<number>>();
    expect<RecvChan<number>>().type.not.toHaveProperty("close");
  });

  test("a receiver of more is a receiver of less, a sender the other way round", () => {
    expect<RecvChan<"a">>().type.toBeAssignableTo<RecvChan<string>>();
    expect<RecvChan<string>>().type.not.toBeAssignableTo<RecvChan<"a">>();
    expect<SendChan<string>>().type.toBeAssignableTo<SendChan<"a">>();
    expect<SendChan<"a">>().type.not.toBeAssignableTo<SendChan<string>>();
  });

  test("values are checked", () => {
    // @ts-expect-error Argument of type 'string' is not assignable to parameter of type 'number'.
    numbers.send("1");
    // @ts-expect-error Argument of type 'string' is not assignable to parameter of type 'number'.
    numbers.trySend("1");
    // @ts-expect-error Argument of type 'string' is not assignable to parameter of type 'number'.
    chan<number>("3");
  });

  test("what the forms of receiving give", () => {
    expect(numbers.tryRecv()).type.toBe<Received<number> | undefined>();
    const [value, ok] = numbers.tryRecv() ?? [undefined, false];
    if (ok) expect(value).type.toBe<number>();
    else expect(value).type.toBe<undefined>();
    expect(range(texts, (text) => expect(text).type.toBe<string>())).type.toBe<Goroutine<void>>();
    expect(after(5)).type.toBe<RecvChan<number>>();
    expect(new Ticker(5).c).type.toBe<RecvChan<number>>();
  });
});

describe("select", () => {
  test("the index tells the type of the value", async () => {
    const chosen = await select(numbers.recv(), texts.recvOk(), numbers.send(1));
    if (chosen.index === 0) expect(chosen.value).type.toBe<number | undefined>();
    else if (chosen.index === 1) expect(chosen.value).type.toBe<Received<string>>();
    else {
      expect(chosen.index).type.toBe<2>();
      expect(chosen.value).type.toBe<void>();
    }
  });

  test("a case that may be off keeps its place", async () => {
    const maybe = undefined as ChanOp<string> | undefined | null | false;
    const chosen = await select(maybe, numbers.recv());
    expect(chosen).type.toBe<{ index: 0; value: string } | { index: 1; value: number | undefined }>();
    expect(await select()).type.toBe<never>();
  });

  test("with a list of cases the index is a number", async () => {
    const cases = [numbers.recv(), numbers.recv()];
    expect(await select(...cases)).type.toBe<{ index: number; value: number | undefined }>();
  });

  test("trySelect may find none ready", () => {
    expect(trySelect(numbers.recv())).type.toBe<{ index: 0; value: number | undefined } | undefined>();
  });

  test("what is no case is refused", () => {
    // @ts-expect-error Argument of type 'Semaphore' is not assignable to parameter of type 'SelectCase'.
    select(new Semaphore(1));
    // @ts-expect-error Argument of type 'Chan<number>' is not assignable to parameter of type 'SelectCase'.
    select(numbers);
  });
});

describe("sync", () => {
  test("a mutex gives what `using` takes", async () => {
    const guard = await new Mutex().lock();
    expect(guard).type.toBeAssignableTo<Disposable>();
    expect(guard.abandoned).type.toBe<boolean>();
  });

  test("goroutines of groups and timers have their arguments checked", () => {
    new WaitGroup().go(plainBody, 1, 2);
    expect(new ErrGroup().go(asyncBody, "a")).type.toBe<Op<void>>();
    expect(new ErrGroup().tryGo(asyncBody, "a")).type.toBe<boolean>();
    afterFunc(5, plainBody, 1, 2);
    // @ts-expect-error Expected 3 arguments, but got 2.
    new WaitGroup().go(plainBody, 1);
    // @ts-expect-error Argument of type 'number' is not assignable to parameter of type 'string'.
    new ErrGroup().go(asyncBody, 5);
    // @ts-expect-error Argument of type 'string' is not assignable to parameter of type 'number'.
    afterFunc(5, plainBody, 1, "2");
  });

  test("a condition needs its mutex, a semaphore its permits", () => {
    expect(Cond).type.not.toBeConstructableWith();
    expect(Semaphore).type.not.toBeConstructableWith("1");
    expect(AtomicInt).type.toBeConstructableWith();
  });

  test("constructors take what the program gives, and nothing of the kernel's", () => {
    expect<ConstructorParameters<typeof Mutex>>().type.toBe<[]>();
    expect<ConstructorParameters<typeof RWMutex>>().type.toBe<[]>();
    expect<ConstructorParameters<typeof WaitGroup>>().type.toBe<[]>();
    expect<ConstructorParameters<typeof Once>>().type.toBe<[]>();
    expect<ConstructorParameters<typeof Cond>>().type.toBe<[mutex: Mutex]>();
    expect<ConstructorParameters<typeof Semaphore>>().type.toBe<[permits: number]>();
    expect<ConstructorParameters<typeof Barrier>>().type.toBe<[parties: number]>();
    expect<ConstructorParameters<typeof AtomicInt>>().type.toBe<[initial?: number | undefined]>();
    expect<ConstructorParameters<typeof ErrGroup>>().type.toBe<[parent?: Context | undefined]>();
  });
});

describe("context and deferred calls", () => {
  test("a context and its cancel function", () => {
    const [ctx, cancel] = context.withTimeout(context.background(), 5);
    cancel(new Error("no longer needed"));
    expect(ctx.signal).type.toBe<AbortSignal>();
    expect(ctx.done()).type.toBe<RecvChan<never>>();
    // @ts-expect-error Argument of type 'symbol' is not assignable to parameter of type 'string'.
    context.withValue(ctx, Symbol("key"), 1);
  });

  test("deferred calls of all three kinds", () => {
    defer(() => {});
    defer(async () => {});
    defer(function* (): Goroutine<void> {
      yield* numbers.send(1);
    });
    // @ts-expect-error Argument of type 'number' is not assignable to parameter of type 'DeferredCall'.
    defer(5);
  });
});
