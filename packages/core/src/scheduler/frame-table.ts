/**
 * The frames of one thread.
 *
 * A frame is an object, which is what the steps of the scheduler work best with, and costs 96 bytes with its place. Where thousands of goroutines are parked most frames only wait, so from PACK_FROM on those that
 * park are *packed*: what they say moves into tables, a quarter of the size, and the object serves the next goroutine. Whoever asks for a packed frame gets an object again, in the same place.
 */

import { G_WORDS } from "../memory/layout.ts";
import { type Abandonable, FRAME_GENERATOR, Frame } from "./frame.ts";

/** Frames in the table from which on they are packed; below it a park is to cost nothing. A guess: so many objects are 400 KB. */
const PACK_FROM = 4096;
/** Kept for reuse; a guess at what a burst needs. */
const SPARE_FRAMES = 4096;

/** The frames of one thread, by place; places are reused. Place 0 stays empty. */
export class FrameTable {
  /** Whether those that park should be packed. */
  crowded = false;
  /** By place; `undefined` for a place that is free or packed. */
  private readonly frames: (Frame | undefined)[] = [undefined];
  private readonly free: number[] = [];
  private readonly spare: Frame[] = [];
  private readonly packed: PackedFrames;

  /** `descriptors`: first word of goroutine 0's descriptor. */
  constructor(descriptors = 0) {
    this.packed = new PackedFrames(descriptors);
  }

  /** A frame that is not in the table. */
  take(): Frame {
    return this.spare.pop() ?? new Frame();
  }

  /** Gives a place to a frame that outlives this call of the scheduler. */
  add(frame: Frame): number {
    const place = this.free.pop();
    if (place === undefined) {
      this.crowded = this.frames.length >= PACK_FROM;
      return this.frames.push(frame) - 1;
    }
    this.frames[place] = frame;
    return place;
  }

  at(place: number): Frame {
    return this.frames[place] ?? this.unpack(place);
  }

  /** Frees the place (0: it never had one) and keeps the object for the next goroutine. */
  remove(place: number, frame: Frame): void {
    if (place !== 0) {
      this.frames[place] = undefined;
      this.free.push(place);
      if (this.crowded) this.crowded = this.frames.length - this.free.length >= PACK_FROM;
    }
    frame.clear();
    if (frame.lasting) frame.goroutine = frame.base = 0;
    else this.keep(frame);
  }

  /** Packs the frame at a place, if it can be. Nobody may use the object afterwards. */
  pack(place: number, frame: Frame): void {
    if (!frame.isPackable) return;
    this.packed.put(place, frame);
    this.frames[place] = undefined;
    frame.clear();
    this.keep(frame);
  }

  /** Calls `visit` for every frame in the table that is not packed. */
  forEach(visit: (frame: Frame) => void): void {
    for (const frame of this.frames) if (frame !== undefined) visit(frame);
  }

  /** Makes objects again of the packed frames of the goroutines that `wanted` is true for. */
  unpackWhere(wanted: (goroutine: number) => boolean): void {
    for (let place = 1; place < this.frames.length; place++) {
      if (this.frames[place] !== undefined) continue;
      const goroutine = this.packed.goroutineAt(place);
      if (goroutine !== 0 && wanted(goroutine)) this.unpack(place);
    }
  }

  private unpack(place: number): Frame {
    if (this.packed.goroutineAt(place) === 0) throw new Error(`frame table: no frame at place ${place}`);
    const frame = this.take();
    this.packed.take(place, frame);
    this.frames[place] = frame;
    return frame;
  }

  private keep(frame: Frame): void {
    if (this.spare.length < SPARE_FRAMES) this.spare.push(frame);
  }
}

/** Bits of a place that name it within its chunk: a table that grew by doubling would leave as much garbage as it holds. */
const CHUNK_BITS = 12;
const CHUNK_PLACES = 1 << CHUNK_BITS;
const PLACE_MASK = CHUNK_PLACES - 1;

interface Chunk {
  /** For each place its generator, then its operation. */
  readonly references: unknown[];
  /** For each place its goroutine, 0 for none, then `packedState`. */
  readonly words: Int32Array;
}

/** What is left of frames that are packed, by place. */
class PackedFrames {
  private readonly descriptors: number;
  private readonly chunks: (Chunk | undefined)[] = [];

  constructor(descriptors: number) {
    this.descriptors = descriptors;
  }

  goroutineAt(place: number): number {
    const chunk = this.chunks[place >> CHUNK_BITS];
    return chunk === undefined ? 0 : chunk.words[(place & PLACE_MASK) * 2];
  }

  put(place: number, frame: Frame): void {
    const { references, words } = this.chunkOf(place);
    const at = (place & PLACE_MASK) * 2;
    references[at] = frame.generator;
    references[at + 1] = frame.operation;
    words[at] = frame.goroutine;
    words[at + 1] = frame.packedState;
  }

  take(place: number, frame: Frame): void {
    const { references, words } = this.chunkOf(place);
    const at = (place & PLACE_MASK) * 2;
    frame.goroutine = words[at];
    frame.base = this.descriptors + words[at] * G_WORDS;
    frame.kind = FRAME_GENERATOR;
    frame.packedState = words[at + 1];
    frame.generator = references[at] as Generator<unknown, unknown, unknown>;
    frame.operation = references[at + 1] as Abandonable;
    references[at] = references[at + 1] = undefined;
    words[at] = 0;
  }

  private chunkOf(place: number): Chunk {
    const { chunks } = this;
    const number = place >> CHUNK_BITS;
    while (chunks.length <= number) chunks.push(undefined);
    const chunk = chunks[number] ?? emptyChunk();
    chunks[number] = chunk;
    return chunk;
  }
}

function emptyChunk(): Chunk {
  const references = Array.from({ length: CHUNK_PLACES * 2 }, () => undefined as unknown);
  return { references, words: new Int32Array(CHUNK_PLACES * 2) };
}
