/**
 * The books of the shared memory: how many records of each kind are in use, and whether every free one is free exactly once.
 *
 * "A record is in exactly one of the caches, the list behind, beyond the counter, or in use" is what memory/record-pool promises. Whatever frees twice, or frees what is still in use, breaks it long before anything
 * else shows. The looks follow lists that their owners change without locks, so they mean something only while nobody takes or gives: when no goroutine is left and all machines sleep.
 */

import {
  AWAIT_RESERVE,
  CACHE_POOLS,
  CACHE_WORDS,
  G_NEXT,
  G_STATUS,
  G_WORDS,
  O_NEXT_FREE,
  O_REFS,
  O_WORDS,
  POOL_AWAIT,
  POOL_BUMP,
  POOL_COUNT,
  POOL_G,
  POOL_HEAD,
  POOL_OBJECT,
  POOL_TIMER,
  POOL_WORDS,
  T_HEAP,
  T_KIND,
  T_LEFT,
  T_WORDS,
  TIMER_CAPACITY,
} from "../memory/layout.ts";
import type { Thread } from "../scheduler/thread/thread.ts";

/** What `auditMemory` found. */
export interface MemoryAudit {
  /** Goroutine descriptors in use: live goroutines, and ended ones whose result a handle may still ask for. */
  readonly goroutines: number;
  /** Descriptors of promises and blocked threads that wait. */
  readonly waiters: number;
  /** Channels, mutexes, contexts and other objects that travel by reference. */
  readonly objects: number;
  readonly timers: number;
  /** Blocks for values, and their bytes. */
  readonly blocks: number;
  readonly bytes: number;
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[];
}

interface Kind {
  readonly name: string;
  readonly pool: number;
  readonly base: number;
  readonly stride: number;
  readonly link: number;
  /** The first number that is ever given out. */
  readonly first: number;
  readonly capacity: number;
  /** A word that is 0 in a record that nobody uses, and what it is called. */
  readonly quiet: number;
  readonly quietName: string;
}

/** Counts what is in use, and checks what is free. Exact only while nobody takes or gives. */
export function auditMemory(thread: Thread): MemoryAudit {
  const problems: string[] = [];
  const [goroutines = 0, waiters = 0, objects = 0, timers = 0] = kindsOf(thread).map((kind) =>
    auditKind(thread, kind, problems),
  );
  return { goroutines, waiters, objects, timers, ...thread.slab.census(), problems };
}

function kindsOf({ memory }: Thread): Kind[] {
  const { layout, shape } = memory;
  const descriptor = {
    base: layout.goroutines,
    stride: G_WORDS,
    link: G_NEXT,
    quiet: G_STATUS,
    quietName: "status",
  };
  const end = shape.maxGoroutines + 1;
  return [
    { ...descriptor, name: "goroutine", pool: POOL_G, first: 1, capacity: end },
    { ...descriptor, name: "waiter", pool: POOL_AWAIT, first: end, capacity: end + AWAIT_RESERVE },
    {
      name: "object",
      pool: POOL_OBJECT,
      base: layout.objects,
      stride: O_WORDS,
      link: O_NEXT_FREE,
      first: 1,
      capacity: shape.maxObjects + 1,
      quiet: O_REFS,
      quietName: "references",
    },
    {
      name: "timer",
      pool: POOL_TIMER,
      base: layout.timers,
      stride: T_WORDS,
      link: T_LEFT,
      first: 1,
      capacity: TIMER_CAPACITY,
      quiet: T_HEAP,
      quietName: "heap",
    },
  ];
}

/** Timers that are neither free nor anybody's: a thread had one in hand, just taken or about to be given back, when it died. To be asked while all machines are held. None if the free lists are not in order. */
export function timersInNobodysHands(thread: Thread): readonly number[] {
  const kind = kindsOf(thread).find(({ pool }) => pool === POOL_TIMER) as Kind;
  const problems: string[] = [];
  const free = freeOf(thread, kind, problems);
  if (problems.length > 0) return [];
  const lost: number[] = [];
  free.forEach((mark, place) => {
    const timer = place + kind.first;
    if (mark === 0 && thread.i32[kind.base + timer * kind.stride + T_KIND] === 0) lost.push(timer);
  });
  return lost;
}

/** Follows all free lists of one kind. Returns how many records are in use. */
function auditKind(thread: Thread, kind: Kind, problems: string[]): number {
  let used = 0;
  for (const mark of freeOf(thread, kind, problems)) if (mark === 0) used++;
  return used;
}

/** For each record of a kind that was ever given out whether it is free. */
function freeOf(thread: Thread, kind: Kind, problems: string[]): Uint8Array {
  const { i32, memory } = thread;
  const { layout, shape } = memory;
  const pool = layout.pools + kind.pool * POOL_WORDS;
  const given = Math.min(i32[pool + POOL_BUMP], kind.capacity);
  const seen = new Uint8Array(Math.max(0, given - kind.first));
  const walk = (place: string, head: number, count: number): void => {
    const found = auditList(thread, kind, seen, head);
    if (typeof found === "string") problems.push(`${kind.name}s, ${place}: ${found}`);
    else if (found !== count)
      problems.push(`${kind.name}s, ${place}: ${found} records in a list that counts ${count}`);
  };
  walk("list behind the caches", i32[pool + POOL_HEAD], i32[pool + POOL_COUNT]);
  for (let cache = 0; cache < shape.procs + shape.maxMachines + 2; cache++) {
    const word = layout.caches + cache * CACHE_WORDS + CACHE_POOLS + kind.pool * 2;
    if (i32[word] !== 0 || i32[word + 1] !== 0) walk(`cache ${cache}`, i32[word], i32[word + 1]);
  }
  return seen;
}

/** The length of one free list, or what is wrong with it. */
function auditList({ i32 }: Thread, kind: Kind, seen: Uint8Array, head: number): number | string {
  let length = 0;
  for (let record = head; record !== 0; length++) {
    const place = record - kind.first;
    if (!(place >= 0 && place < seen.length)) return `${record} is free and was never given out`;
    if (seen[place] !== 0) return `${record} is free twice`;
    seen[place] = 1;
    const base = kind.base + record * kind.stride;
    if (i32[base + kind.quiet] !== 0)
      return `${record} is free with ${kind.quietName} ${i32[base + kind.quiet]}`;
    record = i32[base + kind.link];
  }
  return length;
}
