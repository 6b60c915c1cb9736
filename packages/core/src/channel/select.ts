/** Select for the program: what may be a case, and the two functions. How it works is told in select-operation.ts. */

import type { Op } from "../scheduler/frames/types.ts";
import { ambientThread, currentMachine } from "../scheduler/thread/ambient.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { ChannelOperation, SendOperation } from "./operations.ts";
import type { Case } from "./select-cases.ts";
import { SelectOperation } from "./select-operation.ts";
import type { SelectCase, Selected } from "./types.ts";

/** Go's bound, too. */
const MAX_CASES = 65_536;

/** Checks the cases and makes them this select's. */
export function selectOf(what: string, cases: readonly SelectCase[]): SelectOperation {
  if (cases.length > MAX_CASES)
    throw new RangeError(`${what}: there can be at most ${MAX_CASES} cases, not ${cases.length}`);
  const checked: (Case | undefined)[] = [];
  let thread: Thread | undefined;
  let live = 0;
  let copies = false;
  for (let place = 0; place < cases.length; place++) {
    const operation: unknown = cases[place];
    if (operation === undefined || operation === null || operation === false) {
      checked.push(undefined);
      continue;
    }
    if (!(operation instanceof ChannelOperation)) throw notACase(what, place, operation);
    if (thread !== undefined && operation.thread !== thread)
      throw new TypeError(`${what}: cases[${place}] belongs to another runtime than the cases before it`);
    thread = operation.thread;
    live++;
    if (operation instanceof SendOperation && typeof operation.value !== "number") copies = true;
    checked.push(operation as Case);
  }
  for (const operation of checked) operation?.claim();
  return new SelectOperation(thread ?? currentMachine ?? ambientThread(), checked, live, copies);
}

function notACase(what: string, place: number, value: unknown): TypeError {
  // oxlint-disable-next-line typescript/no-base-to-string -- objects are told apart before
  const found = typeof value === "object" ? "an object" : `${typeof value} ${String(value)}`;
  return new TypeError(
    `${what}: cases[${place}] must be a channel's send(…), recv() or recvOk(), or undefined, null or false; not ${found}`,
  );
}

/**
 * Waits until one of several sends and receives can go on, and carries out that one. If several can, each is as likely to be picked. Go's `select`.
 *
 * A case that is `undefined`, `null` or `false` never fires; with no other case it waits for ever. One channel may occur in several cases. Values to be sent are copied once, whether
 * or not their case is picked. Cancelled while it waits, it throws `CanceledError` and nothing was sent or received.
 *
 * @returns the picked case's place among the arguments as `index`, which narrows the type of `value`: what that operation alone would have given
 * @throws `TypeError` for an argument that is no case; `MisuseError` for an operation that was used before; when used: `ClosedChannelError` if the picked case sends to a closed channel, `CloneError`, `MemoryLimitError`
 *
 * @example
 * ```ts
 * const { index, value } = yield* select(jobs.recv(), ctx.done().recv());
 * if (index === 0) handle(value);
 * ```
 */
export function select<C extends readonly SelectCase[]>(...cases: C): Op<Selected<C>> {
  return selectOf("select", cases) as unknown as Op<Selected<C>>;
}

/**
 * `select` without waiting: `undefined` when no case is ready. Go's `select` with a `default`.
 *
 * @throws as `select`, at once
 *
 * @example
 * ```ts
 * const news = trySelect(alerts.recv(), updates.recv());
 * if (news !== undefined) show(news.value);
 * ```
 */
export function trySelect<C extends readonly SelectCase[]>(...cases: C): Selected<C> | undefined {
  return selectOf("trySelect", cases).now() as Selected<C> | undefined;
}
