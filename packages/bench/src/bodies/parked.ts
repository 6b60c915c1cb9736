import { chan, type Goroutine, goroutine, type RecvChan, WaitGroup } from "heddle";

const waitFor = goroutine(
  import.meta,
  function* waitFor(release: RecvChan<never>, ready: WaitGroup): Goroutine<void> {
    ready.done();
    yield* release.recv();
  },
);

export interface Parked {
  /** What the process grew by while they started and parked. */
  readonly residentBytes: number;
  /** From the first spawn until the last of them is about to wait. */
  readonly parkMs: number;
  /** From the close of their channel until the last of them has ended. */
  readonly wakeMs: number;
}

/** Parks `count` goroutines on one channel, closes it and waits until they have ended. */
export const parkAndWake = goroutine(import.meta, function* parkAndWake(count: number): Goroutine<Parked> {
  const release = chan<never>();
  const ready = new WaitGroup();
  const ended = new WaitGroup();
  const before = process.memoryUsage.rss();
  const spawned = performance.now();
  ready.add(count);
  for (let i = 0; i < count; i++) ended.go(waitFor, release, ready);
  yield* ready.wait();
  const parkMs = performance.now() - spawned;
  const residentBytes = process.memoryUsage.rss() - before;
  const began = performance.now();
  release.close();
  yield* ended.wait();
  return { residentBytes, parkMs, wakeMs: performance.now() - began };
});
