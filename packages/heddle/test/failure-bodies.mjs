import { chan, goroutine, sleep } from "heddle";

export const forever = goroutine(import.meta, function* forever() {
  yield* sleep(Number.POSITIVE_INFINITY);
});

export const answer = goroutine(import.meta, function* answer() {
  return 42;
});

export const hoarding = goroutine(import.meta, function hoarding() {
  const hoard = [];
  for (;;) hoard.push(Array.from({ length: 1000 }, () => hoard.length));
});

export const receiving = goroutine(import.meta, function* receiving() {
  yield* chan().recv();
});

export const uncopyable = goroutine(import.meta, function* uncopyable() {
  return { deep: [() => {}] };
});
