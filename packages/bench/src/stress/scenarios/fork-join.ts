/** Trees of goroutines that wait for their children: deep ones, wide ones, lopsided ones. */

import { checkpoint, type Goroutine, goroutine, gosched, type Handle, spawn } from "heddle";
import { expectSame, type Scenario } from "../scenario.ts";

/** Mixes two numbers into one of 32 bits. */
function mix(a: number, b: number): number {
  let x = Math.imul(a ^ Math.imul(b | 1, 0x9e3779b1), 0x85ebca6b);
  x ^= x >>> 15;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** How many goroutines each child of a node gets to stand for, itself included. */
function shares(seed: number, size: number): number[] {
  const left = size - 1;
  if (left <= 0) return [];
  switch (mix(seed, size) % 4) {
    case 0: // a chain
      return [left];
    case 1: {
      // a fan
      const width = Math.min(left, 40);
      return Array.from({ length: width }, (_, i) => portion(left, width, i));
    }
    case 2: // a pair
      return left === 1 ? [1] : [portion(left, 2, 0), portion(left, 2, 1)];
    default: {
      // a small one and a large one
      const small = 1 + (mix(seed, 7) % Math.max(1, left >> 3));
      return small >= left ? [left] : [small, left - small];
    }
  }
}

function portion(total: number, parts: number, index: number): number {
  return Math.floor(total / parts) + (index < total % parts ? 1 : 0);
}

/** What a tree is to give: every node's number, mixed in the order of the children. */
function expected(seed: number, size: number): number {
  return shares(seed, size).reduce(
    (hash, share, child) => mix(hash, expected(mix(seed, child), share)),
    mix(seed, size),
  );
}

const node = goroutine(import.meta, function* node(seed: number, size: number): Goroutine<number> {
  const children: Handle<number>[] = [];
  for (const [child, share] of shares(seed, size).entries()) {
    children.push(spawn(seed % 9 === 0 ? patientNode : node, mix(seed, child), share));
    if (seed % 11 === 0) yield* gosched();
  }
  if (seed % 13 === 0) yield* checkpoint();
  let hash = mix(seed, size);
  for (const child of children) hash = mix(hash, yield* child);
  return hash;
});

/** The same as an async body. */
const patientNode = goroutine(
  import.meta,
  async function patientNode(seed: number, size: number): Promise<number> {
    const children = shares(seed, size).map((share, child) => spawn(node, mix(seed, child), share));
    const hashes = await Promise.all(children);
    return hashes.reduce(mix, mix(seed, size));
  },
);

export const forkJoin: Scenario = {
  name: "fork-join",
  about:
    "random trees of goroutines that join their children: every tree gives the hash that a plain recursion gives",
  async play(stage) {
    for (let round = stage.often(6); round > 0; round--) {
      const size = stage.many(4000);
      const seeds = Array.from({ length: 4 }, () => stage.seed() >>> 0);
      const hashes = await Promise.all(seeds.map((seed) => stage.runtime.run(node, seed, size)));
      for (const [index, seed] of seeds.entries())
        expectSame(`the tree of seed ${seed} and ${size} nodes`, hashes[index], expected(seed, size));
      stage.did(size * seeds.length);
    }
  },
};
