/**
 * Channels from inside the kernel, where there is a thread and a record's number: contexts close theirs, timers send into theirs (see timer-channel.ts), from whatever thread, with or without a processor.
 *
 * The caller holds a counted reference to the record all along (ObjectTable.retain). That makes the lock necessary, so it is always taken.
 */

import { C_COUNT, C_HIDDEN, O_LOCK } from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import { objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { type Channel, createChannel, portOf } from "./channel.ts";
import { type ChannelPort, CLOSED } from "./channel-port.ts";

interface Place {
  readonly port: ChannelPort;
  readonly base: number;
}

function placeOf(thread: Thread, index: number): Place {
  const table = objectsOf(thread);
  return { port: portOf(table), base: table.baseOf(index) };
}

/** Closes a channel and wakes everybody who waits. False if it was closed. */
export function closeChannel(thread: Thread, index: number): boolean {
  const { port, base } = placeOf(thread, index);
  acquire(port.i32, base + O_LOCK, port.number);
  const woken = port.close(base);
  release(port.i32, base + O_LOCK);
  if (woken === CLOSED) return false;
  port.wakeChain(woken);
  return true;
}

/** Empties the buffer of a channel that only numbers are sent into, so that a timer which was stopped or reset delivers no value from before. True if there was one. */
export function drainNumbers(thread: Thread, index: number): boolean {
  const { port, base } = placeOf(thread, index);
  acquire(port.i32, base + O_LOCK, port.number);
  const drained = port.i32[base + C_COUNT] > 0;
  while (port.i32[base + C_COUNT] > 0) port.take(base);
  release(port.i32, base + O_LOCK);
  port.wakeServed();
  return drained;
}

/** A channel that says when a context is done. */
export function createDoneChannel(thread: Thread, context: number): Channel<never> {
  const channel = createChannel<never>(objectsOf(thread), 0);
  thread.i32[channel.base + C_HIDDEN] = -context;
  return channel;
}
