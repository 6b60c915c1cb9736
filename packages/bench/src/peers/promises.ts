/** Plain promises and async functions doing what the bodies do, in one thread. Each says how many milliseconds it took. */
import { timed } from "../measure.ts";

async function identity(value: number): Promise<number> {
  return value;
}

export function callOneAtATime(count: number): Promise<number> {
  return timed(async () => {
    for (let i = 0; i < count; i++) await identity(i);
  });
}

export function callInBatches(size: number, batches: number): Promise<number> {
  return timed(async () => {
    const calls: Promise<number>[] = [];
    for (let batch = 0; batch < batches; batch++) {
      for (let i = 0; i < size; i++) calls.push(identity(i));
      for (const call of calls) await call;
      calls.length = 0;
    }
  });
}

async function fib(n: number): Promise<number> {
  if (n < 2) return n;
  const left = fib(n - 1);
  const right = fib(n - 2);
  return (await left) + (await right);
}

export function timeFib(n: number): Promise<number> {
  return timed(() => fib(n));
}

const settled = Promise.resolve();

async function giveWay(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await settled;
}

export function takeTurns(count: number, turns: number): Promise<number> {
  return timed(() => Promise.all(Array.from({ length: count }, () => giveWay(turns))));
}

/** A queue of promises, as one writes it by hand; with no capacity a sender waits until its value is taken. */
class Queue {
  private readonly values: number[] = [];
  private readonly senders: (() => void)[] = [];
  private readonly takers: ((value: number) => void)[] = [];
  private readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  async send(value: number): Promise<void> {
    const taker = this.takers.shift();
    if (taker !== undefined) return taker(value);
    this.values.push(value);
    if (this.values.length > this.capacity) await new Promise<void>((resolve) => this.senders.push(resolve));
  }

  async take(): Promise<number> {
    const value = this.values.shift();
    if (value === undefined) return await new Promise((resolve) => this.takers.push(resolve));
    this.senders.shift()?.();
    return value;
  }
}

export function pingPong(count: number): Promise<number> {
  return timed(async () => {
    const ping = new Queue(0);
    const pong = new Queue(0);
    const partner = (async () => {
      for (let i = 0; i < count; i++) await pong.send(await ping.take());
    })();
    for (let i = 0; i < count; i++) {
      await ping.send(i);
      await pong.take();
    }
    await partner;
  });
}

export function produceAndConsume(capacity: number, count: number): Promise<number> {
  return timed(async () => {
    const queue = new Queue(capacity);
    const producer = (async () => {
      for (let i = 0; i < count; i++) await queue.send(i);
    })();
    for (let i = 0; i < count; i++) await queue.take();
    await producer;
  });
}

export function sleepTogether(count: number, ms: number): Promise<number> {
  const sleep = () => new Promise((resolve) => setTimeout(resolve, ms));
  return timed(() => Promise.all(Array.from({ length: count }, sleep)));
}

/** What `count` async functions that wait for one promise take of the resident memory, in bytes. */
export async function parkedBytes(count: number): Promise<number> {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const wait = async (): Promise<void> => {
    await released;
  };
  const before = process.memoryUsage.rss();
  const waiting = Array.from({ length: count }, wait);
  await settled;
  const bytes = process.memoryUsage.rss() - before;
  release();
  await Promise.all(waiting);
  return bytes;
}
