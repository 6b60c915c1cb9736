/**
 * Takes a dead thread's locks from it, and puts right what they guarded.
 *
 * A lock names its holder, so it is known which ones the thread died with. While it is held nobody else writes what it guards, so each is repaired in peace and then released. No repair takes a lock; whoever is to be
 * made ready is made ready at the end.
 *
 * Most of what locks guard has one word whose change is *the* step, and the rest follows from it; so repairing means to work out the rest anew.
 *
 * | lock | what decides | what is worked out |
 * | --- | --- | --- |
 * | global queue | GLOBAL_HEAD and the links: what is linked is queued | tail, length |
 * | a pool's list | POOL_HEAD and the links | its count. Records on their way between list and cache are lost until the sweep |
 * | idle lists | P_MACHINE and M_GRANT of each processor and machine, M_LISTED | both lists of machines, the list of idle processors, their number |
 * | a processor's timers | T_HEAP, T_WHEN, T_ORDER of each timer | the heap, and whether the dead one had taken a timer from it |
 * | contexts | X_PARENT, X_STATE | lists of children; who is below one that is done is done |
 * | the slab's chunks | the row of lengths (memory/slab-spans.ts) | bins, feet, counters |
 * | function table | FN_COUNT | nothing: what stands beyond is written anew |
 * | objects | see objects.ts, channels.ts, wait-queues.ts | |
 * | joiners of a goroutine | M_JOINERS of the holder (goroutine/completion.ts) | |
 */

import { CONTEXT_KIND, contextsOf } from "../context/tree.ts";
import { unlockForDead } from "../goroutine/completion.ts";
import {
  CACHE_POOLS,
  CACHE_WORDS,
  CONTEXT_LOCK,
  FN_LOCK,
  G_NEXT,
  G_WORDS,
  GLOBAL_LOCK,
  M_WORDS,
  O_KIND,
  O_LOCK,
  O_NEXT_FREE,
  O_REFS,
  O_WORDS,
  P_TIMER_LOCK,
  P_WORDS,
  POOL_AWAIT,
  POOL_BUMP,
  POOL_COUNT,
  POOL_G,
  POOL_HEAD,
  POOL_LOCK,
  POOL_OBJECT,
  POOL_SLAB,
  POOL_TIMER,
  POOL_WORDS,
  SCHED_LOCK,
  SLAB_CLASSES,
  SLAB_UNIT_WORDS,
  T_LEFT,
  T_WORDS,
} from "../memory/layout.ts";
import { releaseIfHeldBy } from "../memory/thread-lock.ts";
import { objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { settleSend } from "./firings.ts";
import { forEachUsed } from "./lost-goroutines.ts";
import { repairObject } from "./objects.ts";

/** Where the links of a pool's records lie. */
interface Links {
  readonly kind: number;
  readonly base: number;
  readonly stride: number;
}

/** Releases every lock of the dead thread. May be called at any time, on a thread that itself waits for one of them. */
export class DeadLocks {
  private readonly host: Thread;
  private readonly i32: Int32Array;
  private readonly dead: number;
  private readonly woken: number[] = [];

  constructor(host: Thread, dead: number) {
    this.host = host;
    this.i32 = host.i32;
    this.dead = dead;
  }

  /** Repairs and releases all. Returns whom to make ready. */
  release(): readonly number[] {
    const { host, dead } = this;
    const { memory } = host;
    host.slab.repairAfter(dead);
    for (const pool of this.pools())
      this.take(this.poolRecord(pool.kind) + POOL_LOCK, () => this.recount(pool));
    this.take(FN_LOCK, () => {});
    this.take(GLOBAL_LOCK, () => host.globalQueue.restore());
    this.take(SCHED_LOCK, () => host.idle.restore(dead));
    for (let p = 0; p < memory.shape.procs; p++)
      this.take(memory.layout.processors + p * P_WORDS + P_TIMER_LOCK, () => {
        host.timers.settleTaking(p, dead);
        host.timers.restore(p);
      });
    this.take(CONTEXT_LOCK, () => contextsOf(host).restore(this.contexts()));
    this.releaseObjects();
    this.releaseJoiners();
    return this.woken;
  }

  private take(word: number, repair: () => void): void {
    const { i32, dead } = this;
    if (Atomics.load(i32, word) !== dead + 1) return;
    repair();
    releaseIfHeldBy(i32, word, dead);
  }

  // ── pools ──

  private poolRecord(kind: number): number {
    return this.host.memory.layout.pools + kind * POOL_WORDS;
  }

  private pools(): Links[] {
    const { layout } = this.host.memory;
    const descriptors = { base: layout.goroutines + G_NEXT, stride: G_WORDS };
    const found: Links[] = [
      { ...descriptors, kind: POOL_G },
      { ...descriptors, kind: POOL_AWAIT },
      { kind: POOL_OBJECT, base: layout.objects + O_NEXT_FREE, stride: O_WORDS },
      { kind: POOL_TIMER, base: layout.timers + T_LEFT, stride: T_WORDS },
    ];
    for (let sizeClass = 0; sizeClass < SLAB_CLASSES; sizeClass++)
      found.push({ kind: POOL_SLAB + sizeClass, base: 0, stride: SLAB_UNIT_WORDS });
    return found;
  }

  /** Counts the records in the dead thread's caches: the one it had while it held no processor, and those of processors. */
  recountCaches(processors: readonly number[]): void {
    const { layout, shape } = this.host.memory;
    const cacheOf = (place: number): number => layout.caches + place * CACHE_WORDS + CACHE_POOLS;
    for (const place of [...processors, shape.procs + this.dead])
      for (const pool of this.pools()) this.recountCache(cacheOf(place) + pool.kind * 2, pool);
  }

  /** The head of a list is written before its count. */
  private recountCache(cache: number, { base, stride }: Links): void {
    const { i32 } = this;
    let count = 0;
    for (let record = i32[cache]; record !== 0; record = i32[base + record * stride]) count++;
    i32[cache + 1] = count;
  }

  private recount({ kind, base, stride }: Links): void {
    const { i32 } = this;
    const pool = this.poolRecord(kind);
    let count = 0;
    for (let record = i32[pool + POOL_HEAD]; record !== 0; record = i32[base + record * stride]) count++;
    i32[pool + POOL_COUNT] = count;
  }

  // ── objects ──

  private releaseObjects(): void {
    const { i32, host, woken } = this;
    const table = objectsOf(host);
    const end = Atomics.load(i32, this.poolRecord(POOL_OBJECT) + POOL_BUMP);
    for (let index = 1; index < end; index++) {
      const base = table.baseOf(index);
      this.take(base + O_LOCK, () => {
        settleSend(host, this.dead, base);
        woken.push(...repairObject(host, base, i32[base + O_KIND]));
      });
    }
  }

  /** Records of contexts that are in use. */
  private contexts(): number[] {
    const { i32, host } = this;
    const table = objectsOf(host);
    const end = Atomics.load(i32, this.poolRecord(POOL_OBJECT) + POOL_BUMP);
    const found: number[] = [];
    for (let index = 1; index < end; index++) {
      const base = table.baseOf(index);
      if (i32[base + O_KIND] === CONTEXT_KIND && Atomics.load(i32, base + O_REFS) > 0) found.push(index);
    }
    return found;
  }

  // ── joiners ──

  private releaseJoiners(): void {
    const { host, i32, dead } = this;
    const { layout, shape } = host.memory;
    if (dead > shape.maxMachines) return;
    const holder = { thread: dead, record: layout.machines + dead * M_WORDS };
    forEachUsed(host, (base) => void unlockForDead(i32, base, holder));
  }
}
