// What a program prints, or writes as JSON, is a line, not the runtime.

import { inspect } from "node:util";
import {
  AtomicInt,
  afterFunc,
  Barrier,
  Cond,
  chan,
  context,
  ErrGroup,
  Mutex,
  Once,
  RWMutex,
  Semaphore,
  select,
  sleep,
  start,
  Ticker,
  WaitGroup,
} from "heddle";
import { expect, test } from "vitest";
import * as bodies from "./stack-bodies.mjs";

test("objects of the runtime print as a line, and as one in JSON", async () => {
  const runtime = await start({ procs: 1 });
  const [mutex, channel] = [new Mutex(), chan<number>(3)];
  const [ticker, timer] = [new Ticker(1e6), afterFunc(1e6, bodies.nothing)];
  const handle = runtime.spawn(bodies.nothing);
  await handle;
  const lines: readonly (readonly [object, RegExp])[] = [
    [mutex, /^Mutex\(\d+\)$/],
    [new RWMutex(), /^RWMutex\(\d+\)$/],
    [new Once(), /^Once\(\d+\)$/],
    [new Cond(mutex), /^Cond\(\d+\)$/],
    [new Semaphore(2), /^Semaphore\(\d+\)$/],
    [new Barrier(2), /^Barrier\(\d+\)$/],
    [new WaitGroup(), /^WaitGroup\(\d+\)$/],
    [new AtomicInt(7), /^AtomicInt\(\d+\) \{ value: 7 \}$/],
    [channel, /^Channel\(\d+\) \{ length: 0, capacity: 3 \}$/],
    [context.background(), /^Context\(background\)$/],
    [new ErrGroup(), /^ErrGroup\(\d+\)$/],
    [ticker, /^Ticker \{\}$/],
    [timer, /^Timer \{\}$/],
    [handle, /^Handle\(\d+\) \{ done: true \}$/],
    [channel.recv(), /^Op \{ chan receive \}$/],
    [select(channel.recv()), /^Op \{ select \}$/],
    [sleep(1), /^Op \{ sleep \}$/],
    [mutex.lock(), /^Op \{ sync\.Mutex\.Lock \}$/],
    [await mutex.lock(), /^LockGuard \{ abandoned: false \}$/],
    [runtime, /^Runtime \{ goroutines: 0, closed: false \}$/],
  ];
  for (const [object, line] of lines) {
    expect(inspect(object)).toMatch(line);
    expect(JSON.parse(JSON.stringify(object))).toMatch(line);
    expect(JSON.stringify(Object.getPrototypeOf(object))).toBe('"{}"');
  }
  ticker.stop();
  timer.stop();
  await runtime.close();
  expect(inspect(runtime)).toBe("Runtime { goroutines: 0, closed: true }");
});
