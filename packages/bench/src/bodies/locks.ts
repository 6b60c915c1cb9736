import { type Goroutine, goroutine, Mutex, WaitGroup } from "heddle";

/** Locks and unlocks a mutex that nobody else wants; milliseconds for `count` times. */
export const lockAlone = goroutine(import.meta, function* lockAlone(count: number): Goroutine<number> {
  const mu = new Mutex();
  const began = performance.now();
  for (let i = 0; i < count; i++) {
    yield* mu.lock();
    mu.unlock();
  }
  return performance.now() - began;
});

const lockRepeatedly = goroutine(
  import.meta,
  function* lockRepeatedly(mu: Mutex, count: number): Goroutine<void> {
    for (let i = 0; i < count; i++) {
      yield* mu.lock();
      mu.unlock();
    }
  },
);

/** `contenders` goroutines that want one mutex; milliseconds until it was locked `count` times. */
export const contend = goroutine(
  import.meta,
  function* contend(contenders: number, count: number): Goroutine<number> {
    const mu = new Mutex();
    const everyone = new WaitGroup();
    const began = performance.now();
    for (let i = 0; i < contenders; i++) everyone.go(lockRepeatedly, mu, count / contenders);
    yield* everyone.wait();
    return performance.now() - began;
  },
);
