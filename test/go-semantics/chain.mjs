/** A chain of goroutines, each of which adds one to what its right neighbour sends. */

import { chan, go, goroutine } from "heddle";

const link = goroutine(import.meta, function* link(left, right) {
  yield* left.send(1 + (yield* right.recv()));
});

export const chain = goroutine(import.meta, function* chain(length) {
  const leftmost = chan();
  let left = leftmost;
  for (let i = 0; i < length; i++) {
    const right = chan();
    go(link, left, right);
    left = right;
  }
  yield* left.send(0);
  return yield* leftmost.recv();
});

const linkAsync = goroutine(import.meta, async function linkAsync(left, right) {
  await left.send(1 + (await right.recv()));
});

export const chainAsync = goroutine(import.meta, async function chainAsync(length) {
  const leftmost = chan();
  let left = leftmost;
  for (let i = 0; i < length; i++) {
    const right = chan();
    go(linkAsync, left, right);
    left = right;
  }
  await left.send(0);
  return await leftmost.recv();
});

/** Generators in between, the host at both ends. */
export async function chainOnHost(length) {
  const leftmost = chan();
  let left = leftmost;
  for (let i = 0; i < length; i++) {
    const right = chan();
    go(link, left, right);
    left = right;
  }
  const sent = left.send(0);
  const [count] = await Promise.all([leftmost.recv(), sent]);
  return count;
}
