import { chan, goroutine, gosched, spawn } from "heddle";

const throwsInTick = goroutine(import.meta, async function throwsInTick(start) {
  await start.recv();
  process.nextTick(() => {
    throw new Error("stray");
  });
});

/** Blocks for ever on the thread where a nextTick throws meanwhile, and would catch what is not meant for it. */
const catchesAll = goroutine(import.meta, function catchesAll(start) {
  start.close();
  try {
    return chan().recv().block();
  } catch (error) {
    return String(error);
  }
});

export const strayError = goroutine(import.meta, function* strayError() {
  const start = chan();
  const handles = [spawn(throwsInTick, start)];
  yield* gosched();
  handles.push(spawn(catchesAll, start));
  for (const handle of handles) yield* handle;
  return "nobody noticed";
});

const sends = goroutine(import.meta, async function sends(out, count) {
  for (let i = 0; i < count; i++) await out.send(i);
});

/** Async bodies in turn with a generator. */
export const asyncTurns = goroutine(import.meta, function* asyncTurns(count) {
  const out = chan();
  spawn(sends, out, count);
  let sum = 0;
  for (let i = 0; i < count; i++) sum += yield* out.recv();
  return sum;
});
