/** What models of sync protocols stand on: one record, and goroutines that sleep when they wait, each on a thread of its own. */

import type { ModelMemory } from "@heddle/testkit";
import { G_WORDS, O_LOCK, O_WORDS } from "../../src/memory/layout.ts";
import type { Waker } from "../../src/sync/lock-owner.ts";

/** 0 runs, 1 waits, 2 was made ready: a word for each goroutine, numbered from 1. */
const STATUS = 0;
/** Who is inside a critical section. */
export const INSIDE = 8;
/** Counted up, plainly, inside the critical section. */
export const COUNT = 9;
/** First word of the record. */
export const RECORD = 16;
const DESCRIPTORS: number = RECORD + O_WORDS;
export const LOCK: number = RECORD + O_LOCK;
/** Memory for three goroutines. */
export const WORDS: number = DESCRIPTORS + 4 * G_WORDS;

const RUNS = 0;
const WAITS = 1;
const READY = 2;

/** How a goroutine waits: `enqueue` as of operations, `resume` says whether it has what it waited for. */
export interface ModelWait {
  attempt(): boolean;
  enqueue(goroutine: number, base: number): boolean;
  resume(interrupt: Error | undefined): boolean;
  abandon(base: number): boolean;
}

/** Thrown at a goroutine that is cancelled. */
export const CANCELED: Error = new Error("canceled");

export class ModelGoroutine {
  readonly thread: Waker;
  readonly memory: ModelMemory;
  readonly number: number;
  readonly base: number;
  private readonly status: number;

  /** The goroutine of model thread `number`, from 1. Time is what `clock` says; it stands still by default. */
  constructor(memory: ModelMemory, number: number, clock: () => number = () => 0) {
    const { i32, f64 } = memory;
    this.memory = memory;
    this.number = number;
    this.base = DESCRIPTORS + number * G_WORDS;
    this.status = STATUS + number;
    const ready = (goroutine: number): void => {
      if (Atomics.compareExchange(i32, STATUS + goroutine, WAITS, READY) !== WAITS) {
        throw new Error(`goroutine ${goroutine} is made ready but does not wait`);
      }
      Atomics.notify(i32, STATUS + goroutine);
    };
    const readyAll = (goroutines: readonly number[]): void => goroutines.forEach(ready);
    const ownerMark = (): number => number;
    this.thread = { i32, f64, number, descriptors: DESCRIPTORS, clock, ownerMark, ready, readyAll };
  }

  /** Waits as operations do. */
  wait(wait: ModelWait): void {
    if (wait.attempt()) return;
    while (this.park(wait)) {
      this.sleep();
      if (wait.resume(undefined) || wait.attempt()) return;
    }
  }

  /** Waits as operations do, and is cancelled as soon as it is in a queue. True if it went through all the same. */
  waitCanceled(wait: ModelWait): boolean {
    if (wait.attempt() || !this.park(wait)) return true;
    if (wait.abandon(this.base)) {
      Atomics.store(this.memory.i32, this.status, RUNS);
      return false;
    }
    this.sleep();
    return wait.resume(undefined) || this.isCanceled(wait);
  }

  private isCanceled(wait: ModelWait): false {
    try {
      wait.resume(CANCELED);
    } catch (error) {
      if (error === CANCELED) return false;
      throw error;
    }
    throw new Error("a cancelled goroutine goes on waiting");
  }

  /** Waits as operations do, and is cancelled when it has been woken and has to wait once more. True if it did not have to. */
  waitOnce(wait: ModelWait): boolean {
    if (wait.attempt() || !this.park(wait)) return true;
    this.sleep();
    return wait.resume(undefined) || this.isCanceled(wait);
  }

  private park(wait: ModelWait): boolean {
    const { i32 } = this.memory;
    Atomics.store(i32, this.status, WAITS);
    if (wait.enqueue(this.number, this.base)) return true;
    Atomics.store(i32, this.status, RUNS);
    return false;
  }

  protected sleep(): void {
    const { i32 } = this.memory;
    while (Atomics.load(i32, this.status) === WAITS) Atomics.wait(i32, this.status, WAITS);
    Atomics.store(i32, this.status, RUNS);
  }

  /** What must not be interrupted by another. */
  enter(): void {
    const { i32 } = this.memory;
    if (Atomics.add(i32, INSIDE, 1) !== 0) throw new Error("two are inside");
    i32[COUNT]++;
    Atomics.sub(i32, INSIDE, 1);
  }
}
