/** Tells what happened in one execution, access by access. Only failing executions are traced, by running them once more. */

import { inspect } from "node:util";
import { type Decision, isTimeout, threadOf } from "./decision.ts";
import type { Model } from "./model.ts";
import type { AccessResult, ModelThread } from "./model-thread.ts";
import {
  type AccessKey,
  COMPARE_EXCHANGE,
  indexOfKey,
  LOAD,
  nameOf,
  type Operation,
  operationOfKey,
  READ_F64,
  READ_I32,
  READ_U8,
  wordOf,
} from "./operation.ts";

/** One thing that happened. */
export interface TraceEntry {
  /** Number of the decision that it belongs to, from 1: place in the schedule. */
  readonly decision: number;
  readonly thread: number;
  /** `compareExchange`, `read`, `killed`, `returns` … */
  readonly operation: string;
  /** Word of the Int32Array, unless it is no access to memory. */
  readonly word?: number;
  /** The word's name, if the model names its words. */
  readonly name?: string;
  /** What was given to the operation. */
  readonly operands: readonly number[];
  /** The word before and after, for operations that read or change one word. */
  readonly before?: number;
  readonly after?: number;
  readonly result?: unknown;
}

const READS: readonly Operation[] = [LOAD, READ_I32, READ_F64, READ_U8];

export class Tracer {
  readonly entries: TraceEntry[] = [];
  private readonly nameWord: (word: number) => string | undefined;

  constructor(nameWord: (word: number) => string | undefined) {
    this.nameWord = nameWord;
  }

  /** `before` is what the word held, for operations that read or change one word. */
  noteAccess(
    model: Model,
    thread: ModelThread,
    key: AccessKey,
    operand: number,
    replacement: number,
    result: AccessResult,
    before?: number,
  ): void {
    const operation = operationOfKey(key);
    const word = wordOf(operation, indexOfKey(key));
    const name = this.nameWord(word);
    const after = model.memory.i32[word] as number; // the access to it has succeeded
    this.entries.push({
      decision: model.state.decisions,
      thread: thread.index,
      operation: nameOf(operation),
      word,
      ...(name === undefined ? {} : { name }),
      operands: operandsOf(operation, operand, replacement),
      ...(before === undefined ? {} : { before, after }),
      result,
    });
  }

  /** A timeout or a kill. */
  noteDecision(model: Model, decision: Decision): void {
    const operation = isTimeout(decision) ? "times out" : "is killed";
    this.note(model, threadOf(decision), operation);
  }

  noteEnd(model: Model, thread: ModelThread, returned: unknown): void {
    this.note(model, thread.index, "returns", returned);
  }

  private note(model: Model, thread: number, operation: string, result?: unknown): void {
    this.entries.push({ decision: model.state.decisions, thread, operation, operands: [], result });
  }
}

function operandsOf(operation: Operation, operand: number, replacement: number): number[] {
  if (READS.includes(operation)) return [];
  return operation === COMPARE_EXCHANGE ? [operand, replacement] : [operand];
}

/** Lines of a long trace that are shown at either end; what lies between is usually spinning. */
const SHOWN_AT_EACH_END = 60;

/** One line an entry: decision, thread, operation with operands, word, change, result. What happens again at once is counted, not repeated. */
export function formatTrace(trace: readonly TraceEntry[]): string {
  const lines = countRepeats(trace).map(([entry, times]) => {
    const line = `${String(entry.decision).padStart(4)} ${formatEntry(entry)}`;
    return times === 1 ? line : `${line} (${times} times)`;
  });
  const left = lines.length - 2 * SHOWN_AT_EACH_END;
  if (left > 0) lines.splice(SHOWN_AT_EACH_END, left, `   … ${left} more …`);
  return lines.join("\n");
}

/** Entries that differ from the one before, each with the number of times it happened in a row. */
function countRepeats(trace: readonly TraceEntry[]): [TraceEntry, number][] {
  const counted: [TraceEntry, number][] = [];
  let previousLine = "";
  for (const entry of trace) {
    const line = formatEntry(entry);
    const last = counted.at(-1);
    if (last !== undefined && line === previousLine) last[1]++;
    else counted.push([entry, 1]);
    previousLine = line;
  }
  return counted;
}

function formatEntry(entry: TraceEntry): string {
  const columns = [
    `T${entry.thread}`.padEnd(3),
    `${entry.operation}${entry.operands.length === 0 ? "" : `(${entry.operands.join(", ")})`}`.padEnd(24),
    formatWord(entry).padEnd(20),
    formatChange(entry).padEnd(16),
    entry.result === undefined ? "" : `= ${inspect(entry.result, { breakLength: Infinity })}`,
  ];
  return columns.join(" ").trimEnd();
}

function formatWord({ word, name }: TraceEntry): string {
  if (word === undefined) return "";
  return name === undefined ? `word ${word}` : `${name} [${word}]`;
}

function formatChange({ before, after }: TraceEntry): string {
  if (before === undefined || after === undefined) return "";
  return before === after ? `${before}` : `${before} → ${after}`;
}
