/**
 * What the scheduler of a model decides: the units of a schedule.
 *
 * As text: `0` lets thread 0 take a step, `0*9` nine steps, `0t` lets its wait time out, `0k` kills it. In memory a decision is one small
 * integer, the thread's number above two bits of kind, so that a schedule is an array of integers.
 */

import { ExplorerError } from "./explorer-error.ts";

export type Decision = number;

const STEP = 0;
const TIMEOUT = 1;
const KILL = 2;
const KIND_BITS = 2;
const KIND_MASK = (1 << KIND_BITS) - 1;

/** In place of a decision: nothing is left to decide, the execution is over. */
export const END: Decision = -1;
/** In place of a decision: what follows has been explored before. */
export const PRUNED: Decision = -2;

export function stepOf(thread: number): Decision {
  return (thread << KIND_BITS) | STEP;
}

export function timeoutOf(thread: number): Decision {
  return (thread << KIND_BITS) | TIMEOUT;
}

export function killOf(thread: number): Decision {
  return (thread << KIND_BITS) | KILL;
}

export function threadOf(decision: Decision): number {
  return decision >> KIND_BITS;
}

export function isStep(decision: Decision): boolean {
  return (decision & KIND_MASK) === STEP;
}

export function isTimeout(decision: Decision): boolean {
  return (decision & KIND_MASK) === TIMEOUT;
}

const SUFFIXES = ["", "t", "k"] as const;

/** Runs of more equal decisions are written as one, `1*250`: a spinning thread makes long ones. */
const LONGEST_PLAIN_RUN = 4;

/** `0 0 1 1t 0k 1*250` */
export function formatSchedule(decisions: readonly Decision[]): string {
  const tokens: string[] = [];
  for (let at = 0, end = 0; at < decisions.length; at = end) {
    while (decisions[end] === decisions[at]) end++;
    tokens.push(...formatRun(decisions[at] as Decision, end - at));
  }
  return tokens.join(" ");
}

function formatRun(decision: Decision, length: number): string[] {
  const token = `${threadOf(decision)}${SUFFIXES[decision & KIND_MASK]}`;
  return length > LONGEST_PLAIN_RUN ? [`${token}*${length}`] : Array<string>(length).fill(token);
}

/** The reverse of formatSchedule. */
export function parseSchedule(text: string): Decision[] {
  return text.split(/\s+/).filter(Boolean).flatMap(parseRun);
}

function parseRun(token: string): Decision[] {
  const [, thread, suffix, length] = /^(\d+)([tk]?)(?:\*(\d+))?$/.exec(token) ?? [];
  if (thread === undefined) throw new ExplorerError(`schedule: "${token}" is not like 0, 0t, 0k or 0*9`);
  const kind = SUFFIXES.indexOf(suffix as (typeof SUFFIXES)[number]);
  return Array<Decision>(Number(length ?? 1)).fill((Number(thread) << KIND_BITS) | kind);
}
