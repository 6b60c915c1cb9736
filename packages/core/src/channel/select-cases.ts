/** The cases of a select, and the two orders in which it goes through them: at random to try them, by their channels' records to lock these. */

import { C_RECEIVERS, C_SENDERS } from "../memory/layout.ts";
import type { ReceiveOperation, SendOperation } from "./operations.ts";
import { randomBelow } from "./random.ts";

export type Case = ReceiveOperation | SendOperation;
/** By place; `undefined` for one that never fires. The others are live. */
export type Cases = readonly (Case | undefined)[];

// Working space for one select at a time: nothing of the program runs while it is in use.
/** The live cases in the order in which they are tried. */
const pollOrder: number[] = [];
/** The live cases in the order of their channels' records. */
const lockOrder: number[] = [];
/** For each place of `lockOrder`: whether the lock was taken there. */
const locked: boolean[] = [];

// ── trying ──

/** Whether a case may go through now. Read without the lock: it may look otherwise once that is taken. */
export function seemsReady(operation: Case | undefined): boolean {
  if (operation === undefined) return false;
  return operation.sends ? operation.channel.seemsSendable() : operation.channel.seemsReceivable();
}

/** Lists the live cases anew. */
export function startPolling(cases: Cases): void {
  let live = 0;
  for (let place = 0; place < cases.length; place++)
    if (cases[place] !== undefined) pollOrder[live++] = place;
}

/** The case to be tried in a turn: one of those not tried yet. Turn by turn this is Fisher and Yates' shuffle, as far as it is needed. */
export function nextCase(turn: number, live: number): number {
  const left = live - turn;
  const at = left === 1 ? turn : turn + randomBelow(left);
  const place = pollOrder[at] as number;
  pollOrder[at] = pollOrder[turn] as number;
  return place;
}

// ── locking ──

/** Takes the locks of all channels, in the order of their records, one that occurs twice once. */
export function lockAll(cases: Cases): void {
  lockOrder.length = 0;
  for (let place = 0; place < cases.length; place++)
    if (cases[place] !== undefined) insertInLockOrder(cases, place);
  let previous = 0;
  for (let i = 0; i < lockOrder.length; i++) {
    const { channel } = caseAt(cases, lockOrder[i] as number);
    locked[i] = channel.index !== previous && channel.enter();
    previous = channel.index;
  }
}

/** Insertion from the end: selects have few cases, and most have them in order. */
function insertInLockOrder(cases: Cases, place: number): void {
  const { index } = caseAt(cases, place).channel;
  let at = lockOrder.length;
  lockOrder.push(place);
  for (; at > 0; at--) {
    const before = lockOrder[at - 1] as number;
    if (caseAt(cases, before).channel.index <= index) break;
    lockOrder[at] = before;
  }
  lockOrder[at] = place;
}

export function unlockAll(cases: Cases): void {
  for (let i = 0; i < lockOrder.length; i++)
    caseAt(cases, lockOrder[i] as number).channel.leave(locked[i] as boolean);
}

// ── waiting ──

/** Where the channel's record has the queue that a case waits in. */
export function queueOf(operation: Case): number {
  return operation.sends ? C_SENDERS : C_RECEIVERS;
}

function caseAt(cases: Cases, place: number): Case {
  return cases[place] as Case;
}
