/** `for v := range ch` for generator bodies. */

import { isGenerator } from "../goroutine/functions.ts";
import type { Goroutine } from "../scheduler/frames/types.ts";
import { Channel } from "./channel.ts";
import { END } from "./channel-record.ts";
import type { RangeBody, RecvChan } from "./types.ts";

/**
 * Receives until the channel is closed and drained, and calls `each` for every value; a generator that `each` returns is run before the next receive. Go's `for v := range ch`.
 *
 * @throws what `each` throws; then the rest stays in the channel
 *
 * @example
 * ```ts
 * yield* range(jobs, function* (job) {
 *   yield* results.send(work(job));
 * });
 * ```
 */
export function* range<T>(ch: RecvChan<T>, each: RangeBody<T>): Goroutine<void> {
  const channel = channelIn(ch);
  for (;;) {
    const value = yield* channel.recvOrEnd();
    if (value === END) return;
    const rest = each(value as T);
    if (isGenerator(rest)) yield* rest as Goroutine<void>;
  }
}

function channelIn<T>(value: RecvChan<T>): Channel<T> {
  if (typeof value === "object" && value !== null && Channel.is(value)) return value as Channel<T>;
  throw new TypeError(
    `range: the first argument must be a channel, not ${value === null ? "null" : typeof value}`,
  );
}
