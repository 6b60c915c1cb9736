/** Bodies that end the thread they run on, or have it ended. */

import { type Chan, type Goroutine, goroutine, type Handle, sleep, spawn } from "heddle";
import { noteBegun, noteEnded, noteMade } from "./accounts.ts";
import { home } from "./home.ts";

/** Longer than anything lasts here. */
const FOR_EVER_MS = 3_600_000;

export const exits = goroutine(home, function* exits(marks: Int32Array, own: number): Goroutine<void> {
  noteBegun(marks, own);
  if (own % 2 === 0) yield* sleep(0.2);
  process.exit(3);
});

/** Throws from a timer of its thread, in nobody's name. */
export const throwsAstray = goroutine(
  home,
  function* throwsAstray(marks: Int32Array, own: number): Goroutine<void> {
    noteBegun(marks, own);
    setTimeout(() => {
      throw new Error("stray");
    });
    yield* sleep(FOR_EVER_MS);
  },
);

export const rejectsUnseen = goroutine(
  home,
  async function rejectsUnseen(marks: Int32Array, own: number): Promise<void> {
    noteBegun(marks, own);
    void Promise.reject(new Error("unseen"));
    await sleep(FOR_EVER_MS);
  },
);

export const hoards = goroutine(home, function hoards(marks: Int32Array, own: number): void {
  noteBegun(marks, own);
  const hoard: unknown[] = [];
  for (;;) hoard.push(Array.from({ length: 1000 }, () => hoard.length));
});

/** Neither ends nor gives way when it is told to. */
export const outlasts = goroutine(home, function outlasts(marks: Int32Array, own: number): void {
  noteBegun(marks, own);
  for (;;);
});

const counted = goroutine(home, function counted(marks: Int32Array, own: number): number {
  noteBegun(marks, own);
  noteEnded(marks, own);
  return own;
});

/** Children that are started and have not begun when their thread ends. */
export const CHILDREN = 60;

/** Fills its processor's queue, hands the handles over, and ends the thread. The children's places come after its own. */
export const abandons = goroutine(
  home,
  function abandons(marks: Int32Array, own: number, handed: Chan<Handle<number>[]>): void {
    noteBegun(marks, own);
    const children: Handle<number>[] = [];
    for (let place = own + 1; place <= own + CHILDREN; place++) {
      children.push(spawn(counted, marks, place));
      noteMade(marks, place);
    }
    handed.trySend(children);
    process.exit(3);
  },
);
