/** golang.org/x/sync/errgroup: goroutines with one context and one error. */

import { CloneError, MemoryLimitError, MisuseError } from "../base/errors.ts";
import { messageOf, show } from "../base/show.ts";
import type { Body } from "../goroutine/functions.ts";
import {
  drainWaiters,
  enqueueWaiter,
  goroutineOf,
  ownWaiter,
  removeWaiter,
} from "../goroutine/wait-queue.ts";
import { REASON_ERRGROUP, type WaitReason } from "../goroutine/wait-reason.ts";
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
  EB_CONTEXT,
  EB_ERROR,
  EB_ERROR_TAG,
  EB_FAILED,
  G_NEXT,
  G_WAITER,
  O_LOCK,
  W_NEXT,
  W_RESULT,
} from "../memory/layout.ts";
import { acquire, release } from "../memory/thread-lock.ts";
import type { Frame } from "../scheduler/frames/frame.ts";
import type { GoFunction, Op } from "../scheduler/frames/types.ts";
import { ambientThread } from "../scheduler/thread/ambient.ts";
import type { EndHook } from "../scheduler/thread/end-hook.ts";
import { Operation } from "../scheduler/thread/operation.ts";
import { type ObjectTable, objectKind, objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import type { ReferenceKind } from "../values/references.ts";
import { cancelContext } from "./cancel.ts";
import { type Context, context, contextIndex, openContext } from "./context.ts";
import { CANCELED, contextsOf } from "./tree.ts";

/** The number of this kind, in values and records. */
export const ERR_GROUP_KIND = 11;

/** Bytes of the block. */
const BLOCK_BYTES = 64;

/** A group's record, as one thread works on it. */
class Group {
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

  static create(thread: Thread, parent: number): Group {
    const offset = thread.slab.take(BLOCK_BYTES);
    if (offset === 0) throw new MemoryLimitError("no room for another ErrGroup");
    const { i32 } = thread;
    const block = offset / 4;
    const group = new Group(thread, objectsOf(thread).create(ERR_GROUP_KIND, 0));
    for (let word = E_LIMIT; word < E_BLOCK; word++) i32[group.base + word] = 0;
    i32[group.base + E_LIMIT] = -1;
    i32[group.base + E_BLOCK] = block;
    i32[block + EB_CONTEXT] = contextsOf(thread).create(parent);
    i32[block + EB_ERROR_TAG] = 0;
    i32[block + EB_FAILED] = 0;
    return group;
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

  private get hasRoom(): boolean {
    const limit = this.i32[this.base + E_LIMIT];
    return (limit < 0 || this.i32[this.base + E_ACTIVE] < limit) && this.i32[this.base + E_PENDING] === 0;
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

  /** A member has ended, or could not be started: the next may, or those who wait go on. */
  afterMember(): void {
    const { i32, base, thread } = this;
    let next = 0;
    const woken = this.locked(() => {
      next = this.takePending();
      if (next === 0) i32[base + E_ACTIVE]--;
      const starters = this.takeStarters();
      return this.isOver()
        ? starters.concat(drainWaiters(i32, base + E_WAITERS, thread.descriptors))
        : starters;
    });
    if (next !== 0) thread.enqueueNew(next);
    for (const goroutine of woken) thread.ready(goroutine);
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
    const first = this.locked(() => {
      if (i32[block + EB_FAILED] === 1) return false;
      i32[block + EB_FAILED] = 1;
      i32[block + EB_ERROR_TAG] = this.putError(error);
      return true;
    });
    if (first) cancelContext(this.thread, this.context, CANCELED, error);
  }

  private putError(error: unknown): number {
    const { codec } = this.thread;
    try {
      return codec.put(this.block + EB_ERROR, error, "error");
    } catch (failure) {
      const plain =
        failure instanceof CloneError && error instanceof Error ? new Error(messageOf(error)) : failure;
      return codec.put(this.block + EB_ERROR, plain, "error");
    }
  }

  /** What `wait` ends with. */
  settle(): void {
    const { i32, block } = this;
    cancelContext(this.thread, this.context, CANCELED, undefined);
    if (i32[block + EB_FAILED] === 0) return;
    const error = this.thread.codec.peek(block + EB_ERROR, i32[block + EB_ERROR_TAG]);
    this.thread.noticeError(error);
    throw error;
  }

  setLimit(limit: number): void {
    this.locked(() => {
      const active = this.i32[this.base + E_ACTIVE];
      if (active > 0)
        throw new MisuseError(
          `errgroup: modify limit while ${active} goroutines in the group are still active`,
        );
      this.i32[this.base + E_LIMIT] = limit < 0 ? -1 : limit;
    });
  }

  dispose(): void {
    const { i32, block, thread } = this;
    thread.codec.drop(block + EB_ERROR, i32[block + EB_ERROR_TAG]);
    this.table.release(this.context);
    thread.slab.give(block * 4);
  }
}

/**
 * Goroutines that work on one task: the first error cancels the context of all, and is what `wait` throws. golang.org/x/sync/errgroup.
 *
 * Travels by reference. A member's panic is its error.
 *
 * @example
 * ```ts
 * const group = new ErrGroup();
 * group.setLimit(8);
 * for (const url of urls) yield* group.go(fetchOne, url);
 * yield* group.wait();
 * ```
 */
export class ErrGroup {
  /** @internal */
  readonly table: ObjectTable;
  /** @internal */
  readonly index: number;
  readonly #group: Group;
  #context: Context | undefined = undefined;

  /**
   * A group whose context is a child of `parent`; default: the current goroutine's. Go's `errgroup.WithContext`.
   *
   * @throws `TypeError` if `parent` is no context; `NoRuntimeError` without an ambient runtime; `MemoryLimitError`
   */
  constructor(parent?: Context);
  /** @internal */
  constructor(parent: undefined, table: ObjectTable, index: number);
  constructor(parent?: Context, table?: ObjectTable, index?: number) {
    if (table !== undefined && index !== undefined) {
      this.#group = new Group(table.thread, index);
    } else {
      const thread = ambientThread();
      this.#group = Group.create(thread, contextIndex(thread, "ErrGroup", parent ?? context.current()));
    }
    this.table = this.#group.table;
    this.index = this.#group.index;
    if (index === undefined) this.table.watch(this);
  }

  /** @internal */
  static is(value: object): value is ErrGroup {
    return #group in value;
  }

  /** The members' context: ends with the first error, and when `wait` returns. */
  get context(): Context {
    if (this.#context === undefined) {
      this.table.retain(this.#group.context);
      this.#context = openContext(this.#group.thread, this.#group.context);
    }
    return this.#context;
  }

  /**
   * Starts `fn` now, or as soon as the limit allows, whether or not the op is used; the op parks until it has started. A goroutine that is cancelled while it waits for that is thrown its cancellation; `fn` is started all the same.
   *
   * @throws as `go`; then nothing was started
   */
  go<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): Op<void> {
    return new StartedOperation(this.#group, this.#group.add(fn as unknown as Body, args), this);
  }

  /**
   * Starts `fn` if the limit allows now. False if it does not. Never waits.
   *
   * @throws as `go`; then nothing was started
   */
  tryGo<A extends unknown[], R>(fn: GoFunction<A, R>, ...args: A): boolean {
    return this.#group.tryAdd(fn as unknown as Body, args);
  }

  /**
   * At most `n` members run at once; a negative `n`, as at first, means any number, 0 none. An integer up to 2^31 - 1.
   *
   * @throws `MisuseError` while members run; `RangeError` for another number
   */
  setLimit(n: number): void {
    if (!Number.isInteger(n) || n > 2 ** 31 - 1)
      throw new RangeError(`ErrGroup.setLimit: expected an integer up to 2147483647, not ${show(n)}`);
    this.#group.setLimit(n);
  }

  /** Waits until all members have ended, then ends the group's context and throws the first error, if there was one. A goroutine that is cancelled while it waits is thrown its cancellation; the members go on. */
  wait(): Op<void> {
    return new GroupOperation(this.#group, this);
  }
}

/** Waits in one of a group's queues. */
abstract class InGroup extends Operation<void> {
  readonly reason: WaitReason = REASON_ERRGROUP;
  protected readonly group: Group;
  protected abstract readonly queue: number;
  /** Keeps the group's record while somebody waits. */
  protected readonly holder: ErrGroup;

  constructor(group: Group, holder: ErrGroup) {
    super(group.thread);
    this.group = group;
    this.holder = holder;
  }

  abstract isReady(): boolean;
  protected abstract ticket(): number;

  attempt(): boolean {
    return this.group.locked(() => this.isReady());
  }

  enqueue(goroutine: number, base: number): boolean {
    const { group, thread } = this;
    return group.locked(() => {
      if (this.isReady()) return false;
      const waiter = ownWaiter(thread.i32, base, goroutine);
      thread.i32[waiter + W_RESULT] = this.ticket();
      enqueueWaiter(thread.i32, group.base + this.queue, waiter);
      return true;
    });
  }

  abandon({ base }: Frame): boolean {
    const { group, thread } = this;
    return group.locked(() => removeWaiter(thread.i32, group.base + this.queue, base + G_WAITER));
  }
}

class StartedOperation extends InGroup {
  protected readonly queue = E_STARTERS;
  private readonly number: number;

  constructor(group: Group, number: number, holder: ErrGroup) {
    super(group, holder);
    this.number = number;
  }

  isReady(): boolean {
    return this.group.hasStarted(this.number);
  }

  protected ticket(): number {
    return this.number;
  }

  finish(): void {}
}

class GroupOperation extends InGroup {
  protected readonly queue = E_WAITERS;

  isReady(): boolean {
    return this.group.isOver();
  }

  protected ticket(): number {
    return 0;
  }

  finish(): void {
    this.group.settle();
  }
}

/** How ErrGroups travel in values. */
export function errGroupKind(thread: Thread): ReferenceKind<ErrGroup> {
  const table = objectsOf(thread);
  table.disposeWith(ERR_GROUP_KIND, (base) => new Group(thread, table.indexOf(base)).dispose());
  return objectKind(
    thread,
    ERR_GROUP_KIND,
    ErrGroup.prototype,
    ErrGroup.is,
    (of, index) => new ErrGroup(undefined, of, index),
  );
}

/** What ends with the members of a group. */
export const errGroupHook: EndHook = {
  failed(thread, index, error) {
    new Group(thread, index).fail(error);
    return true;
  },
  ended(thread, index) {
    new Group(thread, index).afterMember();
    objectsOf(thread).release(index);
  },
};
