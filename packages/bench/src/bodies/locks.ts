import { type Goroutine, goroutine, Mutex } from "heddle";

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
