import { threadId } from "node:worker_threads";
import { checkpoint, context, goroutine, sleep, spawn } from "heddle";

/** Ends its thread the first `times` times that it runs; then returns what it was given. */
export const exitsAtFirst = goroutine(import.meta, function* exitsAtFirst(starts, times, ...rest) {
  if (starts.add(1) <= times) process.exit(3);
  yield* sleep(0);
  return rest;
});

/** Says that it runs, and waits; ends its thread the first time that it is told to. */
export const waitsThenExits = goroutine(import.meta, function* waitsThenExits(starts, homes, goOn) {
  const start = starts.add(1);
  yield* homes.send(threadId);
  yield* goOn.recv();
  if (start === 1) process.exit(3);
  return context.current().err() === undefined ? start : -1;
});

/** Says where it lives, and lives until it is told to end. */
export const lives = goroutine(import.meta, function* lives(homes, goOn) {
  yield* homes.send(threadId);
  yield* goOn.recv();
  return threadId;
});

/** Waits for longer than anybody's patience; what it is thrown, it says. */
export const waitsLong = goroutine(import.meta, function* waitsLong(cleaned) {
  try {
    yield* sleep(60_000);
  } finally {
    yield* cleaned.send("cleaned");
  }
});

/** Computes for ever, with checkpoints. */
export const computes = goroutine(import.meta, function* computes() {
  for (;;) yield* checkpoint();
});

/** Computes for ever, and listens to nobody. */
export const defies = goroutine(import.meta, function defies(starts, homes) {
  starts.add(1);
  homes?.trySend(threadId);
  for (;;);
});

/** Computes for a while, without listening. */
export const computesFor = goroutine(import.meta, function computesFor(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return "done";
});

/** Takes its cancellation badly: waits on in its `finally`. */
export const lingers = goroutine(import.meta, function* lingers() {
  try {
    yield* sleep(60_000);
  } finally {
    yield* sleep(60_000);
  }
});

/** What the goroutine's own context says of its deadline, in milliseconds from now. */
export const deadline = goroutine(import.meta, function* deadline() {
  return context.current().deadline - Date.now();
});

/** Starts one that lives on, and ends in time. */
export const leavesChild = goroutine(import.meta, function* leavesChild(homes, goOn) {
  // In an array: a promise of a handle would wait for it.
  return [spawn(lives, homes, goOn)];
});

export const fib = goroutine(import.meta, function* fib(n) {
  if (n < 2) return n;
  const one = spawn(fib, n - 1);
  const other = spawn(fib, n - 2);
  return (yield* one) + (yield* other);
});
