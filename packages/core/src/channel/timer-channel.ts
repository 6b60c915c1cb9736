/**
 * Channels that a timer sends on: `after`, Ticker.
 *
 * Such a channel has room for one value, which does not show, and a tick that finds it taken is dropped. As in Go since 1.23 no value from before is received once the timer has been stopped or set anew.
 * The stopper takes the timer out of its heap, which changes T_ARMING, then empties the channel under the channel's lock; a firing under way sends under
 * that lock, and only if T_ARMING is what it was when it began. Whichever comes first under the lock, nothing is left behind.
 *
 * Who keeps what: the channel's record keeps the timer's record, to the end of its life. A timer that is in a heap counts as one reference to the channel. One that fires once
 * hands that reference to its firing. One with a period stays in the heap, so each firing counts a reference of its own, under the heap's lock; otherwise a stop at this
 * moment could take the last one away. A channel that only its timer refers to is of no use to anybody: channel.ts sees to its end.
 */

import { claimWaiter, goroutineOf, removeWaiter } from "../goroutine/wait-queue.ts";
import { C_HIDDEN, C_RECEIVERS, O_LOCK, T_ARMING, T_TARGET, W_RESULT, W_VALUE } from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import type { Firing } from "../scheduler/thread/firing-note.ts";
import { objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { noTimerLeft, TIMER_SEND, type TimerKind } from "../scheduler/thread/timers.ts";
import { TAG_NUMBER } from "../values/tags.ts";
import { type Channel, createChannel, portOf } from "./channel.ts";
import { type ChannelPort, RECEIVED } from "./channel-port.ts";
import { drainNumbers } from "./kernel.ts";

/** A channel and its timer, not started. Throws `MemoryLimitError`. */
export function createTimerChannel(thread: Thread): Channel<number> {
  const { timers, i32 } = thread;
  const timer = timers.take(TIMER_SEND, 0);
  if (timer === 0) throw noTimerLeft();
  let channel: Channel<number>;
  try {
    channel = createChannel<number>(objectsOf(thread), 1);
  } catch (error) {
    timers.free(timer);
    throw error;
  }
  i32[timers.baseOf(timer) + T_TARGET] = channel.index;
  i32[channel.base + C_HIDDEN] = timer;
  return channel;
}

/** Starts the timer, which must not be in a heap: it sends the time in `ms` milliseconds, then every `period` ms unless that is 0. */
export function startTimerChannel(
  thread: Thread,
  { index, base }: Channel<number>,
  ms: number,
  period = 0,
): void {
  objectsOf(thread).retain(index);
  thread.timers.start(thread.i32[base + C_HIDDEN], ms, period);
}

/** Stops the timer and empties the channel. */
export function stopTimerChannel(thread: Thread, { index, base }: Channel<number>): void {
  if (thread.timers.stop(thread.i32[base + C_HIDDEN])) objectsOf(thread).release(index);
  drainNumbers(thread, index);
}

/**
 * Sends the time on a channel, unless a stop has changed the word `arming` from `expected`, or the last value has not been received yet.
 *
 * As `ChannelPort.put`, but that the receiver is noted before it is served: should the thread die in here, the host can tell from that waiter, or else from the buffer, whether it has sent (repair/firings).
 */
function sendTime(thread: Thread, index: number, arming: number, expected: number): void {
  const table = objectsOf(thread);
  const { note } = thread.timers;
  const port = portOf(table);
  const { i32, f64, slot, descriptors } = port;
  const base = table.baseOf(index);
  acquire(i32, base + O_LOCK, port.number);
  if (Atomics.load(i32, arming) === expected) {
    f64[slot >> 1] = Date.now();
    const receiver = claimWaiter(i32, base + C_RECEIVERS, descriptors);
    note.serving(receiver);
    if (receiver === 0) port.put(base, slot, TAG_NUMBER);
    else handOver(port, base, receiver);
  }
  note.sent();
  release(i32, base + O_LOCK);
  port.wakeServed();
}

/** Gives the number in the port's slot to a receiver that has been claimed; under the channel's lock. */
function handOver(port: ChannelPort, base: number, receiver: number): void {
  const { i32, f64, slot } = port;
  f64[(receiver + W_VALUE) >> 1] = f64[slot >> 1];
  i32[receiver + W_RESULT] = TAG_NUMBER | RECEIVED;
  removeWaiter(i32, base + C_RECEIVERS, receiver);
  port.served = goroutineOf(i32, receiver);
}

/** What a TIMER_SEND does. */
export const sendTimer: TimerKind = {
  fire(thread, firing) {
    finishSend(thread, firing, false);
  },
  finish: finishSend,
  keep: (thread, channel) => objectsOf(thread).retain(channel),
};

function finishSend(thread: Thread, { timer, target, arming }: Firing, hasSent: boolean): void {
  if (!hasSent) sendTime(thread, target, thread.timers.baseOf(timer) + T_ARMING, arming);
  // Before, not after: a reference that is never given back does less harm than one that is given back twice.
  thread.timers.note.end();
  objectsOf(thread).release(target);
}
