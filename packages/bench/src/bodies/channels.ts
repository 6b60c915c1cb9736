import {
  AtomicInt,
  type Chan,
  chan,
  type Goroutine,
  go,
  goroutine,
  type RecvChan,
  type SendChan,
  select,
  WaitGroup,
} from "heddle";

const sendBack = goroutine(
  import.meta,
  function* sendBack(ping: RecvChan<number>, pong: SendChan<number>): Goroutine<void> {
    for (let value = yield* ping.recv(); value !== undefined; value = yield* ping.recv())
      yield* pong.send(value);
    pong.close();
  },
);

/** Round trips over two unbuffered channels; milliseconds for `count` of them. */
export const pingPong = goroutine(import.meta, function* pingPong(count: number): Goroutine<number> {
  const began = performance.now();
  const ping = chan<number>();
  const pong = chan<number>();
  go(sendBack, ping, pong);
  for (let i = 0; i < count; i++) {
    yield* ping.send(i);
    yield* pong.recv();
  }
  ping.close();
  yield* pong.recv();
  return performance.now() - began;
});

const produce = goroutine(
  import.meta,
  function* produce(out: SendChan<number>, count: number): Goroutine<void> {
    for (let i = 0; i < count; i++) yield* out.send(i);
    out.close();
  },
);

/** One producer, one consumer, a buffer of `capacity`; milliseconds for `count` messages. */
export const produceAndConsume = goroutine(
  import.meta,
  function* produceAndConsume(capacity: number, count: number): Goroutine<number> {
    const began = performance.now();
    const messages = chan<number>(capacity);
    go(produce, messages, count);
    while ((yield* messages.recv()) !== undefined);
    return performance.now() - began;
  },
);

const SHARING = 4;

const sendShare = goroutine(
  import.meta,
  function* sendShare(out: SendChan<number>, count: number): Goroutine<void> {
    for (let i = 0; i < count; i++) yield* out.send(i);
  },
);

const receiveAll = goroutine(import.meta, function* receiveAll(from: RecvChan<number>): Goroutine<void> {
  while ((yield* from.recv()) !== undefined);
});

/** Four producers and four consumers on one channel; milliseconds for `count` messages. */
export const shareChannel = goroutine(
  import.meta,
  function* shareChannel(capacity: number, count: number): Goroutine<number> {
    const messages = chan<number>(capacity);
    const producers = new WaitGroup();
    const consumers = new WaitGroup();
    const began = performance.now();
    for (let i = 0; i < SHARING; i++) {
      producers.go(sendShare, messages, count / SHARING);
      consumers.go(receiveAll, messages);
    }
    yield* producers.wait();
    messages.close();
    yield* consumers.wait();
    return performance.now() - began;
  },
);

/** Receives what four producers send on a channel each; milliseconds for `count` messages. */
export const selectFromProducers = goroutine(
  import.meta,
  function* selectFromProducers(count: number): Goroutine<number> {
    const [a, b, c, d] = [chan<number>(), chan<number>(), chan<number>(), chan<number>()];
    const began = performance.now();
    for (const channel of [a, b, c, d]) go(sendShare, channel, count / SHARING);
    for (let i = 0; i < count; i++) yield* select(a.recv(), b.recv(), c.recv(), d.recv());
    return performance.now() - began;
  },
);

/**
 * Receives from four channels that always have something; what is taken is put back. Milliseconds for `count`
 * times.
 */
export const selectReady = goroutine(import.meta, function* selectReady(count: number): Goroutine<number> {
  const [a, b, c, d] = [full(), full(), full(), full()];
  const channels = [a, b, c, d] as const;
  const began = performance.now();
  for (let i = 0; i < count; i++) {
    const { index } = yield* select(a.recv(), b.recv(), c.recv(), d.recv());
    yield* channels[index].send(1);
  }
  return performance.now() - began;
});

function full(): Chan<number> {
  const channel = chan<number>(1);
  channel.trySend(1);
  return channel;
}

const count = goroutine(
  import.meta,
  function* count(out: SendChan<number>, enough: AtomicInt): Goroutine<void> {
    for (let i = 2; enough.load() === 0; i++) yield* out.send(i);
    out.close();
  },
);

const filter = goroutine(
  import.meta,
  function* filter(numbers: RecvChan<number>, out: SendChan<number>, prime: number): Goroutine<void> {
    for (let i = yield* numbers.recv(); i !== undefined; i = yield* numbers.recv()) {
      if (i % prime !== 0) yield* out.send(i);
    }
    out.close();
  },
);

/**
 * Finds `primes` primes through a chain of filters, then ends the chain as Go's side does: the source closes its
 * channel and what is on its way is drained. Milliseconds.
 */
export const sieve = goroutine(import.meta, function* sieve(primes: number): Goroutine<number> {
  const began = performance.now();
  const enough = new AtomicInt();
  let numbers = chan<number>();
  go(count, numbers, enough);
  for (let found = 0; found < primes; found++) {
    const prime = (yield* numbers.recv()) as number; // the source closes only when told that it is enough
    const filtered = chan<number>();
    go(filter, numbers, filtered, prime);
    numbers = filtered;
  }
  enough.store(1);
  while ((yield* numbers.recv()) !== undefined);
  return performance.now() - began;
});
