/** What threads do to a channel, and what one thread could have seen. */

import { type SequentialModel, seeded } from "@heddle/testkit";
import { type Chan, ClosedChannelError, chan, type Goroutine, goroutine } from "heddle";
import type { Stage } from "../scenario.ts";
import { ACTS, type Act, type Outcome, playHistory, type Recorded, Recorder } from "./history.ts";

const channelUser = goroutine(
  import.meta,
  function* channelUser(
    thread: number,
    threads: number,
    seed: number,
    words: Int32Array,
    channel: Chan<number>,
  ): Goroutine<Recorded[]> {
    const random = seeded(seed);
    const recorder = new Recorder(thread, words);
    recorder.meet(threads);
    for (let act = 0; act < ACTS; act++) {
      const value = (thread + 1) * 100 + act;
      // The first thread never waits, and closes the channel in the end, so that nobody waits for ever.
      const last = thread === 0 && act === ACTS - 1;
      const what = last ? 4 : random.below(thread === 0 ? 2 : 4);
      const began = recorder.begin();
      if (what === 0) recorder.end(began, "trySend", value, triedToSend(channel, value));
      else if (what === 1) recorder.end(began, "tryRecv", 0, triedToReceive(channel));
      else if (what === 2) recorder.end(began, "send", value, yield* sent(channel, value));
      else if (what === 3) {
        const [received, ok] = yield* channel.recvOk();
        recorder.end(began, "recv", 0, ok ? received : "closed");
      } else {
        channel.close();
        recorder.end(began, "close", 0, "done");
      }
    }
    return recorder.acts;
  },
);

function triedToSend(channel: Chan<number>, value: number): Outcome {
  try {
    return channel.trySend(value) ? "done" : "refused";
  } catch (error) {
    if (error instanceof ClosedChannelError) return "closed";
    throw error;
  }
}

function triedToReceive(channel: Chan<number>): Outcome {
  const received = channel.tryRecv();
  if (received === undefined) return "nothing";
  return received[1] ? received[0] : "closed";
}

function* sent(channel: Chan<number>, value: number): Goroutine<Outcome> {
  try {
    yield* channel.send(value);
    return "done";
  } catch (error) {
    if (error instanceof ClosedChannelError) return "closed";
    throw error;
  }
}

interface ChannelState {
  readonly values: readonly number[];
  readonly closed: boolean;
}

/**
 * A channel as one thread sees it. Without a buffer a send and the receive that takes its value happen at one moment: the value stands there until the very next operation, which must be that receive. A refusal of a channel
 * without a buffer proves nothing: who would have met may not have been queued yet.
 */
function channelModel(capacity: number): SequentialModel<ChannelState, Act, Outcome> {
  const room = Math.max(1, capacity);
  return {
    initial: { values: [], closed: false },
    key: ({ values, closed }) => `${values.join()}${closed ? "!" : ""}`,
    step: ({ values, closed }, { name, value }, result) => {
      const receives = name === "recv" || name === "tryRecv";
      if (capacity === 0 && values.length > 0 && !(receives && result === values[0])) return undefined;
      if (name === "close") return { values, closed: true };
      if (receives) {
        if (result === "nothing")
          return !closed && (capacity === 0 || values.length === 0) ? { values, closed } : undefined;
        if (result === "closed") return closed && values.length === 0 ? { values, closed } : undefined;
        return values[0] === result ? { values: values.slice(1), closed } : undefined;
      }
      if (result === "closed") return closed ? { values, closed } : undefined;
      if (closed) return undefined;
      if (result === "refused")
        return capacity === 0 || values.length === room ? { values, closed } : undefined;
      return values.length < room ? { values: [...values, value], closed } : undefined;
    },
  };
}

/** Plays one, and checks it. */
export function channelHistory(stage: Stage, threads: number): Promise<void> {
  const { runtime, random } = stage;
  const capacity = random.below(4);
  const channel = runtime.enter(() => chan<number>(capacity));
  const what = `channel of capacity ${capacity}`;
  return playHistory(stage, threads, what, channelModel(capacity), (thread, words) =>
    runtime.run(channelUser, thread, threads, stage.seed(), words, channel),
  );
}
