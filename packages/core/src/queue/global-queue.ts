/**
 * The global queue: what rings spill, what the host starts, never-run goroutines that were put aside. First in, first out.
 *
 * A list through the goroutines' own links, under a lock, with its length readable without. It is looked at every 61 scheduling rounds and whenever
 * local work ends, in batches, so the lock is seldom wanted by two.
 */

import { G_NEXT, G_WORDS, GLOBAL_HEAD, GLOBAL_LOCK, GLOBAL_SIZE, GLOBAL_TAIL } from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";

/** One thread's access to the global queue. */
export class GlobalQueue {
  private readonly i32: Int32Array;
  private readonly links: number;
  private readonly owner: number;

  constructor(i32: Int32Array, goroutines: number, owner: number) {
    this.i32 = i32;
    this.links = goroutines + G_NEXT;
    this.owner = owner;
  }

  /** Length, as last stored. Sequentially consistent, so it serves the recheck before sleep. */
  size(): number {
    return Atomics.load(this.i32, GLOBAL_SIZE);
  }

  /** Whether there seems to be nothing. A plain read, for every round of a busy machine: a miss costs a round, and whoever is about to sleep asks `size`. */
  seemsEmpty(): boolean {
    return this.i32[GLOBAL_SIZE] === 0;
  }

  /** Adds one goroutine at the end. */
  push(goroutine: number): void {
    this.append(goroutine, goroutine, 1);
  }

  /** Adds the first `count` of `goroutines`, in order. */
  pushChain(goroutines: Int32Array, count: number): void {
    const { i32, links } = this;
    for (let i = 1; i < count; i++) i32[links + goroutines[i - 1] * G_WORDS] = goroutines[i];
    this.append(goroutines[0], goroutines[count - 1], count);
  }

  /** Makes tail and length anew from head and links; under the lock, for a thread that died with it. */
  restore(): void {
    const { i32, links } = this;
    let last = 0;
    let size = 0;
    for (let at = i32[GLOBAL_HEAD]; at !== 0; at = i32[links + at * G_WORDS]) {
      last = at;
      size++;
    }
    i32[GLOBAL_TAIL] = last;
    Atomics.store(i32, GLOBAL_SIZE, size);
  }

  private append(first: number, last: number, count: number): void {
    const { i32, links } = this;
    i32[links + last * G_WORDS] = 0;
    acquire(i32, GLOBAL_LOCK, this.owner);
    const tail = i32[GLOBAL_TAIL];
    if (tail === 0) i32[GLOBAL_HEAD] = first;
    else i32[links + tail * G_WORDS] = first;
    i32[GLOBAL_TAIL] = last;
    // A store, not a plain write: the size is what a machine about to sleep looks at.
    Atomics.store(i32, GLOBAL_SIZE, i32[GLOBAL_SIZE] + count);
    release(i32, GLOBAL_LOCK);
  }

  /** Takes up to `max` from the front into `into`. Returns how many. */
  popBatch(into: Int32Array, max: number): number {
    const { i32, links } = this;
    if (Atomics.load(i32, GLOBAL_SIZE) === 0) return 0;
    acquire(i32, GLOBAL_LOCK, this.owner);
    const count = Math.min(max, i32[GLOBAL_SIZE]);
    let at = i32[GLOBAL_HEAD];
    for (let i = 0; i < count; i++) {
      into[i] = at;
      at = i32[links + at * G_WORDS];
    }
    i32[GLOBAL_HEAD] = at;
    if (at === 0) i32[GLOBAL_TAIL] = 0;
    Atomics.store(i32, GLOBAL_SIZE, i32[GLOBAL_SIZE] - count);
    release(i32, GLOBAL_LOCK);
    return count;
  }
}
