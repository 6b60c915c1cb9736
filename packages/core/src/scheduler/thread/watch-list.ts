/**
 * Finds out which objects of this thread nobody holds any more.
 *
 * A FinalizationRegistry alone does not do. Its callbacks wait for a turn of the event loop, and a goroutine that makes channels in a loop gives it none: a million records would be lost
 * before the first came back. So every object is watched through a WeakRef, in a list that can be swept at any moment.
 *
 * - A registry with a single cell, on an object that nobody holds, tells of each major collection: then the list is swept.
 * - When many objects were added with no sweep since, or the records have run out, the platform is asked to collect garbage now, and the list is swept at once.
 *
 * The engine keeps what a WeakRef was made for until the present job ends, and so would a loop's objects stay: the platform's collector must end that, too (see `setGarbageCollector`).
 *
 * The list also knows which objects have travelled. When their record arrives again, it is the same object that stands for it, so that programs may compare them.
 */

/** An object of this thread that stands for a record. */
export interface Watched {
  readonly index: number;
}

let collectGarbage: (() => void) | undefined;

/**
 * Says how garbage is collected at once. The collector must take everything that cannot be reached, also what WeakRefs were made for in the present job. Without one, objects are found only
 * after collections that the engine makes by itself.
 */
export function setGarbageCollector(collect: (() => void) | undefined): void {
  collectGarbage = collect;
}

/** Objects added since the last sweep that are worth a collection. A guess: some 20 MB of garbage, and a few hundred nanoseconds for each when the heap is small. */
const WORTH_COLLECTING = 100_000;
/** New objects without which it is probably pointless to collect though the records have run out. A guess. */
const FEW = 1000;
/** After a collection, so many times its duration pass before another is made without new objects: at most this part of the time goes into what is in vain. */
const PAUSE = 20;

/** The objects of one thread. `release` is called with the record of each that is gone. */
export class WatchList {
  private readonly release: (index: number) => void;
  private readonly written: Int32Array;
  private readonly patience: number;
  private refs: WeakRef<Watched>[] = [];
  private indexes: number[] = [];
  private readonly travelled = new Map<number, WeakRef<Watched>>();
  private readonly collections: FinalizationRegistry<undefined>;
  private sentinel = false;
  private sweepAt: number;
  private kept = 0;
  /** Milliseconds. */
  private tryAgainAt = 0;

  /** `records` is how many there are for all threads; `written` where the list is mirrored (see holdings.ts). */
  constructor(records: number, release: (index: number) => void, written: Int32Array) {
    this.release = release;
    this.written = written;
    this.patience = Math.min(WORTH_COLLECTING, Math.ceil(records / 8));
    this.sweepAt = this.patience;
    this.collections = new FinalizationRegistry(() => {
      this.sentinel = false;
      this.sweep();
    });
  }

  /** Watches an object for which a reference to its record is counted. */
  add(object: Watched): void {
    if (this.refs.length >= this.sweepAt) this.collect();
    if (!this.sentinel) this.awaitCollection();
    this.written[this.refs.length] = object.index;
    this.refs.push(new WeakRef(object));
    this.indexes.push(object.index);
  }

  /** The object has been sent somewhere: its record may come back. */
  markTravelled(object: Watched): void {
    if (!this.travelled.has(object.index)) this.travelled.set(object.index, new WeakRef(object));
  }

  /** Watches an object that was made for a record that arrived. */
  addArrived(object: Watched): void {
    this.add(object);
    this.travelled.set(object.index, new WeakRef(object));
  }

  /** The object of this thread that stands for a record. */
  find(index: number): Watched | undefined {
    return this.travelled.get(index)?.deref();
  }

  /**
   * Collects garbage and sweeps, because something has run out. False, and nothing is done, if fewer than `least` objects were added since the last sweep: what is there was held then. Much of it may be garbage by now all the same, so after
   * a while it is tried again.
   */
  collectInNeed(least: number = FEW): boolean {
    const before = performance.now();
    if (this.refs.length - this.kept < least && before < this.tryAgainAt) return false;
    this.collect();
    const after = performance.now();
    this.tryAgainAt = after + PAUSE * (after - before);
    return true;
  }

  /** Visits the records of all objects that are not gone. */
  forEach(visit: (index: number) => void): void {
    this.refs.forEach((ref, i) => {
      if (ref.deref() !== undefined) visit(this.indexes[i] as number);
    });
  }

  /** Collects garbage and sweeps. */
  collectNow(): void {
    this.collect();
  }

  private collect(): void {
    collectGarbage?.();
    this.sweep();
    this.sweepAt = Math.max(this.patience, this.kept * 2);
  }

  /** In a function of its own, so that nothing on the stack holds the cell's object. */
  private awaitCollection(): void {
    this.sentinel = true;
    this.collections.register({}, undefined);
  }

  /** Releases the records of the objects that are gone. */
  sweep(): void {
    const { refs, indexes } = this;
    const gone: number[] = [];
    let firstGone = 0;
    let kept = 0;
    for (let i = 0; i < refs.length; i++) {
      const ref = refs[i] as WeakRef<Watched>;
      const index = indexes[i] as number;
      if (ref.deref() === undefined) {
        if (gone.push(index) === 1) firstGone = i;
        continue;
      }
      refs[kept] = ref;
      indexes[kept++] = index;
    }
    this.write(firstGone, kept, refs.length);
    refs.length = kept;
    indexes.length = kept;
    this.kept = kept;
    // Last, with the lists in order: what a record holds may name other records.
    for (const index of gone) this.forget(index);
  }

  /**
   * Mirrors the list, which was the same up to `from` and has become shorter. The thread may be killed in between, and an entry that stood there twice would be given back twice: so the list ends at `from` until what follows is right.
   */
  private write(from: number, length: number, before: number): void {
    const { written, indexes } = this;
    if (length === before) return;
    written[from] = 0;
    for (let i = from + 1; i < length; i++) written[i] = indexes[i] as number;
    for (let i = Math.max(from + 1, length); i < before; i++) written[i] = 0;
    if (from < length) written[from] = indexes[from] as number;
  }

  private forget(index: number): void {
    // Another object may stand for the record by now.
    const known = this.travelled.get(index);
    if (known !== undefined && known.deref() === undefined) this.travelled.delete(index);
    this.release(index);
  }
}
