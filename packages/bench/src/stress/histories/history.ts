/**
 * Short histories of what some threads do to one object at the same time.
 *
 * The goroutines of a history meet at its beginning and hold their threads until all are there, so each has a thread of its own. They note the beginning and the end of every operation by a clock in shared memory.
 */

import {
  checkLinearizable,
  formatHistory,
  type RecordedOperation,
  type SequentialModel,
} from "@heddle/testkit";
import { BrokenInvariant, ledger, type Stage } from "../scenario.ts";

/** What a thread did: a name, and perhaps a number. */
export interface Act {
  readonly name: string;
  readonly value: number;
}
/** What came of it: a value, or one of the words. */
export type Outcome = number | "done" | "refused" | "closed" | "nothing";
export type Recorded = RecordedOperation<Act, Outcome>;

/** Words of the ledger that a history shares. */
const CLOCK = 0;
const PRESENT = 1;

/** How long a goroutine holds its thread to wait for the others: with no other thread to run them they would never come. */
const MEETING_MS = 20;

/** Notes operations of one thread. */
export class Recorder {
  readonly acts: Recorded[] = [];
  private readonly thread: number;
  private readonly words: Int32Array;

  constructor(thread: number, words: Int32Array) {
    this.thread = thread;
    this.words = words;
  }

  /** Waits for the others, holding this thread. */
  meet(threads: number): void {
    Atomics.add(this.words, PRESENT, 1);
    const until = performance.now() + MEETING_MS;
    while (Atomics.load(this.words, PRESENT) < threads && performance.now() < until);
  }

  begin(): number {
    return Atomics.add(this.words, CLOCK, 1);
  }

  end(began: number, name: string, value: number, result: Outcome): void {
    const ended = Atomics.add(this.words, CLOCK, 1);
    this.acts.push({ thread: this.thread, operation: { name, value }, result, began, ended });
  }
}

/** What each thread does in a history. */
export const ACTS = 9;

/**
 * Plays a history: that many goroutines at once, each of which `start` starts with its number and the words they share. Throws unless some order of what they did explains what came of it.
 */
export async function playHistory<State>(
  stage: Stage,
  threads: number,
  what: string,
  model: SequentialModel<State, Act, Outcome>,
  start: (thread: number, words: Int32Array) => Promise<Recorded[]>,
): Promise<void> {
  const words = ledger(2);
  const acts = await Promise.all(Array.from({ length: threads }, (_, thread) => start(thread, words)));
  check(what, acts.flat(), model);
  stage.did(threads * ACTS);
}

function check<State>(what: string, history: Recorded[], model: SequentialModel<State, Act, Outcome>): void {
  const { linearizable, stuck } = checkLinearizable(history, model);
  if (linearizable) return;
  throw new BrokenInvariant(
    `no order explains this history of a ${what}:\n${formatHistory(history)}\nno order goes on with:\n${formatHistory(stuck)}`,
  );
}
