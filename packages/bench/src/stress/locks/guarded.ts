/** What a lock guards, and ways to spend time with one in hand. */

import type { SeededRandom } from "@heddle/testkit";
import { type Goroutine, gosched, sleep } from "heddle";
import { BrokenInvariant } from "../scenario.ts";

/** Somewhere to lose time with a lock in hand. */
export function* linger(random: SeededRandom): Goroutine<void> {
  const how = random.below(12);
  if (how < 3) yield* gosched();
  else if (how === 3) yield* sleep(0.05);
}

/** Adds to two words that only a lock holds together: without it, additions are lost and the words differ. */
export function addPlainly(words: Int32Array): void {
  const [a, b] = words as unknown as [number, number];
  if (a !== b) throw new BrokenInvariant(`what a mutex guards was half done: ${a} and ${b}`);
  words[0] = a + 1;
  words[1] = b + 1;
}
