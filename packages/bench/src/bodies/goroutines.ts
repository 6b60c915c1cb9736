import {
  chan,
  type Goroutine,
  go,
  goroutine,
  gosched,
  type Handle,
  type SendChan,
  spawn,
  WaitGroup,
} from "heddle";

/** The tiny task: an argument, a result, nothing to do. */
export const echo = goroutine(import.meta, function echo(value: number): number {
  return value;
});

const nothing = goroutine(import.meta, function* nothing(): Goroutine<void> {});

/** Spawns and joins one goroutine after the other; milliseconds for `count` of them. */
export const spawnOneAtATime = goroutine(
  import.meta,
  function* spawnOneAtATime(count: number): Goroutine<number> {
    const began = performance.now();
    for (let i = 0; i < count; i++) yield* spawn(nothing);
    return performance.now() - began;
  },
);

/** Spawns `size` goroutines, then joins them all; milliseconds for `batches` such batches. */
export const spawnInBatches = goroutine(
  import.meta,
  function* spawnInBatches(size: number, batches: number): Goroutine<number> {
    const handles: Handle<void>[] = [];
    const began = performance.now();
    for (let batch = 0; batch < batches; batch++) {
      for (let i = 0; i < size; i++) handles.push(spawn(nothing));
      for (const handle of handles) yield* handle;
      handles.length = 0;
    }
    return performance.now() - began;
  },
);

/** `size` goroutines at a time, whose results come through their handles; milliseconds for `batches` such batches. */
export const joinResults = goroutine(
  import.meta,
  function* joinResults(size: number, batches: number): Goroutine<number> {
    const handles: Handle<number>[] = [];
    const began = performance.now();
    for (let batch = 0; batch < batches; batch++) {
      for (let i = 0; i < size; i++) handles.push(spawn(echo, i));
      for (const handle of handles) yield* handle;
      handles.length = 0;
    }
    return performance.now() - began;
  },
);

const sendAnswer = goroutine(
  import.meta,
  function* sendAnswer(out: SendChan<number>, value: number): Goroutine<void> {
    yield* out.send(value);
  },
);

/**
 * `size` goroutines at a time, whose results come through a channel with room for all; milliseconds for `batches`
 * such batches.
 */
export const receiveResults = goroutine(
  import.meta,
  function* receiveResults(size: number, batches: number): Goroutine<number> {
    const results = chan<number>(size);
    const began = performance.now();
    for (let batch = 0; batch < batches; batch++) {
      for (let i = 0; i < size; i++) go(sendAnswer, results, i);
      for (let i = 0; i < size; i++) yield* results.recv();
    }
    return performance.now() - began;
  },
);

/** A goroutine per call. */
export const fib = goroutine(import.meta, function* fib(n: number): Goroutine<number> {
  if (n < 2) return n;
  const left = spawn(fib, n - 1);
  const right = spawn(fib, n - 2);
  return (yield* left) + (yield* right);
});

/** Milliseconds for fib(n). */
export const timeFib = goroutine(import.meta, function* timeFib(n: number): Goroutine<number> {
  const began = performance.now();
  yield* spawn(fib, n);
  return performance.now() - began;
});

const giveWay = goroutine(import.meta, function* giveWay(turns: number): Goroutine<void> {
  for (let turn = 0; turn < turns; turn++) yield* gosched();
});

/** `count` goroutines that give way `turns` times each; milliseconds until the last one ends. */
export const takeTurns = goroutine(
  import.meta,
  function* takeTurns(count: number, turns: number): Goroutine<number> {
    const everyone = new WaitGroup();
    const began = performance.now();
    for (let i = 0; i < count; i++) everyone.go(giveWay, turns);
    yield* everyone.wait();
    return performance.now() - began;
  },
);
