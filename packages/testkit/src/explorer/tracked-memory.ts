/**
 * The model's real memory: every change is noted, so that it can be taken back, and folded into a fingerprint.
 *
 * Exploring goes back to earlier states all the time. Copying the memory at each of them would cost its size; the notes cost
 * one entry a changed word, and going back is undoing the newest entries.
 *
 * The fingerprint is a sum over the words of a hash of (word, value): a change subtracts one term and adds another. It is kept in
 * two 32-bit lanes with different hashes; together they tell 2^64 memories apart.
 */

import {
  ADD,
  AND,
  COMPARE_EXCHANGE,
  EXCHANGE,
  LOAD,
  type Operation,
  OR,
  READ_F64,
  READ_I32,
  READ_U8,
  STORE,
  SUB,
  WRITE_F64,
  WRITE_I32,
  WRITE_U8,
  wordOf,
  XOR,
} from "./operation.ts";

/** The engine's own operations: `globalThis.Atomics` is another one while a model runs. */
const atomics = globalThis.Atomics;

export class TrackedMemory {
  readonly buffer: SharedArrayBuffer;
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly f64: Float64Array<SharedArrayBuffer>;
  readonly u8: Uint8Array<SharedArrayBuffer>;
  /** Lanes of the fingerprint; 0 stands for the memory that was there when tracking began. */
  laneA = 0;
  laneB = 0;

  /** Changed words and what they held before, oldest first. Entries from `changes` on are left over from what was undone. */
  private readonly changedWords: number[] = [];
  private readonly oldValues: number[] = [];
  private changes = 0;

  constructor(words: number) {
    this.buffer = new SharedArrayBuffer(words * 4);
    this.i32 = new Int32Array(this.buffer);
    this.f64 = new Float64Array(this.buffer);
    this.u8 = new Uint8Array(this.buffer);
  }

  /** The present state, to go back to. Also a count of changes: it grew if and only if something changed. */
  mark(): number {
    return this.changes;
  }

  /** Undoes all changes since `mark`. */
  rollBack(mark: number): void {
    while (this.changes > mark) {
      const change = --this.changes;
      const word = this.changedWords[change] as number; // below `changes`, so it was noted
      const before = this.oldValues[change] as number;
      this.moveLanes(word, this.i32[word] as number, before);
      this.i32[word] = before;
    }
  }

  /** Executes any access but wait, notify and hints, and returns its result. `index` is within the view. */
  access(operation: Operation, index: number, operand: number, replacement: number): number {
    if (operation === LOAD || operation === READ_I32) return this.i32[index] as number;
    if (operation === READ_F64) return this.f64[index] as number;
    if (operation === READ_U8) return this.u8[index] as number;
    if (operation === WRITE_F64) return this.writeF64(index, operand);
    const word = wordOf(operation, index);
    const before = this.i32[word] as number;
    const result = this.change(operation, index, operand, replacement);
    this.noteChange(word, before);
    return result;
  }

  private change(operation: Operation, index: number, operand: number, replacement: number): number {
    const { i32 } = this;
    switch (operation) {
      case STORE:
        return atomics.store(i32, index, operand);
      case ADD:
        return atomics.add(i32, index, operand);
      case SUB:
        return atomics.sub(i32, index, operand);
      case AND:
        return atomics.and(i32, index, operand);
      case OR:
        return atomics.or(i32, index, operand);
      case XOR:
        return atomics.xor(i32, index, operand);
      case EXCHANGE:
        return atomics.exchange(i32, index, operand);
      case COMPARE_EXCHANGE:
        return atomics.compareExchange(i32, index, operand, replacement);
      case WRITE_I32:
        i32[index] = operand;
        return operand;
      case WRITE_U8:
        this.u8[index] = operand;
        return operand;
      default:
        throw new Error(`access: operation ${operation} is no access to a word`);
    }
  }

  private writeF64(index: number, value: number): number {
    const low = this.i32[index * 2] as number;
    const high = this.i32[index * 2 + 1] as number;
    this.f64[index] = value;
    this.noteChange(index * 2, low);
    this.noteChange(index * 2 + 1, high);
    return value;
  }

  private noteChange(word: number, before: number): void {
    const after = this.i32[word] as number;
    if (after === before) return;
    this.changedWords[this.changes] = word;
    this.oldValues[this.changes] = before;
    this.changes++;
    this.moveLanes(word, before, after);
  }

  private moveLanes(word: number, before: number, after: number): void {
    this.laneA = (this.laneA - mix(word, before, SEED_A) + mix(word, after, SEED_A)) | 0;
    this.laneB = (this.laneB - mix(word, before, SEED_B) + mix(word, after, SEED_B)) | 0;
  }
}

/** The two lanes' seeds: odd, for they multiply, and otherwise arbitrary. */
export const SEED_A = 0x2545f491;
export const SEED_B = 0x61c88647;

/** A hash of two integers, of which each bit depends on all of theirs. */
export function mix(first: number, second: number, seed: number): number {
  let hash = Math.imul(first ^ seed, 0x9e3779b1) ^ Math.imul(second + 1, seed);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
