/** What a runtime's goroutines are doing, read from shared memory by any thread, and printed as Go does. */

import { PSEUDO } from "../goroutine/descriptor.ts";
import { RUNNABLE, RUNNING, SYSCALL, statusName, WAITING } from "../goroutine/status.ts";
import { REASON_AWAIT, waitReasonName } from "../goroutine/wait-reason.ts";
import {
  G_FUNCTION,
  G_ID,
  G_META,
  G_NAME,
  G_NAME_TAG,
  G_PARENT,
  G_PARENT_FUNCTION,
  G_STATUS,
  G_WAIT_REASON,
  POOL_AWAIT,
  POOL_BUMP,
  POOL_G,
  POOL_WORDS,
} from "../memory/layout.ts";
import type { Thread } from "../scheduler/thread/thread.ts";

/** One goroutine, as it was at the moment of the look. */
export interface GoroutineInfo {
  /** Its id. */
  readonly id: number;
  /** Its function's name, or the one it was given at the spawn. */
  readonly name: string;
  /** URL of the module its function is in. */
  readonly module: string;
  /** "runnable", "running", "syscall" or "waiting". */
  readonly status: string;
  /** What it waits for, in Go's words, such as "chan receive"; `undefined` if it does not wait. */
  readonly waitReason: string | undefined;
  /** Id of the goroutine that started it; 0 for the host. */
  readonly parent: number;
  /** Function of that goroutine; `undefined` for the host. */
  readonly parentName: string | undefined;
}

/** All goroutines that have not ended, in the order of their descriptors. While others run, each is a moment's picture of its own. */
export function listGoroutines(thread: Thread): GoroutineInfo[] {
  const { i32, f64 } = thread;
  const found: GoroutineInfo[] = [];
  const awaited = new Map<number, number>();
  forEachDescriptor(thread, (base) => {
    if ((i32[base + G_META] & PSEUDO) === 0) found.push(describeGoroutine(thread, base));
    else awaited.set(f64[(base + G_PARENT) >> 1], i32[base + G_WAIT_REASON]);
  });
  // An async body waits through pseudo-goroutines: what they wait for says more than "await".
  return found.map((info) => {
    const reason = awaited.get(info.id);
    const isAwait = info.waitReason === waitReasonName(REASON_AWAIT);
    return isAwait && reason !== undefined ? { ...info, waitReason: waitReasonName(reason) } : info;
  });
}

/** One goroutine, by its descriptor. */
export function describeGoroutine(thread: Thread, base: number): GoroutineInfo {
  const { i32, f64 } = thread;
  const status = i32[base + G_STATUS];
  const reason = i32[base + G_WAIT_REASON];
  const waits = status === WAITING || (status === SYSCALL && reason !== 0);
  const { url, name } = thread.functions.placeOf(i32[base + G_FUNCTION]);
  const given = i32[base + G_NAME_TAG];
  const parentFunction = i32[base + G_PARENT_FUNCTION];
  return {
    id: f64[(base + G_ID) >> 1],
    name: given === 0 ? name : String(thread.codec.peek(base + G_NAME, given)),
    module: url,
    status: statusName(status),
    waitReason: waits ? waitReasonName(reason) : undefined,
    parent: f64[(base + G_PARENT) >> 1],
    parentName: parentFunction === 0 ? undefined : thread.functions.placeOf(parentFunction).name,
  };
}

/** Visits every descriptor that is in use by something that has not ended, pseudo-goroutines included. */
export function forEachDescriptor(thread: Thread, visit: (base: number) => void): void {
  const { i32, memory } = thread;
  const endOf = (pool: number): number =>
    Atomics.load(i32, memory.layout.pools + pool * POOL_WORDS + POOL_BUMP);
  const look = (from: number, end: number): void => {
    for (let goroutine = from; goroutine < end; goroutine++) {
      const base = thread.descriptorOf(goroutine);
      const status = i32[base + G_STATUS];
      if (status === RUNNABLE || status === RUNNING || status === SYSCALL || status === WAITING) visit(base);
    }
  };
  look(1, endOf(POOL_G));
  look(memory.shape.maxGoroutines + 1, endOf(POOL_AWAIT));
}

/** The goroutines as Go prints them. */
export function formatGoroutines(goroutines: readonly GoroutineInfo[]): string {
  return goroutines.map(formatGoroutine).join("\n\n");
}

/** One goroutine as Go prints it: header, function, starter. */
export function formatGoroutine({
  id,
  name,
  module,
  status,
  waitReason,
  parent,
  parentName,
}: GoroutineInfo): string {
  const lines = [`goroutine ${id} [${waitReason ?? status}]:`, `${name}(...)`, `\t${module}`];
  if (parentName !== undefined) lines.push(`created by ${parentName} in goroutine ${parent}`);
  else lines.push("created by the host");
  return lines.join("\n");
}
