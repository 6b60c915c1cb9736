/** Histories of two to four threads that do whatever they like to one object at the same time, each checked against what one thread could have seen. Those of the run queues are in core's tests, under every schedule. */

import { channelHistory } from "../histories/channel-history.ts";
import { lockHistory } from "../histories/lock-history.ts";
import type { Scenario } from "../scenario.ts";

export const linearizability: Scenario = {
  name: "linearizability",
  about:
    "histories of two to four threads at one channel, mutex, rwmutex or semaphore: each could have happened one operation after the other",
  async play(stage) {
    for (let round = stage.often(60); round > 0; round--) {
      const threads = 2 + stage.random.below(Math.min(3, Math.max(1, stage.plan.procs - 1)));
      await channelHistory(stage, threads);
      await lockHistory(stage, threads);
    }
  },
};
