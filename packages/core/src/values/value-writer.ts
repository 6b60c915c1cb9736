/**
 * What the writing of every kind of item stands on (items/): the items that hold no others, where in the value
 * the writer is, for the message when something cannot be copied, and the way back to the encoder for what a
 * container holds.
 */

import { CloneError, MemoryLimitError } from "../base/errors.ts";
import { LONG } from "./block.ts";
import { wordsFor } from "./classify.ts";
import { tagOf } from "./intrinsics.ts";
import { ItemWriter } from "./item-writer.ts";
import { type PathKey, type PathStart, pathText } from "./path.ts";

const ENTRY_LIMIT = LONG;

export abstract class ValueWriter extends ItemWriter {
  /**
   * Containers entered; `keys[1..depth]` lead from `start` to the value being written. Who writes a container
   * counts it, and notes the key of each value in it before that is written.
   */
  depth = 0;
  readonly keys: PathKey[] = [""];
  protected start: PathStart | undefined = undefined;
  protected where = "";

  /** Writes a value of any kind. */
  abstract write(value: unknown): void;

  /** The same for what is known to be an object. */
  abstract writeObject(value: object): void;

  /** Writes a value, or, if something in it cannot be copied, nothing, and returns false. */
  abstract tryWrite(value: unknown): boolean;

  /** The number of a container's entries, if an item can hold as many. */
  checkedCount(count: number): number {
    if (count >= ENTRY_LIMIT)
      throw new MemoryLimitError(`${this.path()}: ${count} entries are more than a value can hold`);
    return count;
  }

  /** The error for something that cannot be copied, here. */
  refusal(what: string): CloneError {
    return cannotCopy(this.path(), what);
  }

  /** Where the value being written is. */
  private path(): string {
    return pathText(this.where, this.start, this.keys.slice(1, this.depth + 1));
  }
}

/** The error for something that cannot be copied. */
export function cannotCopy(path: string, what: string): CloneError {
  return new CloneError(`${path}: ${what} cannot be copied to another goroutine`);
}

/** What is refused, in words. */
export function describe(value: unknown): string {
  if (typeof value === "symbol") return `the symbol ${value.description ?? ""}`.trimEnd();
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  const words = typeof value === "object" && value !== null ? wordsFor(value) : undefined;
  return words ?? `an object of class ${tagOf.call(value).slice(8, -1)}`;
}
