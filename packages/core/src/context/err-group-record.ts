/**
 * ErrGroups in shared memory: which members run and which wait for the limit, who waits for them, and the first error. Everything changes under the record's lock; goroutines are created before it is taken, and made runnable after it has been
 * released.
 */

import { MemoryLimitError, MisuseError } from "../base/errors.ts";
import type { Body } from "../goroutine/functions.ts";
import { drainWaiters, goroutineOf, removeWaiter } from "../goroutine/wait-queue.ts";
import {
  E_ACTIVE,
  E_BLOCK,
  E_GIVEN,
  E_LIMIT,
  E_PENDING,
  E_PENDING_LAST,
  E_STARTED,
  E_STARTERS,
  E_WAITERS,
  EB_ACTIVE,
  EB_CONTEXT,
  EB_ERROR,
  EB_ERROR_TAG,
  EB_FAILED,
  EB_MEMBER,
  EB_PENDING,
  G_NEXT,
  G_ON_END,
  O_LOCK,
  W_NEXT,
  W_RESULT,
} from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import { type ObjectTable, objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { cancelContext } from "./cancel.ts";
import { FailureCopy } from "./failure-copy.ts";
import { CANCELED, contextsOf } from "./tree.ts";

/** Bytes of the block. */
const BLOCK_BYTES = 64;

/** EB_FAILED */
const NOT_FAILED = 0;
const FAILED = 1;
/** There was no room to keep the error. */
const FAILED_UNKNOWN = 2;

/** A group's record, as one thread works on it. */
export class Group {
  readonly thread: Thread;
  readonly table: ObjectTable;
  readonly index: number;
  readonly base: number;
  private readonly i32: Int32Array;

  constructor(thread: Thread, index: number) {
    this.thread = thread;
    this.table = objectsOf(thread);
    this.index = index;
    this.i32 = thread.i32;
    this.base = this.table.baseOf(index);
  }

  /** A record of `kind`, with a context of its own below `parent`. */
  static create(thread: Thread, kind: number, parent: number): Group {
    const offset = thread.slab.take(BLOCK_BYTES);
    if (offset === 0) throw new MemoryLimitError("no room for another ErrGroup");
    const contexts = contextsOf(thread);
    let context = 0;
    try {
      context = contexts.create(parent);
      const group = new Group(thread, objectsOf(thread).create(kind, 0));
      group.begin(offset / 4, context);
      return group;
    } catch (error) {
      if (context !== 0) contexts.table.release(context);
      thread.slab.give(offset);
      throw error;
    }
  }

  private begin(block: number, context: number): void {
    const { i32, base } = this;
    for (let word = E_LIMIT; word < E_BLOCK; word++) i32[base + word] = 0;
    i32[base + E_LIMIT] = -1;
    i32[base + E_BLOCK] = block;
    i32[block + EB_CONTEXT] = context;
    i32[block + EB_ERROR_TAG] = 0;
    i32[block + EB_FAILED] = NOT_FAILED;
    i32[block + EB_MEMBER] = 0;
  }

  get block(): number {
    return this.i32[this.base + E_BLOCK];
  }

  get context(): number {
    return this.i32[this.block + EB_CONTEXT];
  }

  locked<T>(step: () => T): T {
    acquire(this.i32, this.base + O_LOCK, this.thread.number);
    try {
      return step();
    } finally {
      release(this.i32, this.base + O_LOCK);
    }
  }

  private get isBelowLimit(): boolean {
    const limit = this.i32[this.base + E_LIMIT];
    return limit < 0 || this.i32[this.base + E_ACTIVE] < limit;
  }

  private get hasRoom(): boolean {
    return this.isBelowLimit && this.i32[this.base + E_PENDING] === 0;
  }

  /** Creates a member, not yet queued. */
  private launch(body: Body, args: readonly unknown[]): number {
    const goroutine = this.thread.launchMember(body, args, this.index, this.context);
    this.table.retain(this.index);
    return goroutine;
  }

  /** Starts a member, or lets it wait for the limit. Returns its ticket: it has started when E_STARTED has come that far. */
  add(body: Body, args: readonly unknown[]): number {
    const { i32, base } = this;
    const goroutine = this.launch(body, args);
    let starts = false;
    const ticket = this.locked(() => {
      starts = this.hasRoom;
      if (starts) {
        i32[base + E_ACTIVE]++;
        i32[base + E_STARTED]++;
      } else {
        this.appendPending(goroutine);
      }
      return ++i32[base + E_GIVEN];
    });
    if (starts) this.thread.enqueueNew(goroutine);
    return ticket;
  }

  /** Starts a member if the limit allows. */
  tryAdd(body: Body, args: readonly unknown[]): boolean {
    const { i32, base } = this;
    const reserved = this.locked(() => {
      if (!this.hasRoom) return false;
      i32[base + E_ACTIVE]++;
      return true;
    });
    if (!reserved) return false;
    let goroutine: number;
    try {
      goroutine = this.launch(body, args);
    } catch (error) {
      this.afterMember();
      throw error;
    }
    this.locked(() => {
      i32[base + E_STARTED]++;
      i32[base + E_GIVEN]++;
    });
    this.thread.enqueueNew(goroutine);
    return true;
  }

  private appendPending(goroutine: number): void {
    const { i32, base, thread } = this;
    i32[thread.descriptorOf(goroutine) + G_NEXT] = 0;
    const last = i32[base + E_PENDING_LAST];
    if (last === 0) i32[base + E_PENDING] = goroutine;
    else i32[thread.descriptorOf(last) + G_NEXT] = goroutine;
    i32[base + E_PENDING_LAST] = goroutine;
  }

  private takePending(): number {
    const { i32, base, thread } = this;
    const first = i32[base + E_PENDING];
    if (first === 0) return 0;
    i32[base + E_PENDING] = i32[thread.descriptorOf(first) + G_NEXT];
    if (i32[base + E_PENDING] === 0) i32[base + E_PENDING_LAST] = 0;
    i32[base + E_STARTED]++;
    return first;
  }

  /**
   * A member whose descriptor is at `member` has ended, or (0) could not be started: the next may, or those who wait go on.
   *
   * What is changed first, E_PENDING or E_ACTIVE, is the step that counts the member off. Together with the note it tells the host, should the thread die in here, whether that was done: see `restore`.
   */
  afterMember(member = 0): void {
    const { i32, base, thread } = this;
    let next = 0;
    const woken = this.locked(() => {
      this.noteMember(member);
      next = this.takePending();
      if (next === 0) i32[base + E_ACTIVE]--;
      this.forgetMember(member);
      const starters = this.takeStarters();
      return this.isOver()
        ? starters.concat(drainWaiters(i32, base + E_WAITERS, thread.descriptors))
        : starters;
    });
    if (next !== 0) thread.enqueueNew(next);
    for (const goroutine of woken) thread.ready(goroutine);
  }

  private noteMember(member: number): void {
    const { i32, base, block } = this;
    i32[block + EB_ACTIVE] = i32[base + E_ACTIVE];
    i32[block + EB_PENDING] = i32[base + E_PENDING];
    i32[block + EB_MEMBER] = member;
  }

  /** It has been counted off. */
  private forgetMember(member: number): void {
    if (member !== 0) this.i32[member + G_ON_END] = 0;
    this.i32[this.block + EB_MEMBER] = 0;
  }

  /**
   * Puts the group right whose lock a thread held when it died. Returns whom to make ready: whoever may go on does, starters whose member has started, and all when no member is left.
   *
   * A member that was taken from those that wait and not queued is on no list, and is found by the sweep. How many have been started follows from how many were given and how many wait.
   */
  restore(): readonly number[] {
    const { i32, base, block, thread } = this;
    const member = i32[block + EB_MEMBER];
    const isCounted =
      i32[base + E_ACTIVE] !== i32[block + EB_ACTIVE] || i32[base + E_PENDING] !== i32[block + EB_PENDING];
    this.forgetMember(isCounted ? member : 0);
    let last = 0;
    let pending = 0;
    for (let at = i32[base + E_PENDING]; at !== 0; at = i32[thread.descriptorOf(at) + G_NEXT]) {
      last = at;
      pending++;
    }
    i32[base + E_PENDING_LAST] = last;
    i32[base + E_STARTED] = i32[base + E_GIVEN] - pending;
    const starters = this.takeStarters();
    return this.isOver()
      ? starters.concat(drainWaiters(i32, base + E_WAITERS, thread.descriptors))
      : starters;
  }

  private takeStarters(): number[] {
    const { i32, base } = this;
    const woken: number[] = [];
    const started = i32[base + E_STARTED];
    for (let waiter = i32[base + E_STARTERS]; waiter !== 0; ) {
      const following = i32[waiter + W_NEXT];
      if (i32[waiter + W_RESULT] <= started && removeWaiter(i32, base + E_STARTERS, waiter))
        woken.push(goroutineOf(i32, waiter));
      waiter = following;
    }
    return woken;
  }

  isOver(): boolean {
    return this.i32[this.base + E_ACTIVE] === 0 && this.i32[this.base + E_PENDING] === 0;
  }

  hasStarted(ticket: number): boolean {
    return this.i32[this.base + E_STARTED] >= ticket;
  }

  /** Keeps the first error, and cancels the others. */
  fail(error: unknown): void {
    const { i32, block } = this;
    // Saves the copy; under the lock it is decided.
    if (i32[block + EB_FAILED] !== NOT_FAILED) return;
    const copy = new FailureCopy(this.thread, error, "error");
    const isFirst = this.locked(() => {
      if (i32[block + EB_FAILED] !== NOT_FAILED) return false;
      i32[block + EB_FAILED] = copy.isThere ? FAILED : FAILED_UNKNOWN;
      if (copy.isThere) i32[block + EB_ERROR_TAG] = copy.moveTo(block + EB_ERROR);
      return true;
    });
    copy.end();
    if (isFirst) cancelContext(this.thread, this.context, CANCELED, error);
  }

  /** What `wait` ends with. */
  settle(): void {
    const { i32, block } = this;
    cancelContext(this.thread, this.context, CANCELED, undefined);
    const failed = i32[block + EB_FAILED];
    if (failed === NOT_FAILED) return;
    const error =
      failed === FAILED
        ? this.thread.codec.peek(block + EB_ERROR, i32[block + EB_ERROR_TAG])
        : new MemoryLimitError("errgroup: there was no room to keep the first error of the group");
    this.thread.noticeError(error);
    throw error;
  }

  /** Sets the limit, and starts the members that wait, which the limit before, 0, did not let in. */
  setLimit(limit: number): void {
    const { i32, base, thread } = this;
    const members: number[] = [];
    const woken = this.locked(() => {
      const active = i32[base + E_ACTIVE];
      if (active > 0)
        throw new MisuseError(
          `errgroup: modify limit while ${active} goroutines in the group are still active`,
        );
      i32[base + E_LIMIT] = limit < 0 ? -1 : limit;
      while (this.isBelowLimit && i32[base + E_PENDING] !== 0) {
        members.push(this.takePending());
        i32[base + E_ACTIVE]++;
      }
      return this.takeStarters();
    });
    for (const member of members) thread.enqueueNew(member);
    for (const goroutine of woken) thread.ready(goroutine);
  }

  dispose(): void {
    const { i32, block, thread } = this;
    thread.codec.drop(block + EB_ERROR, i32[block + EB_ERROR_TAG]);
    this.table.release(this.context);
    thread.slab.give(block * 4);
  }
}
