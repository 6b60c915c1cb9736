/** ArrayBuffers, and the views of them: DataView and typed arrays. */

import {
  BACK,
  BUFFER,
  KIND_BITS,
  KIND_MASK,
  LARGE_BUFFER,
  REFERENCE,
  RESIZABLE_BUFFER,
  VIEW,
} from "../block.ts";
import { classOfTypedArray, elementsOf } from "../intrinsics.ts";
import type { ValueReader } from "../value-reader.ts";
import type { ValueWriter } from "../value-writer.ts";
import { createView, viewKindOf } from "../views.ts";

const BITS = KIND_BITS;
const MASK = KIND_MASK;

// ── writing ──

export function writeBuffer(writer: ValueWriter, buffer: ArrayBuffer): void {
  const { maxByteLength } = buffer as { maxByteLength?: number };
  if (buffer.byteLength === 0) refuseDetached(writer, buffer);
  if (maxByteLength !== undefined && (buffer as { resizable?: boolean }).resizable === true) {
    writer.out.word(RESIZABLE_BUFFER);
    writer.out.double(maxByteLength);
  }
  writer.writeBytes(new Uint8Array(buffer));
}

/** A detached buffer cannot be looked at. */
function refuseDetached(writer: ValueWriter, buffer: ArrayBuffer): void {
  try {
    new Uint8Array(buffer);
  } catch {
    throw writer.refusal("a detached ArrayBuffer");
  }
}

export function writeView(writer: ValueWriter, view: ArrayBufferView): void {
  const kind = viewKindOf(view);
  const shape = shapeOf(writer, view);
  writer.out.word(VIEW | (kind << BITS));
  writer.out.double(shape.offset);
  writer.out.double(shape.length);
  writer.keys[++writer.depth] = "buffer";
  writer.writeObject(view.buffer);
  writer.depth--;
}

/** Offset in bytes, and length in elements. A view beyond the end of its shrunk buffer has none; of a typed array there both are 0. */
function shapeOf(writer: ValueWriter, view: ArrayBufferView): { offset: number; length: number } {
  try {
    const { byteOffset, byteLength } = view;
    if (byteLength === 0 && classOfTypedArray.call(view) !== undefined) elementsOf.call(view);
    const { BYTES_PER_ELEMENT = 1 } = view as { BYTES_PER_ELEMENT?: number };
    return { offset: byteOffset, length: byteLength / BYTES_PER_ELEMENT };
  } catch {
    throw writer.refusal("a view that lies outside its ArrayBuffer");
  }
}

// ── reading ──

/** Reads an item that must be a buffer, also one that travels by reference. */
export function readBuffer(reader: ValueReader, kind: number, n: number): ArrayBufferLike {
  switch (kind) {
    case BUFFER:
    case LARGE_BUFFER:
      return reader.register(reader.copyBytes(reader.readBytes(kind)));
    case RESIZABLE_BUFFER:
      return reader.register(readResizable(reader));
    case REFERENCE:
      return reader.revive(n) as ArrayBufferLike;
    default:
      throw reader.corrupt(`there is no item of kind ${kind}`);
  }
}

function readResizable(reader: ValueReader): ArrayBuffer {
  const maxByteLength = reader.readDouble();
  const bytes = reader.readBytes(reader.next() & MASK);
  const buffer = reader.attempt("a resizable buffer", () => newResizable(bytes.length, maxByteLength));
  new Uint8Array(buffer).set(bytes);
  return buffer;
}

export function readView(reader: ValueReader, kind: number): ArrayBufferView {
  const offset = reader.readDouble();
  const length = reader.readDouble();
  // The view's number comes before its buffer's.
  const number = reader.reserveNumber();
  const buffer = readViewed(reader);
  const view = reader.attempt("a view", () => createView(kind, buffer, offset, length));
  if (view === undefined) throw reader.corrupt(`there is no kind ${kind} of view`);
  reader.registerAs(number, view);
  return view;
}

function readViewed(reader: ValueReader): ArrayBufferLike {
  const word = reader.next();
  const kind = word & MASK;
  const buffer = kind === BACK ? reader.readBack(word >>> BITS) : readBuffer(reader, kind, word >>> BITS);
  if (buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer) return buffer;
  throw reader.corrupt("a view of something else than a buffer");
}

function newResizable(length: number, maxByteLength: number): ArrayBuffer {
  const Resizable = ArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer;
  return new Resizable(length, { maxByteLength });
}
