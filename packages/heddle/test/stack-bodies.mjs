// Bodies that use up the stack, and one that ends a call of the runtime where a stack could.
import { goroutine, sleep, spawn } from "heddle";

export const nothing = goroutine(import.meta, function nothing() {});

function* deeper(depth, wait) {
  if (depth > 0) return yield* deeper(depth - 1, wait);
  return (yield* wait(), yield* deeper(0, wait));
}

const waits = { sleep: () => sleep(0.01), join: () => spawn(nothing), receive: (channel) => channel.recv() };

/** Waits once in each of ever more generators, from a depth of `depth` on. Returns the name of what ends it. */
export const waitsEverDeeper = goroutine(import.meta, function* waitsEverDeeper(depth, how, channel) {
  try {
    yield* deeper(depth, () => waits[how](channel));
  } catch (error) {
    return error.name;
  }
});

/** Makes the next unlock of a lock of the runtime's fail, as at the end of the stack. */
export function failToUnlock() {
  const { store } = Atomics;
  Atomics.store = (words, index, value) => {
    const unlocks = value === 0 && words instanceof Int32Array && Atomics.load(words, index) > 0;
    if (!unlocks) return store(words, index, value);
    Atomics.store = store;
    throw new RangeError("Maximum call stack size exceeded");
  };
}

/** Goes on after its stack has ended under the lock of a channel. */
export const leavesLocked = goroutine(import.meta, function leavesLocked(channel) {
  failToUnlock();
  try {
    channel.trySend(1);
  } catch (error) {
    return error.name;
  }
});

export const usesChannel = goroutine(import.meta, function usesChannel(channel) {
  channel.trySend(1);
  return channel.tryRecv() !== undefined;
});
