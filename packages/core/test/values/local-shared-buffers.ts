/** SharedArrayBuffers by number on one thread: how a codec is tried without a scheduler. */

import { CorruptValueError } from "../../src/base/errors.ts";
import type { ReferenceKind } from "../../src/values/references.ts";
import { isSharedBuffer, SHARED_BUFFER_KIND } from "../../src/values/shared-buffers.ts";

export class LocalSharedBuffers {
  private readonly ids = new Map<SharedArrayBuffer, number>();
  private readonly buffers = new Map<number, { readonly buffer: SharedArrayBuffer; uses: number }>();

  idOf(buffer: SharedArrayBuffer): number {
    const known = this.ids.get(buffer);
    if (known !== undefined) return known;
    const id = this.ids.size + 1;
    this.ids.set(buffer, id);
    this.buffers.set(id, { buffer, uses: 0 });
    return id;
  }

  bufferOf(id: number): SharedArrayBuffer {
    return this.entry(id).buffer;
  }

  retain(id: number): void {
    this.entry(id).uses++;
  }

  release(id: number): void {
    const entry = this.entry(id);
    if (entry.uses === 0) throw new Error(`release: shared buffer ${id} is in no value under way`);
    entry.uses--;
  }

  /** Values under way that name a shared buffer. */
  uses(): number {
    let uses = 0;
    for (const entry of this.buffers.values()) uses += entry.uses;
    return uses;
  }

  private entry(id: number): { readonly buffer: SharedArrayBuffer; uses: number } {
    const entry = this.buffers.get(id);
    if (entry === undefined) throw new CorruptValueError(`no shared buffer has number ${id}`);
    return entry;
  }
}

/** The kind: the number is the index, and there are no generations. */
export function localBufferKind(buffers: LocalSharedBuffers): ReferenceKind<SharedArrayBuffer> {
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
