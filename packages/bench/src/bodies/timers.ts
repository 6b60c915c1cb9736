import { AtomicInt, checkpoint, type Goroutine, goroutine, sleep, WaitGroup } from "heddle";
import { burn } from "../burn.ts";

const doze = goroutine(import.meta, function* doze(ms: number): Goroutine<void> {
  yield* sleep(ms);
});

/** `count` goroutines that sleep `ms` each; milliseconds from the first spawn until the last one ends. */
export const sleepTogether = goroutine(
  import.meta,
  function* sleepTogether(count: number, ms: number): Goroutine<number> {
    const everyone = new WaitGroup();
    const began = performance.now();
    for (let i = 0; i < count; i++) everyone.go(doze, ms);
    yield* everyone.wait();
    return performance.now() - began;
  },
);

/** Steps between two checkpoints: a microsecond or two, as an inner loop would have it. */
const STEPS = 1000;

const hog = goroutine(import.meta, function* hog(stop: AtomicInt): Goroutine<void> {
  while (stop.load() === 0) {
    burn(STEPS);
    yield* checkpoint();
  }
});

/** Sleeps `ms` again and again beside `hogs` that never rest; by how many milliseconds each sleep was too long. */
export const sleepBehindHogs = goroutine(
  import.meta,
  function* sleepBehindHogs(hogs: number, ms: number, forMs: number): Goroutine<number[]> {
    const stop = new AtomicInt();
    const everyone = new WaitGroup();
    for (let i = 0; i < hogs; i++) everyone.go(hog, stop);
    const lateMs: number[] = [];
    const end = performance.now() + forMs;
    for (let began = performance.now(); began < end; began = performance.now()) {
      yield* sleep(ms);
      lateMs.push(performance.now() - began - ms);
    }
    stop.store(1);
    yield* everyone.wait();
    return lateMs;
  },
);
