/** The prime sieve of Hoare's paper and Go's tour, in the three kinds of bodies. */

import { chan, context, goroutine, spawnWith } from "heddle";

const generate = goroutine(import.meta, function* generate(out) {
  for (let i = 2; ; i++) yield* out.send(i);
});

const filter = goroutine(import.meta, function* filter(source, out, prime) {
  for (;;) {
    const i = yield* source.recv();
    if (i % prime !== 0) yield* out.send(i);
  }
});

/** The first `count` primes. The goroutines that made them are cancelled. */
export const primes = goroutine(import.meta, function* primes(count) {
  const [ctx, cancel] = context.withCancel(context.current());
  const found = [];
  let source = chan();
  spawnWith({ context: ctx }, generate, source);
  while (found.length < count) {
    const prime = yield* source.recv();
    found.push(prime);
    const out = chan();
    spawnWith({ context: ctx }, filter, source, out, prime);
    source = out;
  }
  cancel();
  return found;
});

const generateAsync = goroutine(import.meta, async function generateAsync(out) {
  for (let i = 2; ; i++) await out.send(i);
});

const filterAsync = goroutine(import.meta, async function filterAsync(source, out, prime) {
  for await (const i of source) if (i % prime !== 0) await out.send(i);
});

export const primesAsync = goroutine(import.meta, async function primesAsync(count) {
  const [ctx, cancel] = context.withCancel(context.current());
  const found = [];
  let source = chan();
  spawnWith({ context: ctx }, generateAsync, source);
  while (found.length < count) {
    const prime = await source.recv();
    found.push(prime);
    const out = chan();
    spawnWith({ context: ctx }, filterAsync, source, out, prime);
    source = out;
  }
  cancel();
  return found;
});

const generatePlain = goroutine(import.meta, function generatePlain(out) {
  for (let i = 2; ; i++) out.send(i).block();
});

const filterPlain = goroutine(import.meta, function filterPlain(source, out, prime) {
  for (;;) {
    const i = source.recv().block();
    if (i % prime !== 0) out.send(i).block();
  }
});

/** Each of its goroutines holds a thread. */
export const primesPlain = goroutine(import.meta, function primesPlain(count) {
  const [ctx, cancel] = context.withCancel(context.current());
  const found = [];
  let source = chan();
  spawnWith({ context: ctx }, generatePlain, source);
  while (found.length < count) {
    const prime = source.recv().block();
    found.push(prime);
    const out = chan();
    spawnWith({ context: ctx }, filterPlain, source, out, prime);
    source = out;
  }
  cancel();
  return found;
});

/** The sieve read by the host: generator and filters in the runtime, one more filter for each prime. */
export async function primesOnHost(count) {
  const [ctx, cancel] = context.withCancel(context.background());
  const found = [];
  let source = chan();
  spawnWith({ context: ctx }, generate, source);
  while (found.length < count) {
    const prime = await source.recv();
    found.push(prime);
    const out = chan();
    spawnWith({ context: ctx }, filter, source, out, prime);
    source = out;
  }
  cancel();
  return found;
}
