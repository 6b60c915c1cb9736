/**
 * The list of references in a block, which stands apart from the items: counted one by one while the value is
 * written, revived as their items are read.
 */

import { REFERENCE_WORDS } from "./block.ts";
import type { ReferenceKind, ReferenceTable } from "./references.ts";
import type { WordWriter } from "./word-writer.ts";

const WORDS = REFERENCE_WORDS;

/** What a value that is being written has counted so far. */
export class CountedReferences {
  count = 0;
  private readonly table: ReferenceTable;
  private words = new Int32Array(16 * WORDS);

  constructor(table: ReferenceTable) {
    this.table = table;
  }

  /** Counts a reference; its place in the list. */
  add(value: object, kind: ReferenceKind): number {
    const at = this.count * WORDS;
    if (at + WORDS > this.words.length) this.grow();
    this.words[at] = kind.kind;
    kind.retain(value, this.words, at + 1);
    return this.count++;
  }

  /** Writes the list. */
  writeTo(out: WordWriter): void {
    out.words(this.words, this.count * WORDS);
  }

  /** Gives back those from place `first` on. */
  releaseFrom(first: number): void {
    const { words } = this;
    while (this.count > first) {
      const at = (this.count - 1) * WORDS;
      this.table.ofNumber(words[at])?.release(words[at + 1], words[at + 2]);
      // Only now: on a full stack the call above may fail, and is then made again.
      this.count--;
    }
  }

  /** Leaves them to the block. */
  reset(): void {
    this.count = 0;
  }

  private grow(): void {
    const before = this.words;
    this.words = new Int32Array(before.length * 2);
    this.words.set(before);
  }
}

/** The list of a block that is being read. */
export class ListedReferences {
  count = 0;
  private readonly i32: Int32Array;
  private readonly table: ReferenceTable;
  private first = 0;
  private keepsOwn = false;
  private revived: (object | undefined)[] = [];

  constructor(i32: Int32Array, table: ReferenceTable) {
    this.i32 = i32;
    this.table = table;
  }

  /** The list is at word `first`. If the block keeps its own, what is revived is counted again. */
  open(first: number, count: number, keepsOwn: boolean): void {
    this.first = first;
    this.count = count;
    this.keepsOwn = keepsOwn;
  }

  /** The object that the reference at a place stands for; `undefined` if its kind is not known. */
  revive(place: number): object | undefined {
    return this.revived[place] ?? this.reviveFirst(place);
  }

  /** The number of a kind, as the list has it. */
  kindAt(place: number): number {
    return this.i32[this.first + place * WORDS];
  }

  private reviveFirst(place: number): object | undefined {
    const at = this.first + place * WORDS;
    const kind = this.table.ofNumber(this.i32[at]);
    if (kind === undefined) return undefined;
    const index = this.i32[at + 1];
    const generation = this.i32[at + 2];
    if (this.keepsOwn) kind.retainAgain(index, generation);
    const object = kind.revive(index, generation);
    this.revived[place] = object;
    return object;
  }

  /** Releases those that were not revived. */
  releaseOthers(): void {
    for (let place = 0; place < this.count; place++) {
      if (this.revived[place] !== undefined) continue;
      const at = this.first + place * WORDS;
      this.table.ofNumber(this.i32[at])?.release(this.i32[at + 1], this.i32[at + 2]);
    }
  }

  /** Forgets the list. */
  reset(): void {
    if (this.revived.length > 0) this.revived = [];
    this.count = 0;
  }
}
