/**
 * Function numbers. A body is known across threads as module URL + name; the table in shared memory gives each pair a number, so a spawn carries one word.
 *
 * Entries are only ever added, under a lock, and the count is stored last: a number that a thread has seen has its text in place.
 */

import { FunctionError } from "../base/errors.ts";
import {
  FN_CAPACITY,
  FN_COUNT,
  FN_HASH,
  FN_LOCK,
  FN_NAME_LENGTH,
  FN_TEXT,
  FN_TEXT_USED,
  FN_TEXT_WORDS,
  FN_URL_LENGTH,
  FN_WORDS,
} from "../memory/layout.ts";
import type { SharedMemory } from "../memory/shared-memory.ts";
import { acquire, release } from "../memory/thread-lock.ts";

/** Where a body is found. */
export interface FunctionPlace {
  readonly url: string;
  readonly name: string;
}

/** One thread's access to the function table. */
export class FunctionTable {
  private readonly i32: Int32Array;
  private readonly u16: Uint16Array;
  private readonly records: number;
  private readonly thread: number;

  constructor(memory: SharedMemory, thread: number) {
    this.i32 = memory.i32;
    const { functions, functionText } = memory.layout;
    this.u16 = new Uint16Array(memory.buffer, functionText * 4, FN_TEXT_WORDS * 2);
    this.records = functions;
    this.thread = thread;
  }

  /** The number of a function, given now if it has none. Throws `FunctionError` when the table is full. */
  intern(url: string, name: string): number {
    acquire(this.i32, FN_LOCK, this.thread);
    try {
      return this.find(url, name) ?? this.add(url, name);
    } finally {
      release(this.i32, FN_LOCK);
    }
  }

  /** The module URL and name behind a number. */
  placeOf(id: number): FunctionPlace {
    const { i32 } = this;
    const count = Atomics.load(i32, FN_COUNT);
    if (id < 1 || id > count)
      throw new FunctionError(`function number ${id} is not one of the ${count} known`);
    const record = this.records + id * FN_WORDS;
    const start = i32[record + FN_TEXT];
    const urlEnd = start + i32[record + FN_URL_LENGTH];
    return { url: this.text(start, urlEnd), name: this.text(urlEnd, urlEnd + i32[record + FN_NAME_LENGTH]) };
  }

  private find(url: string, name: string): number | undefined {
    const { i32 } = this;
    const hash = hashOf(url, name);
    const count = i32[FN_COUNT];
    for (let id = 1; id <= count; id++) {
      if (i32[this.records + id * FN_WORDS + FN_HASH] !== hash) continue;
      const place = this.placeOf(id);
      if (place.url === url && place.name === name) return id;
    }
    return undefined;
  }

  private add(url: string, name: string): number {
    const { i32, u16 } = this;
    const id = i32[FN_COUNT] + 1;
    const start = i32[FN_TEXT_USED];
    const end = start + url.length + name.length;
    if (id > FN_CAPACITY || end > u16.length)
      throw new FunctionError(
        `the function table is full (${id - 1} functions): ${name} in ${url} does not fit`,
      );
    const text = url + name;
    for (let i = 0; i < text.length; i++) u16[start + i] = text.charCodeAt(i);
    const record = this.records + id * FN_WORDS;
    i32[record + FN_HASH] = hashOf(url, name);
    i32[record + FN_TEXT] = start;
    i32[record + FN_URL_LENGTH] = url.length;
    i32[record + FN_NAME_LENGTH] = name.length;
    i32[FN_TEXT_USED] = end;
    Atomics.store(i32, FN_COUNT, id);
    return id;
  }

  private text(start: number, end: number): string {
    let text = "";
    for (let i = start; i < end; i++) text += String.fromCharCode(this.u16[i]);
    return text;
  }
}

/** FNV-1a over the UTF-16 units: only to skip most comparisons. */
function hashOf(url: string, name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < url.length; i++) hash = Math.imul(hash ^ url.charCodeAt(i), 0x01000193);
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash | 0;
}
