/** Every lock there is, held by goroutines of every kind, with plain memory behind it that two at once would spoil. */

import { barriers } from "../locks/barriers.ts";
import { conditions } from "../locks/conditions.ts";
import { mutexes } from "../locks/mutexes.ts";
import { readersAndWriters } from "../locks/readers-and-writers.ts";
import { semaphores } from "../locks/semaphores.ts";
import type { Scenario } from "../scenario.ts";

export const locks: Scenario = {
  name: "locks",
  about:
    "mutex, rwmutex, cond, semaphore, barrier and once side by side: what they guard is never half done, and nobody waits for ever",
  async play(stage) {
    for (let round = stage.often(2); round > 0; round--) {
      await Promise.all([
        mutexes(stage),
        readersAndWriters(stage),
        conditions(stage),
        semaphores(stage),
        barriers(stage),
      ]);
    }
  },
};
