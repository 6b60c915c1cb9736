/** Trees of goroutines that join their children. A thread that ends takes nodes with it; their children, whom nobody waits for any more, are to run all the same. */

import { type Goroutine, goroutine, gosched, type Handle, spawn } from "heddle";
import { expectSame } from "../scenario.ts";
import { noteBegun, noteEnded, noteMade } from "./accounts.ts";
import { home } from "./home.ts";
import type { Errand } from "./load.ts";

const LARGEST = 120;

/** How many nodes each child stands for, itself included: `width` children at the most. */
function shares(size: number, width: number): number[] {
  const left = size - 1;
  const children = Math.min(left, width);
  return Array.from(
    { length: children },
    (_, i) => Math.floor(left / children) + (i < left % children ? 1 : 0),
  );
}

function startChild(marks: Int32Array, place: number, size: number, width: number): Handle<number> {
  const body = size === 1 ? leaf : place % 5 === 0 ? patientNode : node;
  const child = spawn(body, marks, place, size, width);
  noteMade(marks, place);
  return child;
}

function startChildren(marks: Int32Array, place: number, size: number, width: number): Handle<number>[] {
  let next = place + 1;
  return shares(size, width).map((share) => {
    const child = startChild(marks, next, share, width);
    next += share;
    return child;
  });
}

/** Counts itself and those below it. */
const node = goroutine(
  home,
  function* node(marks: Int32Array, place: number, size: number, width: number): Goroutine<number> {
    noteBegun(marks, place);
    const children = startChildren(marks, place, size, width);
    if (place % 7 === 0) yield* gosched();
    let count = 1;
    for (const child of children) count += yield* child;
    noteEnded(marks, place);
    return count;
  },
);

const patientNode = goroutine(
  home,
  async function patientNode(marks: Int32Array, place: number, size: number, width: number): Promise<number> {
    noteBegun(marks, place);
    const counts = await Promise.all(startChildren(marks, place, size, width));
    noteEnded(marks, place);
    return counts.reduce((sum, count) => sum + count, 1);
  },
);

const leaf = goroutine(home, function leaf(marks: Int32Array, place: number): number {
  noteBegun(marks, place);
  noteEnded(marks, place);
  return 1;
});

export const trees: Errand = {
  async run({ stage, accounts }) {
    const size = 1 + stage.random.below(LARGEST);
    const place = accounts.take(size);
    const width = stage.random.pick([1, 2, 3, 40]);
    const work = stage.runtime.run(node, accounts.marks, place, size, width);
    await accounts.follow(place, work, (count) => expectSame("nodes of a tree", count, size));
    stage.did(size);
  },
};
