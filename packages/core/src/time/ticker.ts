/** `after` and Ticker. */

import { printsAs } from "../base/printing.ts";
import type { Channel } from "../channel/channel.ts";
import { createTimerChannel, startTimerChannel, stopTimerChannel } from "../channel/timer-channel.ts";
import type { RecvChan } from "../channel/types.ts";
import { ambientThread, currentMachine } from "../scheduler/thread/ambient.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { neverCopied } from "../values/classify.ts";
import { durationMs } from "./duration.ts";

/**
 * A channel that receives the time, once, in `ms` milliseconds: `Date.now()` of that moment. With 0 or less at once, with `Infinity` never. Go's `time.After`.
 *
 * Made for a case of `select`. The channel is never closed; its length and capacity are 0. One that nobody holds any more is forgotten together with its timer.
 *
 * @throws `TypeError` if `ms` is no number, `RangeError` if it is NaN, `NoRuntimeError` without an ambient runtime; `MemoryLimitError` when
 * there are more than a million timers, or too many channels
 *
 * @example
 * ```ts
 * const { index } = yield* select(results.recv(), after(1000).recv());
 * if (index === 1) throw new Error("no result within a second");
 * ```
 */
export function after(ms: number): RecvChan<number> {
  const delay = durationMs("after", ms);
  const thread = currentMachine ?? ambientThread();
  const channel = createTimerChannel(thread);
  if (delay <= 0) channel.trySend(Date.now());
  else startTimerChannel(thread, channel, delay);
  return channel;
}

/**
 * A clock that ticks every `ms` milliseconds, fractions included, until it is stopped. Go's time.Ticker.
 *
 * Ticks come at multiples of the period after the start, however late single ones are. A tick that nobody has received when the next one is due stays, and the
 * next one is dropped: a slow receiver misses ticks, and never has more than one waiting. A ticker stays on the thread on which it was made (sending it throws `CloneError`); its
 * channel may be sent. One of which nobody holds ticker or channel any more is stopped.
 *
 * @example
 * ```ts
 * const ticker = new Ticker(100);
 * while (working) {
 *   yield* ticker.c.recv();
 *   report();
 * }
 * ticker.stop();
 * ```
 */
export class Ticker {
  /** Receives `Date.now()` of each tick. Never closed, not even by `stop`; its length and capacity are 0. */
  readonly c: RecvChan<number>;
  /** Ends the ticks. None is received after this call, also if one was waiting. */
  readonly stop: () => void;
  /**
   * Starts anew with another period, also after `stop`: the next tick comes in `ms` milliseconds, and none from before is received.
   *
   * @throws `RangeError` "non-positive interval for Ticker.Reset"; `TypeError` if `ms` is no number
   */
  readonly reset: (ms: number) => void;

  /**
   * @param ms the period, above 0
   * @throws `RangeError` "non-positive interval for NewTicker"; `TypeError` if `ms` is no number; `NoRuntimeError` without an ambient runtime; `MemoryLimitError` when
   * there are more than a million timers, or too many channels
   */
  constructor(ms: number) {
    const period = periodMs("Ticker", "NewTicker", ms);
    const thread = currentMachine ?? ambientThread();
    const channel = createTimerChannel(thread);
    this.c = channel;
    this.stop = () => stopTimerChannel(thread, channel);
    this.reset = (again) => restart(thread, channel, periodMs("Ticker.reset", "Ticker.Reset", again));
    startTimerChannel(thread, channel, period, period);
  }
}

neverCopied(Ticker.prototype, "a Ticker");
printsAs(Ticker.prototype, () => "Ticker {}");

function restart(thread: Thread, channel: Channel<number>, period: number): void {
  stopTimerChannel(thread, channel);
  startTimerChannel(thread, channel, period, period);
}

function periodMs(where: string, goName: string, ms: number): number {
  const period = durationMs(where, ms);
  if (period > 0) return period;
  throw new RangeError(`non-positive interval for ${goName}: ms must be above 0, not ${period}`);
}
