/** Channels as programs have them. */

import { MemoryLimitError } from "../base/errors.ts";
import { printsAs } from "../base/printing.ts";
import { show } from "../base/show.ts";
import { C_CAPACITY, C_COUNT, C_HIDDEN, O_REFS, T_KIND, T_TARGET } from "../memory/layout.ts";
import { ambientThread, currentMachine } from "../scheduler/thread/ambient.ts";
import {
  type ObjectTable,
  objectKind,
  objectsOf,
  type SharedObject,
} from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { TIMER_SEND } from "../scheduler/thread/timers.ts";
import type { ReferenceKind } from "../values/references.ts";
import { ChannelPort } from "./channel-port.ts";
import { ChannelRecord, END, NOTHING } from "./channel-record.ts";
import { GIVES_END, GIVES_PAIR, GIVES_VALUE, ReceiveOperation, SendOperation } from "./operations.ts";
import type { Chan, ChanOp, Received } from "./types.ts";

/** The number of this kind, in values and records. */
export const CHANNEL_KIND = 3;

/** Bytes of a place in the buffer: payload and tag. */
const PLACE_BYTES = 9;
/** The largest buffer: 144 MiB. Go's bound is the address space; this one keeps a slip of the pen from taking all memory for values. */
export const MAX_CAPACITY: number = 2 ** 24;

export class Channel<T> extends ChannelRecord implements Chan<T>, SharedObject {
  readonly table: ObjectTable;
  readonly #thread: Thread;

  /** For a record with a counted reference. */
  constructor(table: ObjectTable, index: number) {
    super(portOf(table), index, table.baseOf(index));
    this.table = table;
    this.#thread = table.thread;
  }

  /** Whether this is really a channel: a program can copy the prototype, but not this field. */
  static is(value: object): value is Channel<unknown> {
    return #thread in value;
  }

  send(value: T): ChanOp<void> {
    return new SendOperation(this.#thread, this, value);
  }

  recv(): ChanOp<T | undefined> {
    return new ReceiveOperation(this.#thread, this, GIVES_VALUE) as unknown as ChanOp<T | undefined>;
  }

  recvOk(): ChanOp<Received<T>> {
    return new ReceiveOperation(this.#thread, this, GIVES_PAIR) as unknown as ChanOp<Received<T>>;
  }

  /** The next value, or END. */
  recvOrEnd(): ChanOp<T | typeof END> {
    return new ReceiveOperation(this.#thread, this, GIVES_END) as unknown as ChanOp<T | typeof END>;
  }

  trySend(value: T): boolean {
    return this.sendOrNot(value);
  }

  tryRecv(): Received<T> | undefined {
    const value = this.receiveOrNothing();
    if (value === NOTHING) return undefined;
    return value === END ? [undefined, false] : [value as T, true];
  }

  close(): void {
    this.closeNow();
  }

  get length(): number {
    const { i32 } = this.port;
    return i32[this.base + C_HIDDEN] === 0 ? Atomics.load(i32, this.base + C_COUNT) : 0;
  }

  get capacity(): number {
    const { i32 } = this.port;
    return i32[this.base + C_HIDDEN] === 0 ? i32[this.base + C_CAPACITY] : 0;
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return new ChannelIterator<T>(this);
  }
}

printsAs<Channel<unknown>>(
  Channel.prototype,
  ({ index, length, capacity }) => `Channel(${index}) { length: ${length}, capacity: ${capacity} }`,
);

/** `for await`: ends when the channel is closed and drained. Leaving the loop early leaves the channel as it is. */
class ChannelIterator<T> implements AsyncIterator<T, undefined> {
  private readonly channel: Channel<T>;

  constructor(channel: Channel<T>) {
    this.channel = channel;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const value = await this.channel.recvOrEnd();
    return value === END ? { done: true, value: undefined } : { done: false, value: value as T };
  }
}

// ───────────────────────────── making and finding channels ─────────────────────────────

let lastTable: ObjectTable | undefined;
let lastPort: ChannelPort | undefined;
const ports = new WeakMap<ObjectTable, ChannelPort>();

/** The port of a thread's table of objects. */
export function portOf(table: ObjectTable): ChannelPort {
  if (table === lastTable) return lastPort as ChannelPort;
  let port = ports.get(table);
  if (port === undefined) ports.set(table, (port = new ChannelPort(table.thread)));
  lastTable = table;
  lastPort = port;
  return port;
}

/** A new channel of a thread. `capacity` was checked. */
export function createChannel<T>(table: ObjectTable, capacity: number): Channel<T> {
  const port = portOf(table);
  let buffer = 0;
  if (capacity > 0) {
    buffer = table.thread.slab.take(capacity * PLACE_BYTES) / 4;
    if (buffer === 0)
      throw new MemoryLimitError(
        `no room for a channel of capacity ${capacity}: the memory for values, ${table.thread.slab.maxBytes} bytes, is in use`,
      );
  }
  let index: number;
  try {
    index = table.create(CHANNEL_KIND, 0);
  } catch (error) {
    if (buffer !== 0) table.thread.slab.give(buffer * 4);
    throw error;
  }
  port.initialise(table.baseOf(index), capacity, buffer);
  const channel = new Channel<T>(table, index);
  table.watch(channel);
  return channel;
}

/**
 * Makes a channel. Go's `make(chan T, capacity)`.
 *
 * @param capacity values that can be sent before somebody receives; 0, the default, to 16,777,216. With 0, a send and a receive meet.
 * @throws `RangeError` "makechan: size out of range"; `MemoryLimitError` when the buffer does not fit or there are too many channels and sync objects; `NoRuntimeError` without an ambient runtime
 *
 * @example
 * ```ts
 * const results = chan<number>(16);
 * go(worker, results); // yield* results.send(42)
 * const first = yield* results.recv();
 * ```
 */
export function chan<T>(capacity = 0): Chan<T> {
  const table = objectsOf(currentMachine ?? ambientThread());
  if (!(Number.isInteger(capacity) && capacity >= 0 && capacity <= MAX_CAPACITY)) throw outOfRange(capacity);
  return createChannel<T>(table, capacity);
}

function outOfRange(capacity: unknown): RangeError {
  return new RangeError(
    `makechan: size out of range: capacity must be an integer from 0 to ${MAX_CAPACITY}, not ${show(capacity)}`,
  );
}

/** How channels travel in values. */
export function channelKind(thread: Thread): ReferenceKind<Channel<unknown>> {
  const table = objectsOf(thread);
  // What is in the buffers of dropped channels is memory for values.
  thread.slab.whenFull = () => table.makeRoom();
  table.disposeWith(CHANNEL_KIND, (base) => {
    portOf(table).dispose(base);
    const timer = thread.i32[base + C_HIDDEN];
    if (timer > 0) thread.timers.free(timer);
  });
  table.whenOneIsLeft(CHANNEL_KIND, (index) => stopUnusedTimer(thread, index));
  return objectKind(
    thread,
    CHANNEL_KIND,
    Channel.prototype,
    Channel.is,
    (of, index) => new Channel(of, index),
  );
}

/**
 * The timer that sends on a channel refers to it. When that is the only reference, nobody can ever receive: the timer is stopped, and
 * the channel's record goes. Should the record have been used again meanwhile, the look under the timer's lock says whether the new
 * channel, too, is its timer's alone; while the timer is in a heap, its channel's record cannot change hands.
 */
function stopUnusedTimer(thread: Thread, index: number): void {
  const { i32, timers } = thread;
  const table = objectsOf(thread);
  const base = table.baseOf(index);
  const timer = i32[base + C_HIDDEN];
  if (timer <= 0) return;
  const isUnused = (at: number): boolean =>
    i32[at + T_KIND] === TIMER_SEND && i32[at + T_TARGET] === index && Atomics.load(i32, base + O_REFS) === 1;
  if (timers.stop(timer, isUnused)) table.release(index);
}

/** This thread's channel for a record, of which a counted reference is taken over. */
export function channelOf(table: ObjectTable, index: number): Channel<unknown> {
  return table.adopt(index, (of, at) => new Channel<unknown>(of, at));
}
