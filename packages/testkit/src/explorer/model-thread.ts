/**
 * One thread of a model: code, the log of its accesses to shared memory, and where it stands.
 *
 * The code is deterministic but for what it reads from shared memory. So the log of results *is* the thread's local state: running
 * the code from its start and answering each access from the log brings back every local variable. Going back in time is cutting
 * the log; keys and results beyond `state.length` are left over from another execution and mean nothing.
 *
 * Spinning. A loop that reads the same words over and over would make an execution infinite. A read is *idle* when the thread
 * has already read that word with that result since it last made progress, where progress is a change of memory, a value not seen before
 * or being woken. After `idleLimit` idle reads in a row the thread yields: nobody needs to see it read the same once more, so it
 * stands aside until another thread changes memory. First reads of a word break the row, thus a scan of many words is no spinning.
 */

import { ExplorerError } from "./explorer-error.ts";
import { type AccessKey, describeKey, indexOfKey, operationOfKey, SPIN_HINT } from "./operation.ts";
import { mix, SEED_A, SEED_B } from "./tracked-memory.ts";

/** What an access gave back. Numbers, the texts of `Atomics.wait`, nothing for a hint. */
export type AccessResult = number | string | undefined;

export const READY = 0;
/** Spinning: aside until another thread changes memory. */
export const YIELDED = 1;
/** In `Atomics.wait`, until notified. */
export const WAITING = 2;
/** In `Atomics.wait` with a timeout. */
export const WAITING_TIMED = 3;
export const DONE = 4;
/** Killed by the explorer: takes no further step. */
export const KILLED = 5;
/** A repair thread before there is anything to repair. */
export const DORMANT = 6;

type Status = number;

/** How far back an idle read is looked for: the accesses of the longest spin loop that is noticed. A guess; ours have under ten. */
const LONGEST_LOOP = 64;

/** What changes while a thread runs, beside its log. Copied at each branch of the exploration. */
export interface ThreadState {
  status: Status;
  /** Accesses in the log. */
  length: number;
  /** First access since the thread last made progress. */
  freshFrom: number;
  /** Idle reads in a row. */
  idleReads: number;
  /** Waits that timed out though another thread could have run. */
  timeouts: number;
  /** Fingerprint of the log, in two lanes. */
  laneA: number;
  laneB: number;
}

export class ModelThread {
  readonly index: number;
  readonly code: () => unknown;
  state: ThreadState;
  /** What the code returned, once it is done. */
  returned: unknown;

  private readonly idleLimit: number;
  private readonly keys: AccessKey[] = [];
  private readonly results: AccessResult[] = [];

  constructor(index: number, code: () => unknown, idleLimit: number, status: Status = READY) {
    this.index = index;
    this.code = code;
    this.idleLimit = idleLimit;
    this.state = { status, length: 0, freshFrom: 0, idleReads: 0, timeouts: 0, laneA: 0, laneB: 0 };
  }

  /** Whether access number `at`, which is in the log, was this one. */
  isSame(at: number, key: AccessKey): boolean {
    return this.keys[at] === key;
  }

  resultOf(at: number): AccessResult {
    return this.results[at];
  }

  /** The code, run again, does something else at a logged access than it did before. */
  notDeterministic(at: number, now: string): ExplorerError {
    const before = describeKey(this.keys[at] as AccessKey); // `at` is in the log
    return new ExplorerError(
      `thread ${this.index} is not deterministic: its access ${at} was a ${before}, run again it is: ${now}. ` +
        "Its code may depend on nothing but the results of its accesses, and may keep nothing outside its function",
    );
  }

  /** Adds an access that was carried out. `isProgress` says that it changed memory, or woke somebody or this thread. */
  append(key: AccessKey, result: AccessResult, isProgress: boolean): void {
    const { state } = this;
    const at = state.length++;
    this.keys[at] = key;
    this.results[at] = result;
    const folded = foldResult(result);
    state.laneA = mix(state.laneA ^ key, folded, SEED_A);
    state.laneB = mix(state.laneB ^ key, folded, SEED_B);
    if (isProgress) this.noteProgress();
    else this.noteRead(at, key, result);
  }

  /** Falls asleep in an `Atomics.wait`, whose result follows on waking. */
  sleep(key: AccessKey, timed: boolean): void {
    this.keys[this.state.length] = key;
    this.state.status = timed ? WAITING_TIMED : WAITING;
  }

  /** Ends the `Atomics.wait` it is in. */
  wake(result: "ok" | "timed-out"): void {
    this.state.status = READY;
    this.append(this.keys[this.state.length] as AccessKey, result, true);
  }

  /** The word it sleeps on. */
  waitWord(): number {
    return indexOfKey(this.keys[this.state.length] as AccessKey); // sleep() has put it there
  }

  isAsleep(): boolean {
    return this.state.status === WAITING || this.state.status === WAITING_TIMED;
  }

  /** Whether the execution is incomplete without further steps of this thread. */
  isUnfinished(): boolean {
    return this.state.status < DONE;
  }

  isDone(): boolean {
    return this.state.status === DONE;
  }

  /** Another thread changed memory: spinning may find something new. */
  resumeSpinning(): void {
    if (this.state.status !== YIELDED) return;
    this.state.status = READY;
    this.noteProgress();
  }

  /** Everything but the log that the thread's future depends on: 7 bits of window, 8 of idle reads, 4 of timeouts, then the status. */
  counters(): number {
    const { status, length, freshFrom, idleReads, timeouts } = this.state;
    const window = Math.min(length - freshFrom, LONGEST_LOOP);
    return window | (idleReads << 7) | (timeouts << 15) | (status << 19);
  }

  private noteProgress(): void {
    this.state.freshFrom = this.state.length;
    this.state.idleReads = 0;
  }

  private noteRead(at: number, key: AccessKey, result: AccessResult): void {
    const { state } = this;
    if (operationOfKey(key) === SPIN_HINT) {
      state.status = YIELDED;
      return;
    }
    const earlier = this.lastSame(at, key);
    if (earlier >= 0 && !Object.is(this.results[earlier], result)) this.noteProgress();
    else if (earlier < 0) state.idleReads = 0;
    else if (++state.idleReads >= this.idleLimit) state.status = YIELDED;
  }

  /** The latest access since progress, before `at`, with the same key; -1 if there is none nearby. */
  private lastSame(at: number, key: AccessKey): number {
    const lowest = Math.max(this.state.freshFrom, at - LONGEST_LOOP);
    for (let i = at - 1; i >= lowest; i--) if (this.keys[i] === key) return i;
    return -1;
  }
}

const bits = new DataView(new ArrayBuffer(8));

/** An integer that stands for a result in fingerprints. */
function foldResult(result: AccessResult): number {
  if (typeof result === "number") return (result | 0) === result ? result : foldFraction(result);
  return result === undefined ? 0 : result.charCodeAt(0); // "ok", "not-equal" and "timed-out" differ in the first letter
}

function foldFraction(value: number): number {
  bits.setFloat64(0, value);
  return Math.imul(bits.getInt32(0), 31) ^ bits.getInt32(4);
}
