/**
 * Records of sync objects: how they are created, shared and found again.
 *
 * A record lives as long as an object of some thread stands for it, or a value under way names it. Objects are counted when they are made and uncounted when nobody holds them
 * any more (see watch-list.ts), so a program may make any number of them over the life of a runtime. A generation in the record tells a stale name from a new one.
 *
 * A record with one reference belongs to whoever has that one: nobody else can get at it, nor get a second reference, except from him. His thread may then work on the record without its lock.
 */

import { CloneError, CorruptValueError, MemoryLimitError } from "../../base/errors.ts";
import {
  O_GENERATION,
  O_HEAD,
  O_KIND,
  O_LOCK,
  O_NEXT_FREE,
  O_REFS,
  O_TAIL,
  O_VALUE,
  O_WORDS,
  POOL_OBJECT,
  POOL_WORDS,
} from "../../memory/layout.ts";
import { RecordPool } from "../../memory/record-pool.ts";
import type { ReferenceKind } from "../../values/references.ts";
import type { Thread } from "./thread.ts";
import { WatchList } from "./watch-list.ts";

/** An object of this thread that stands for a record. */
export interface SharedObject {
  readonly table: ObjectTable;
  readonly index: number;
}

/** One thread's access to the sync objects. */
export class ObjectTable {
  readonly thread: Thread;
  readonly i32: Int32Array;
  private readonly pool: RecordPool;
  private readonly base: number;
  private readonly objects: WatchList;
  private readonly oneLeft = new Map<number, (index: number) => void>();
  private readonly disposers = new Map<number, (base: number) => void>();
  /** Records without references that wait for their turn to be disposed of; `undefined` while none is being disposed of. */
  private unreferenced: number[] | undefined = undefined;

  constructor(thread: Thread) {
    const { memory } = thread;
    this.thread = thread;
    this.i32 = memory.i32;
    this.base = memory.layout.objects;
    const region = {
      kind: POOL_OBJECT,
      pool: memory.layout.pools + POOL_OBJECT * POOL_WORDS,
      base: this.base,
      stride: O_WORDS,
      capacity: memory.shape.maxObjects + 1,
      link: O_NEXT_FREE,
    };
    this.pool = new RecordPool(memory.i32, region, thread.number, thread.cache);
    const { objects } = thread.holdings;
    this.objects = new WatchList(memory.shape.maxObjects, (index) => this.release(index), objects);
  }

  /** First word of a record. */
  baseOf(index: number): number {
    return this.base + index * O_WORDS;
  }

  /** The number of the record whose first word is `base`. */
  indexOf(base: number): number {
    return (base - this.base) / O_WORDS;
  }

  /** A new record with one reference. Throws `MemoryLimitError` when all are in use. */
  create(kind: number, value: number): number {
    this.pool.useCache(this.thread.cache);
    let index = this.pool.take();
    if (index === 0) index = this.takeWhenFull();
    const { i32 } = this;
    const base = this.baseOf(index);
    i32[base + O_KIND] = kind;
    i32[base + O_GENERATION]++;
    i32[base + O_LOCK] = 0;
    i32[base + O_VALUE] = value;
    i32[base + O_HEAD] = 0;
    i32[base + O_TAIL] = 0;
    Atomics.store(i32, base + O_REFS, 1);
    return index;
  }

  private takeWhenFull(): number {
    const index = this.objects.collectInNeed() ? this.pool.take() : 0;
    if (index !== 0) return index;
    throw new MemoryLimitError(
      `all ${this.thread.memory.shape.maxObjects} sync objects are in use (a SharedArrayBuffer that was sent counts as one)`,
    );
  }

  /** Looks for records that nobody needs, because what they hold has run out. False if that is pointless. */
  makeRoom(): boolean {
    return this.objects.collectInNeed(1);
  }

  /** Counts an object of this thread off its record when nobody holds it any more. */
  watch(object: SharedObject): void {
    this.objects.add(object);
  }

  /** The object of this thread that stands for a record which was sent or received here before. */
  find(index: number): SharedObject | undefined {
    return this.objects.find(index) as SharedObject | undefined;
  }

  /** This thread's object for a record of which a counted reference is taken over. */
  adopt<T extends SharedObject>(index: number, revive: (table: ObjectTable, index: number) => T): T {
    const known = this.find(index);
    if (known !== undefined) {
      this.release(index);
      return known as T;
    }
    const object = revive(this, index);
    this.objects.addArrived(object);
    return object;
  }

  /** Visits the records that objects of this thread stand for. An object that nobody holds counts until garbage has been collected. */
  forEachHeld(visit: (index: number) => void): void {
    this.objects.forEach(visit);
  }

  /** Collects garbage, as far as the platform can, and releases the records of what is gone. */
  collect(): void {
    this.objects.collectNow();
  }

  /** The object is about to be sent: its record may arrive here again. */
  markTravelled(object: SharedObject): void {
    this.objects.markTravelled(object);
  }

  retain(index: number): void {
    Atomics.add(this.i32, this.baseOf(index) + O_REFS, 1);
  }

  /** One more reference, for somebody who found the record in a list and has none yet. False if the last one has gone: the record is being disposed of. */
  tryRetain(index: number): boolean {
    const { i32 } = this;
    const word = this.baseOf(index) + O_REFS;
    for (;;) {
      const count = Atomics.load(i32, word);
      if (count === 0) return false;
      if (Atomics.compareExchange(i32, word, count, count + 1) === count) return true;
    }
  }

  release(index: number): void {
    const before = Atomics.sub(this.i32, this.baseOf(index) + O_REFS, 1);
    if (before === 2) this.oneLeft.get(this.i32[this.baseOf(index) + O_KIND])?.(index);
    if (before !== 1) return;
    // What a record holds may name another record, and so on: one after the other, for the stack is not deep enough for all chains.
    if (this.unreferenced !== undefined) {
      this.unreferenced.push(index);
      return;
    }
    this.unreferenced = [];
    try {
      for (let next: number | undefined = index; next !== undefined; next = this.unreferenced.pop())
        this.dispose(next);
    } finally {
      this.unreferenced = undefined;
    }
  }

  private dispose(index: number): void {
    const base = this.baseOf(index);
    this.disposers.get(this.i32[base + O_KIND])?.(base);
    this.pool.useCache(this.thread.cache);
    this.pool.give(index);
  }

  /**
   * `check` is called when a record of a kind may have come down to one reference: for kinds that something in the kernel may refer
   * to for nobody's sake, as a timer to its channel. By then the record may have been used again.
   */
  whenOneIsLeft(kind: number, check: (index: number) => void): void {
    this.oneLeft.set(kind, check);
  }

  /** Says what records of a kind hold beside their own words: `dispose` gives it back when the last reference has gone. */
  disposeWith(kind: number, dispose: (base: number) => void): void {
    this.disposers.set(kind, dispose);
  }

  generation(index: number): number {
    return this.i32[this.baseOf(index) + O_GENERATION];
  }

  /** Checks what a value says of a record. */
  check(kind: number, index: number, generation: number): void {
    const { maxObjects } = this.thread.memory.shape;
    const valid =
      index >= 1 &&
      index <= maxObjects &&
      this.i32[this.baseOf(index) + O_KIND] === kind &&
      this.generation(index) === generation;
    if (!valid)
      throw new CorruptValueError(
        `a value names sync object ${index} (kind ${kind}, generation ${generation}), which does not exist`,
      );
  }
}

const tables = new WeakMap<Thread, ObjectTable>();

/** The sync objects of a thread. */
export function objectsOf(thread: Thread): ObjectTable {
  let table = tables.get(thread);
  if (table === undefined) tables.set(thread, (table = new ObjectTable(thread)));
  return table;
}

/** How one class of sync objects travels in values. `revive` makes an object of this thread for a record whose reference is counted. */
export function objectKind<T extends SharedObject>(
  thread: Thread,
  kind: number,
  prototype: object,
  is: (value: object) => value is T,
  revive: (table: ObjectTable, index: number) => T,
): ReferenceKind<T> {
  const table = objectsOf(thread);
  return {
    kind,
    prototype,
    is,
    retain(object, words, at) {
      if (object.table !== table) throw new CloneError("the sync object belongs to another runtime");
      table.markTravelled(object);
      table.retain(object.index);
      words[at] = object.index;
      words[at + 1] = table.generation(object.index);
    },
    retainAgain: (index) => table.retain(index),
    revive(index, generation) {
      table.check(kind, index, generation);
      return table.adopt(index, revive);
    },
    release: (index) => table.release(index),
  };
}
