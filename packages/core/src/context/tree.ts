/**
 * The tree of contexts in shared memory: Go's cancelCtx, timerCtx and valueCtx in one kind of record.
 *
 * A record holds a reference on its parent; a parent lists those of its children that are live, without holding them. All of that, and the change from live to done, happens under one lock, CONTEXT_LOCK: contexts
 * are made and canceled seldom compared with what goroutines do otherwise, and one lock makes "a parent is done, so are all below it" a single step. What follows from it, closing
 * channels and waking goroutines, is done after the lock has been released.
 *
 * What a context carries beside its place in the tree is in a block of its own (context-block.ts).
 */

import { CanceledError, DeadlineExceededError } from "../base/errors.ts";
import { type Channel, channelOf } from "../channel/channel.ts";
import { closeChannel, createDoneChannel } from "../channel/kernel.ts";
import {
  C_HIDDEN,
  CONTEXT_LOCK,
  X_BLOCK,
  X_CHILD,
  X_DONE,
  X_NEXT,
  X_ORIGIN,
  X_PARENT,
  X_PLAN,
  X_PREVIOUS,
  X_STATE,
  X_TAGS,
  X_TIMER,
} from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import { type ObjectTable, objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { startTimer, stopTimer } from "../time/timers.ts";
import {
  type ContextBlock,
  type ContextDetails,
  giveBlock,
  hasKey,
  moveCause,
  readCause,
  readDeadline,
  readOwner,
  readValue,
  takeBlock,
  writeDeadline,
  writeOwner,
} from "./context-block.ts";
import { FailureCopy } from "./failure-copy.ts";
import { givePlan } from "./plan.ts";

/** The number of this kind, in values and records. */
export const CONTEXT_KIND = 10;

/** X_STATE */
export const LIVE = 0;
export const CANCELED = 1;
export const EXCEEDED = 2;
/** X_STATE: its words are being written, by the only one who knows of it. The repair of a thread that died, which finds records by themselves, may not take what stands there for links. */
const MAKING = 3;

/** X_ORIGIN: it was canceled itself. */
const ITSELF = 1;
/** X_ORIGIN: its channel is still to be closed, its timer to be stopped, and the reference that keeps it until then given back. */
const UNFINISHED = 2;

/** One thread's access to the tree. */
export class ContextTree {
  readonly table: ObjectTable;
  private readonly thread: Thread;
  private readonly i32: Int32Array;

  constructor(thread: Thread) {
    this.thread = thread;
    this.table = objectsOf(thread);
    this.i32 = thread.i32;
    this.table.disposeWith(CONTEXT_KIND, (base) => this.dispose(base));
  }

  /** A new context with one reference, done at once if its parent is. Throws `CloneError` for a value that cannot be copied, `MemoryLimitError`. */
  create(parent: number, details: ContextDetails = {}): number {
    const deadline = Math.min(details.deadline ?? Number.POSITIVE_INFINITY, this.deadline(parent));
    const contents = takeBlock(this.thread, { ...details, deadline });
    let index: number;
    try {
      index = this.table.create(CONTEXT_KIND, MAKING);
    } catch (error) {
      giveBlock(this.thread, contents);
      throw error;
    }
    const base = this.table.baseOf(index);
    this.begin(base, parent, contents);
    if (parent === 0) Atomics.store(this.i32, base + X_STATE, LIVE);
    else this.adopt(parent, index, base);
    return index;
  }

  private begin(base: number, parent: number, { block, tags }: ContextBlock): void {
    const { i32 } = this;
    i32[base + X_PARENT] = parent;
    i32[base + X_CHILD] = 0;
    // Of the record's last use. One below the background is in no list, and is taken out of none: with these its end would tear up the list of others.
    i32[base + X_NEXT] = 0;
    i32[base + X_PREVIOUS] = 0;
    i32[base + X_DONE] = 0;
    i32[base + X_BLOCK] = block;
    i32[base + X_ORIGIN] = 0;
    i32[base + X_TIMER] = 0;
    i32[base + X_TAGS] = tags;
    i32[base + X_PLAN] = 0;
  }

  private adopt(parent: number, index: number, base: number): void {
    const { i32 } = this;
    this.table.retain(parent);
    this.locked(() => {
      const state = i32[this.table.baseOf(parent) + X_STATE];
      Atomics.store(i32, base + X_STATE, state);
      if (state === LIVE) this.link(parent, index, base);
    });
  }

  private link(parent: number, index: number, base: number): void {
    const { i32 } = this;
    const head = this.table.baseOf(parent) + X_CHILD;
    const first = i32[head];
    i32[base + X_NEXT] = first;
    i32[base + X_PREVIOUS] = 0;
    if (first !== 0) i32[this.table.baseOf(first) + X_PREVIOUS] = index;
    i32[head] = index;
  }

  private unlink(base: number): void {
    const { i32 } = this;
    const parent = i32[base + X_PARENT];
    const next = i32[base + X_NEXT];
    const previous = i32[base + X_PREVIOUS];
    if (previous !== 0) i32[this.table.baseOf(previous) + X_NEXT] = next;
    else if (parent !== 0) i32[this.table.baseOf(parent) + X_CHILD] = next;
    if (next !== 0) i32[this.table.baseOf(next) + X_PREVIOUS] = previous;
  }

  /** Ends a live context once its deadline has come. */
  armDeadline(index: number, delayMs: number): void {
    const { i32 } = this;
    const base = this.table.baseOf(index);
    this.table.retain(index);
    let timer: number;
    try {
      timer = startTimer(this.thread, delayMs, CONTEXT_TIMER, index);
    } catch (error) {
      this.table.release(index);
      throw error;
    }
    const late = this.locked(() => {
      if (i32[base + X_STATE] !== LIVE) return true;
      i32[base + X_TIMER] = timer;
      return false;
    });
    if (late && stopTimer(this.thread, timer)) this.table.release(index);
  }

  /** Takes the deadline's timer away, if it has one. */
  disarm(index: number): void {
    const timer = Atomics.exchange(this.i32, this.table.baseOf(index) + X_TIMER, 0);
    if (timer !== 0 && stopTimer(this.thread, timer)) this.table.release(index);
  }

  /** The timer of a deadline that has come, but has not ended the context; 0 for none. While all machines are held: then a thread has died that had taken it. */
  lostTimer(index: number): number {
    const timer = this.i32[this.table.baseOf(index) + X_TIMER];
    return this.state(index) === LIVE && timer !== 0 && !this.thread.timers.isStarted(timer) ? timer : 0;
  }

  /** Changes what a context that belongs to a goroutine says of its deadline: not later than its parent's. */
  setDeadline(index: number, epochMs: number): void {
    const above = this.deadline(this.i32[this.table.baseOf(index) + X_PARENT]);
    writeDeadline(this.thread, this.blockOf(index), Math.min(epochMs, above));
  }

  /** Makes a context a goroutine's own: its id. */
  setOwner(index: number, id: number): void {
    writeOwner(this.thread, this.blockOf(index), id);
  }

  // ── what a context says ──

  /** LIVE, CANCELED or EXCEEDED. */
  state(index: number): number {
    return index === 0 ? LIVE : Atomics.load(this.i32, this.table.baseOf(index) + X_STATE);
  }

  /** Milliseconds since the epoch, infinite for none. */
  deadline(index: number): number {
    return index === 0 ? Number.POSITIVE_INFINITY : readDeadline(this.thread, this.blockOf(index));
  }

  /** Id of the goroutine whose own context it is, 0 for none. */
  owner(index: number): number {
    return index === 0 ? 0 : readOwner(this.thread, this.blockOf(index));
  }

  /** The error of a context that is done; `undefined` while it is live. */
  error(index: number): Error | undefined {
    const state = this.state(index);
    if (state === LIVE) return undefined;
    const cause = this.givenCause(index);
    const options = cause === undefined ? undefined : { cause };
    return state === CANCELED
      ? new CanceledError("context canceled", options)
      : new DeadlineExceededError("context deadline exceeded", options);
  }

  /** Why it is done: what was given to the cancel function, else its error; `undefined` while it is live. */
  cause(index: number): unknown {
    if (this.state(index) === LIVE) return undefined;
    return this.givenCause(index) ?? this.error(index);
  }

  private givenCause(index: number): unknown {
    let at = index;
    while (at !== 0 && (this.i32[this.table.baseOf(at) + X_ORIGIN] & ITSELF) === 0)
      at = this.i32[this.table.baseOf(at) + X_PARENT];
    if (at === 0) return undefined;
    return readCause(this.thread, this.contentsOf(at));
  }

  /** The value of the nearest context above or at `index` that has the key. */
  value(index: number, key: string): unknown {
    const { i32, thread } = this;
    for (let at = index; at !== 0; at = i32[this.table.baseOf(at) + X_PARENT]) {
      const contents = this.contentsOf(at);
      if (hasKey(thread, contents, key)) return readValue(thread, contents);
    }
    return undefined;
  }

  /** Whether `above` is `index` or one of its parents. */
  isWithin(index: number, above: number): boolean {
    for (let at = index; at !== 0; at = this.i32[this.table.baseOf(at) + X_PARENT])
      if (at === above) return true;
    return false;
  }

  /** The channel that is closed when the context is done. */
  done(index: number): Channel<never> {
    const { i32, table } = this;
    const base = table.baseOf(index);
    if (Atomics.load(i32, base + X_DONE) === 0) this.makeDone(base);
    const channel = i32[base + X_DONE];
    table.retain(channel);
    return channelOf(table, channel) as Channel<never>;
  }

  private makeDone(base: number): void {
    const { i32, table, thread } = this;
    const fresh = createDoneChannel(thread, table.indexOf(base));
    const { made, closed } = this.locked(() => {
      if (i32[base + X_DONE] !== 0) return { made: false, closed: false };
      // The record's own reference.
      table.retain(fresh.index);
      Atomics.store(i32, base + X_DONE, fresh.index);
      return { made: true, closed: i32[base + X_STATE] !== LIVE };
    });
    if (made && closed) closeChannel(thread, fresh.index);
  }

  // ── ending ──

  /** Ends a context and all below it, and closes their channels; false if it was done already. Telling goroutines is the caller's part. */
  end(index: number, state: number, cause: unknown): boolean {
    if (this.i32[this.table.baseOf(index) + X_STATE] !== LIVE) return false;
    if (cause === undefined) return this.endWith(index, state, undefined);
    const copy = new FailureCopy(this.thread, cause, "cause");
    try {
      return this.endWith(index, state, copy.isThere ? copy : undefined);
    } finally {
      copy.end();
    }
  }

  private endWith(index: number, state: number, cause: FailureCopy | undefined): boolean {
    const { i32 } = this;
    const base = this.table.baseOf(index);
    const ended: number[] = [];
    this.locked(() => {
      if (i32[base + X_STATE] !== LIVE) return;
      const tag = cause === undefined ? 0 : moveCause(cause, i32[base + X_BLOCK]);
      Atomics.store(i32, base + X_TAGS, i32[base + X_TAGS] | tag);
      Atomics.or(i32, base + X_ORIGIN, ITSELF);
      this.unlink(base);
      this.endBelow(index, state, ended);
    });
    for (const each of ended) this.afterEnd(each);
    return ended.length > 0;
  }

  private endBelow(index: number, state: number, ended: number[]): void {
    const { i32, table } = this;
    table.retain(index);
    ended.push(index);
    // Every context that is found is looked through in turn; none is found twice, for each has one parent.
    for (let i = ended.length - 1; i < ended.length; i++) {
      const base = table.baseOf(ended[i]);
      Atomics.or(i32, base + X_ORIGIN, UNFINISHED);
      Atomics.store(i32, base + X_STATE, state);
      for (let child = i32[base + X_CHILD]; child !== 0; child = i32[table.baseOf(child) + X_NEXT]) {
        if (table.tryRetain(child)) ended.push(child);
        // Its last reference has just gone, and who let go of it is about to take it out of the list. It is in none any more, and has nobody to tell and none below it, who would count as references.
        else Atomics.store(i32, table.baseOf(child) + X_STATE, state);
      }
      i32[base + X_CHILD] = 0;
    }
  }

  private afterEnd(index: number): void {
    const { i32, thread, table } = this;
    const base = table.baseOf(index);
    this.disarm(index);
    const channel = Atomics.load(i32, base + X_DONE);
    if (channel !== 0) closeChannel(thread, channel);
    // From here on nobody else does this, should the thread die.
    Atomics.and(i32, base + X_ORIGIN, ~UNFINISHED);
    table.release(index);
  }

  /** Does what is left to do for contexts whose end a thread that died had begun; while all machines are held. `contexts` are the records in use. */
  finishEnds(contexts: readonly number[]): void {
    const { i32, table } = this;
    for (const index of contexts) {
      const origin = table.baseOf(index) + X_ORIGIN;
      const state = this.state(index);
      if (state === MAKING || (i32[origin] & UNFINISHED) === 0) continue;
      if (state !== LIVE) {
        this.afterEnd(index);
        continue;
      }
      // It was about to be ended, and was not.
      Atomics.and(i32, origin, ~UNFINISHED);
      table.release(index);
    }
  }

  /** Makes the lists of children anew from the parents' names, and ends what is below one that has ended; under the lock, for a thread that died with it. `contexts` are the records in use. */
  restore(contexts: readonly number[]): void {
    const { i32, table } = this;
    const isOpen = (index: number): boolean => i32[table.baseOf(index) + X_STATE] === LIVE;
    // Only of live ones: others may be given back, and used again, without the lock.
    for (const index of contexts) if (isOpen(index)) i32[table.baseOf(index) + X_CHILD] = 0;
    for (const index of contexts) {
      const ended = this.endedAbove(index);
      // Kept until the sweep tells of its end; unless the last reference has just gone.
      if (ended === 0 || !isOpen(index) || !table.tryRetain(index)) continue;
      Atomics.or(i32, table.baseOf(index) + X_ORIGIN, UNFINISHED);
      Atomics.store(i32, table.baseOf(index) + X_STATE, i32[table.baseOf(ended) + X_STATE]);
    }
    for (const index of contexts) {
      const base = table.baseOf(index);
      const parent = i32[base + X_PARENT];
      if (parent !== 0 && isOpen(index)) this.link(parent, index, base);
    }
  }

  /** The nearest context at or above `index` that has ended; 0 for none. */
  private endedAbove(index: number): number {
    const { i32, table } = this;
    let at = index;
    while (at !== 0 && i32[table.baseOf(at) + X_STATE] === LIVE) at = i32[table.baseOf(at) + X_PARENT];
    return at;
  }

  /** Gives back what a record holds that nobody names any more. */
  private dispose(base: number): void {
    const { i32, thread, table } = this;
    const parent = i32[base + X_PARENT];
    if (parent !== 0 && i32[base + X_STATE] === LIVE)
      this.locked(() => i32[base + X_STATE] === LIVE && this.unlink(base));
    givePlan(thread, base);
    giveBlock(thread, { block: i32[base + X_BLOCK], tags: i32[base + X_TAGS] });
    const done = i32[base + X_DONE];
    if (done !== 0) {
      // The channel may outlive this context, and the record be another's then.
      i32[table.baseOf(done) + C_HIDDEN] = 0;
      table.release(done);
    }
    if (parent !== 0) table.release(parent);
  }

  private blockOf(index: number): number {
    return this.i32[this.table.baseOf(index) + X_BLOCK];
  }

  private contentsOf(index: number): ContextBlock {
    // Tags get that of the cause when the context ends, maybe on another thread just now; the block stays.
    const tags = Atomics.load(this.i32, this.table.baseOf(index) + X_TAGS);
    return { block: this.blockOf(index), tags };
  }

  /** Runs `step` under CONTEXT_LOCK. It must not wait, ready anybody, or take the lock again. */
  locked<T>(step: () => T): T {
    acquire(this.i32, CONTEXT_LOCK, this.thread.number);
    try {
      return step();
    } finally {
      release(this.i32, CONTEXT_LOCK);
    }
  }
}

/** What a timer calls when a deadline has come. */
export const CONTEXT_TIMER = 4;

const trees = new WeakMap<Thread, ContextTree>();

/** The tree of contexts, as a thread sees it. */
export function contextsOf(thread: Thread): ContextTree {
  let tree = trees.get(thread);
  if (tree === undefined) trees.set(thread, (tree = new ContextTree(thread)));
  return tree;
}
