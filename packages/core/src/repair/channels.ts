/**
 * Puts a channel right that a thread was working on, under its lock, when it died.
 *
 * Each of its steps leaves one of these, and nothing else:
 *
 * - The buffer. A place's tag says whether a value stands there, so count and ends are made anew from the tags. A receive first clears the tag: from then on the value was received, by a goroutine that is lost. A send sets
 *   the tag last of all: from then on the value was sent.
 * - A waiter that was being served, and is still in the queue. It says so in W_RESULT once it has what it waited for: then it is taken out and made ready. If it does not, nothing has happened to it; a select that was
 *   decided for it is undecided again.
 * - A sender whose value was put into a place of a full buffer: its W_RESULT still has the tag, so that place's tag is made up for.
 * - A close that has not reached everybody: they are taken out now.
 *
 * Afterwards those who can go on, but were left waiting because their turn was about to come, have it.
 */

import { DELIVERED, NO_VALUE, RECEIVED, RESULT_TAG } from "../channel/channel-port.ts";
import { claimWaiter, drainWaiters, goroutineOf, removeWaiter } from "../goroutine/wait-queue.ts";
import {
  C_BUFFER,
  C_CAPACITY,
  C_CLOSED,
  C_COUNT,
  C_PUT_AT,
  C_RECEIVERS,
  C_SENDERS,
  C_TAKE_AT,
  G_SELECT,
  W_CASE,
  W_NEXT,
  W_RESULT,
  W_VALUE,
} from "../memory/layout.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { repairQueue } from "./wait-queues.ts";

/** Repairs the channel whose record is at `base`; under its lock, or with nobody else at it. Returns whom to make ready. */
export function repairChannel(host: Thread, base: number): number[] {
  const { i32, descriptors } = host;
  repairQueue(i32, base + C_RECEIVERS);
  repairQueue(i32, base + C_SENDERS);
  const senderTag = settleServed(host, base + C_SENDERS, DELIVERED);
  const receiver = settleServed(host, base + C_RECEIVERS, RECEIVED);
  repairBuffer(host, base, senderTag.tag);
  const woken = [...senderTag.woken, ...receiver.woken];
  if (i32[base + C_CLOSED] !== 0) {
    woken.push(...drainWaiters(i32, base + C_RECEIVERS, descriptors));
    woken.push(...drainWaiters(i32, base + C_SENDERS, descriptors));
  } else {
    woken.push(...refill(host, base));
  }
  return woken;
}

interface Settled {
  readonly woken: readonly number[];
  /** What its W_RESULT has of a tag; -1 if nobody was being served. */
  readonly tag: number;
}

/** Takes out the first waiter if it has been served, which `mark` in its result says. Undoes a decision for a waiter that has not been. */
function settleServed(host: Thread, queue: number, mark: number): Settled {
  const { i32 } = host;
  const first = i32[queue];
  if (first !== 0 && (i32[first + W_RESULT] & mark) !== 0) {
    const tag = i32[first + W_RESULT] & RESULT_TAG;
    removeWaiter(i32, queue, first);
    return { woken: [goroutineOf(i32, first)], tag };
  }
  for (let waiter = first; waiter !== 0; waiter = i32[waiter + W_NEXT]) {
    const place = i32[waiter + W_CASE];
    // Only a thread that has this channel's lock decides for this case: the dead one.
    if (place !== 0)
      Atomics.compareExchange(i32, host.descriptorOf(goroutineOf(i32, waiter)) + G_SELECT, place, 0);
  }
  return { woken: [], tag: -1 };
}

/** Makes count and ends anew. `tag`: that of a value which was put into the place that had just become free, or -1. */
function repairBuffer(host: Thread, base: number, tag: number): void {
  const { i32, memory } = host;
  const capacity = i32[base + C_CAPACITY];
  if (capacity === 0) return;
  const tags = (i32[base + C_BUFFER] + 2 * capacity) * 4;
  const { u8 } = memory;
  if (i32[base + C_COUNT] > 0 && u8[tags + i32[base + C_TAKE_AT]] === NO_VALUE)
    i32[base + C_TAKE_AT] = (i32[base + C_TAKE_AT] + 1) % capacity;
  const freed = (i32[base + C_TAKE_AT] + capacity - 1) % capacity;
  if (tag >= 0 && i32[base + C_COUNT] === capacity && u8[tags + freed] === NO_VALUE) u8[tags + freed] = tag;
  let count = 0;
  while (count < capacity && u8[tags + ((i32[base + C_TAKE_AT] + count) % capacity)] !== NO_VALUE) count++;
  i32[base + C_COUNT] = count;
  i32[base + C_PUT_AT] = (i32[base + C_TAKE_AT] + count) % capacity;
}

/** Senders that wait though there is room have their turn. */
function refill(host: Thread, base: number): number[] {
  const { i32, memory, descriptors } = host;
  const capacity = i32[base + C_CAPACITY];
  const woken: number[] = [];
  while (i32[base + C_COUNT] < capacity) {
    const sender = claimWaiter(i32, base + C_SENDERS, descriptors);
    if (sender === 0) break;
    const at = i32[base + C_PUT_AT];
    const payload = i32[base + C_BUFFER] + 2 * at;
    i32[payload] = i32[sender + W_VALUE];
    i32[payload + 1] = i32[sender + W_VALUE + 1];
    memory.u8[(i32[base + C_BUFFER] + 2 * capacity) * 4 + at] = i32[sender + W_RESULT];
    i32[sender + W_RESULT] |= DELIVERED;
    i32[base + C_PUT_AT] = (at + 1) % capacity;
    i32[base + C_COUNT]++;
    removeWaiter(i32, base + C_SENDERS, sender);
    woken.push(goroutineOf(i32, sender));
  }
  return woken;
}
