/** SharedArrayBuffers, as the values know them. How they are counted and get to other threads is in scheduler/thread/shared-buffers.ts. */

import { bytesOfSharedBuffer, hasSlot } from "./intrinsics.ts";
import { REFERENCE_KINDS } from "./tags.ts";

/** The kind of reference that SharedArrayBuffers are. */
export const SHARED_BUFFER_KIND: number = REFERENCE_KINDS - 1;

/** Whether this is a SharedArrayBuffer, of whatever realm. */
export function isSharedBuffer(value: object): value is SharedArrayBuffer {
  return hasSlot(value, bytesOfSharedBuffer);
}

/** Its length in bytes, whatever its prototype says. */
export function bytesOfShared(buffer: SharedArrayBuffer): number {
  return bytesOfSharedBuffer.call(buffer);
}

/** What a thread has to know of a buffer before a value may name it. */
export interface BufferParcel {
  /** The buffer's record. */
  readonly index: number;
  /** Which use of that record. */
  readonly generation: number;
  readonly buffer: SharedArrayBuffer;
}

/** How SharedArrayBuffers get to the other threads: one of them can only be had from a message. */
export interface BufferMail {
  /** Sends to all other threads that take part. When it returns, `take` of each of them will come to the parcel. */
  post(parcel: BufferParcel): void;
  /** The next parcel that has come, here and now, in the middle of a goroutine, too; `undefined` when there is none. From one thread to another they come in the order in which they were sent. */
  take(): BufferParcel | undefined;
  /** Another object for the same memory, of the same kind and length, growable if it is. */
  twin(buffer: SharedArrayBuffer): SharedArrayBuffer;
}

/** For a thread that sends no SharedArrayBuffers and receives none. */
export const NO_MAIL: BufferMail = {
  post: () => {},
  take: () => undefined,
  twin: (buffer) => buffer,
};
