/**
 * SharedArrayBuffers by number.
 *
 * A SharedArrayBuffer reaches another thread only in a message. A value in shared memory names it by number,
 * so the number must mean the same buffer on every thread before anyone can read the value. What an
 * implementation must hold:
 *
 * 1. `idOf` gives one buffer one number, on whatever thread it is asked, as long as any thread holds the buffer
 *    or a value under way counts it; different buffers have different numbers. Two threads that register the
 *    same new buffer at once may give it two.
 * 2. When `idOf` has returned, `bufferOf` works on every thread: also on one that is asked in the middle of a
 *    goroutine and cannot return to its event loop first, and on one that starts later. (With messages: post
 *    to every thread first, and let `bufferOf` take messages synchronously until the number is there.)
 * 3. The number stays good while a value under way counts it (`retain` without `release`), even if the thread
 *    that registered the buffer has forgotten it or has died.
 * 4. `bufferOf` of a number that was never given, or is no longer good, throws `CorruptValueError`.
 */

import { CorruptValueError } from "../base/errors.ts";
import { bytesOfSharedBuffer, hasSlot } from "./intrinsics.ts";
import type { ReferenceKind } from "./references.ts";
import { REFERENCE_KINDS } from "./tags.ts";

export interface SharedBufferTable {
  /** The buffer's number, above 0. Gives it one, and lets the other threads know, if it has none. */
  idOf(buffer: SharedArrayBuffer): number;
  /** The buffer with this number. */
  bufferOf(id: number): SharedArrayBuffer;
  /** A value under way names the buffer. */
  retain(id: number): void;
  /** That value was received or dropped. */
  release(id: number): void;
}

/** The kind of reference that SharedArrayBuffers are. */
export const SHARED_BUFFER_KIND: number = REFERENCE_KINDS - 1;

/** Whether this is a SharedArrayBuffer, of whatever realm. */
export function isSharedBuffer(value: object): value is SharedArrayBuffer {
  return hasSlot(value, bytesOfSharedBuffer);
}

/**
 * SharedArrayBuffers as one more kind of reference: the number is the index, and there are no generations.
 */
export function sharedBufferKind(buffers: SharedBufferTable): ReferenceKind<SharedArrayBuffer> {
  return {
    kind: SHARED_BUFFER_KIND,
    prototype: SharedArrayBuffer.prototype,
    is: isSharedBuffer,
    retain(buffer, words, at) {
      const id = buffers.idOf(buffer);
      buffers.retain(id);
      words[at] = id;
      words[at + 1] = 0;
    },
    retainAgain: (id) => buffers.retain(id),
    revive(id) {
      const buffer = buffers.bufferOf(id);
      buffers.release(id);
      return buffer;
    },
    release: (id) => buffers.release(id),
  };
}

/** For a runtime of one thread, and for tests: numbers only this thread's own buffers. */
export class LocalSharedBuffers implements SharedBufferTable {
  private readonly ids = new WeakMap<SharedArrayBuffer, number>();
  private readonly buffers = new Map<
    number,
    { readonly buffer: WeakRef<SharedArrayBuffer>; uses: number; held?: SharedArrayBuffer }
  >();
  private last = 0;

  idOf(buffer: SharedArrayBuffer): number {
    const known = this.ids.get(buffer);
    if (known !== undefined) return known;
    const id = ++this.last;
    this.ids.set(buffer, id);
    this.buffers.set(id, { buffer: new WeakRef(buffer), uses: 0 });
    return id;
  }

  bufferOf(id: number): SharedArrayBuffer {
    const buffer = this.buffers.get(id)?.buffer.deref();
    if (buffer === undefined) throw new CorruptValueError(`bufferOf: no shared buffer has number ${id}`);
    return buffer;
  }

  retain(id: number): void {
    const entry = this.entry(id);
    entry.uses++;
    entry.held = this.bufferOf(id);
  }

  release(id: number): void {
    const entry = this.entry(id);
    if (entry.uses === 0) throw new Error(`release: shared buffer ${id} is in no value under way`);
    if (--entry.uses === 0) delete entry.held;
  }

  /** Values under way that name a shared buffer. */
  uses(): number {
    let uses = 0;
    for (const entry of this.buffers.values()) uses += entry.uses;
    return uses;
  }

  private entry(id: number): { uses: number; held?: SharedArrayBuffer } {
    const entry = this.buffers.get(id);
    if (entry === undefined) throw new CorruptValueError(`no shared buffer has number ${id}`);
    return entry;
  }
}
