/** golang.org/x/sync/errgroup: goroutines with one context and one error. */

import { printsAs } from "../base/printing.ts";
import { show } from "../base/show.ts";
import type { Body } from "../goroutine/functions.ts";
import type { GoFunction, Op } from "../scheduler/frames/types.ts";
import { ambientThread } from "../scheduler/thread/ambient.ts";
import type { EndHook } from "../scheduler/thread/end-hook.ts";
import { type ObjectTable, objectKind, objectsOf } from "../scheduler/thread/shared-object.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import type { ReferenceKind } from "../values/references.ts";
import { type Context, context, contextIndex, openContext } from "./context.ts";
import { FinishedOperation, StartedOperation } from "./err-group-operations.ts";
import { Group } from "./err-group-record.ts";

/** The number of this kind, in values and records. */
export const ERR_GROUP_KIND = 11;

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
      this.#group = Group.create(
        thread,
        ERR_GROUP_KIND,
        contextIndex(thread, "ErrGroup", parent ?? context.current()),
      );
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
   * At most `n` members run at once; a negative `n`, as at first, means any number, 0 none. An integer up to 2^31 - 1. Members that a limit of 0 has kept waiting start as the new one allows.
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
    return new FinishedOperation(this.#group, this);
  }
}

printsAs(ErrGroup.prototype, ({ index }) => `ErrGroup(${index})`);

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
  ended(thread, index, member) {
    new Group(thread, index).afterMember(member);
    objectsOf(thread).release(index);
  },
};
