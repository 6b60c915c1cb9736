/** What models of channels stand on: two channels, and goroutines that sleep when they wait, each on a thread of its own. */

import type { ModelMemory } from "@heddle/testkit";
import { ChannelPort, type ChannelThread } from "../../src/channel/channel-port.ts";
import { ChannelRecord } from "../../src/channel/channel-record.ts";
import type { ChannelOperation } from "../../src/channel/operations.ts";
import { GIVES_PAIR, ReceiveOperation, SendOperation } from "../../src/channel/operations.ts";
import { seedOrder } from "../../src/channel/random.ts";
import { selectOf } from "../../src/channel/select.ts";
import type { Received, SelectCase } from "../../src/channel/types.ts";
import { C_COUNT, CACHE_WORDS, G_SELECT, G_WORDS, O_LOCK, O_REFS, O_WORDS } from "../../src/memory/layout.ts";
import type { Frame } from "../../src/scheduler/frames/frame.ts";
import type { Operation } from "../../src/scheduler/thread/operation.ts";
import type { Thread } from "../../src/scheduler/thread/thread.ts";
import { WaitingSelects } from "../../src/scheduler/thread/waiting-selects.ts";

const THREADS = 3;
/** 0 runs, 1 waits, 2 was made ready: a word for each goroutine, numbered from 1. */
const STATUS = 0;
/** First words of the two records. */
export const CHANNELS: readonly [number, number] = [16, 16 + O_WORDS];
const BUFFERS: readonly [number, number] = [48, 80];
const DESCRIPTORS = 112;
const CACHES = DESCRIPTORS + (THREADS + 1) * G_WORDS;
/** A block of 256 bytes for each goroutine's select. */
const BLOCKS = CACHES + (THREADS + 2) * CACHE_WORDS;
const BLOCK_WORDS = 64;
export const WORDS: number = BLOCKS + (THREADS + 1) * BLOCK_WORDS;

export const locksOf = (...places: (0 | 1)[]): number[] => places.map((place) => CHANNELS[place] + O_LOCK);
export const selectWordOf = (goroutine: number): number => DESCRIPTORS + goroutine * G_WORDS + G_SELECT;

const RUNS = 0;
const WAITS = 1;
const READY = 2;

export interface Capacities {
  readonly capacities: readonly [number, number];
}

/** Two open channels. Each counts as known to several threads, so the locks are taken. */
export function setupChannels(memory: ModelMemory, capacities: readonly [number, number]): Capacities {
  const port = new ChannelPort(threadOf(memory, 1));
  for (const place of [0, 1] as const) {
    memory.i32[CHANNELS[place] + O_REFS] = THREADS;
    port.initialise(CHANNELS[place], capacities[place], capacities[place] === 0 ? 0 : BUFFERS[place]);
  }
  return { capacities };
}

function threadOf(memory: ModelMemory, number: number): ChannelThread {
  const { i32 } = memory;
  const block = (BLOCKS + number * BLOCK_WORDS) * 4;
  let taken = false;
  return {
    i32,
    f64: memory.f64,
    number,
    descriptors: DESCRIPTORS,
    memory: { u8: memory.u8, layout: { caches: CACHES }, shape: { procs: 1 } } as ChannelThread["memory"],
    ready(goroutine) {
      if (Atomics.compareExchange(i32, STATUS + goroutine, WAITS, READY) !== WAITS) {
        throw new Error(`goroutine ${goroutine} is made ready but does not wait`);
      }
      Atomics.notify(i32, STATUS + goroutine);
    },
    // Models send numbers, which need no codec.
    codec: { put: () => -1, take: () => undefined, drop: () => {} },
    slab: {
      take(bytes) {
        if (taken || bytes > BLOCK_WORDS * 4) throw new Error("a second block");
        taken = true;
        return block;
      },
      give() {
        if (!taken) throw new Error("no block was taken");
        taken = false;
      },
    },
  };
}

/** What becomes of a wait. */
export type Ending = "done" | "canceled";

/** The goroutine of model thread `number`, from 1. */
export class ModelGoroutine {
  readonly memory: ModelMemory;
  readonly number: number;
  readonly thread: Thread;
  readonly channels: readonly [ChannelRecord, ChannelRecord];
  private readonly base: number;

  constructor(memory: ModelMemory, number: number, recordClass: typeof ChannelRecord = ChannelRecord) {
    seedOrder(number);
    const thread = {
      ...threadOf(memory, number),
      // No model of these dies.
      waitingSelects: new WaitingSelects(new Float64Array(0)),
    };
    const port = new ChannelPort(thread);
    this.memory = memory;
    this.number = number;
    this.thread = thread as ChannelThread as Thread;
    this.base = DESCRIPTORS + number * G_WORDS;
    this.channels = [new recordClass(port, 1, CHANNELS[0]), new recordClass(port, 2, CHANNELS[1])];
  }

  receiving(place: 0 | 1): ReceiveOperation {
    return new ReceiveOperation(this.thread, this.channels[place], GIVES_PAIR);
  }

  sending(place: 0 | 1, value: number): SendOperation {
    return new SendOperation(this.thread, this.channels[place], value);
  }

  /** Sends; throws what the send throws. */
  send(place: 0 | 1, value: number): void {
    this.wait(this.sending(place, value));
  }

  receive(place: 0 | 1): Received<number> {
    return this.wait(this.receiving(place)) as Received<number>;
  }

  selecting(...cases: ChannelOperation<unknown>[]): Operation<{ index: number; value: unknown }> {
    return selectOf("select", cases as SelectCase[]);
  }

  select(...cases: ChannelOperation<unknown>[]): { index: number; value: unknown } {
    return this.wait(this.selecting(...cases));
  }

  /** Waits as operations do. */
  wait<T>(operation: Operation<T>): T {
    if (operation.attempt() || !this.park(operation)) return operation.finish();
    this.sleep();
    operation.resume(undefined);
    return operation.finish();
  }

  /** Waits as operations do, and is cancelled as soon as it is in a queue: `undefined` if that was in time. */
  waitCanceled<T>(operation: Operation<T>): T | undefined {
    if (operation.attempt() || !this.park(operation)) return operation.finish();
    if (operation.abandon({ base: this.base } as Frame)) {
      Atomics.store(this.memory.i32, STATUS + this.number, RUNS);
      return undefined;
    }
    this.sleep();
    operation.resume(undefined);
    return operation.finish();
  }

  private park(operation: Operation<unknown>): boolean {
    const { i32 } = this.memory;
    Atomics.store(i32, STATUS + this.number, WAITS);
    if (operation.enqueue(this.number, this.base)) return true;
    Atomics.store(i32, STATUS + this.number, RUNS);
    return false;
  }

  private sleep(): void {
    const { i32 } = this.memory;
    const word = STATUS + this.number;
    while (Atomics.load(i32, word) === WAITS) Atomics.wait(i32, word, WAITS);
    Atomics.store(i32, word, RUNS);
  }
}

/** Takes what is in a buffer, after the threads have ended. */
export function leftIn(memory: ModelMemory, place: 0 | 1): number[] {
  const [first, second] = new ModelGoroutine(memory, 1).channels;
  const channel = place === 0 ? first : second;
  const values: number[] = [];
  while (memory.i32[channel.base + C_COUNT] > 0) values.push(channel.receiveNow() as number);
  return values;
}
