/**
 * The frames of one thread.
 *
 * A frame is an object, which is what the steps of the scheduler work best with, and costs 96 bytes with its place. Where thousands of goroutines are parked most frames only wait. So the places from PACK_FROM on are kept
 * in tables, in which a frame that parks is *packed*: what it says takes a quarter of the room, and the object serves the next goroutine. Whoever asks for a packed frame gets an object again, in the same place. The lower
 * places are used first, and their frames are never packed.
 */

import { G_WORDS } from "../../memory/layout.ts";
import { type Abandonable, FRAME_GENERATOR, Frame } from "./frame.ts";

/** The first place in which frames are packed; below it a park is to cost nothing. A guess: so many objects are 400 KB. */
const PACK_FROM = 4096;
/** Kept for reuse; a guess at what a burst needs. */
const SPARE_FRAMES = 4096;

/** The frames of one thread, by place; places are reused. Place 0 stays empty. */
export class FrameTable {
  /** Whether some of those that park should be packed. */
  crowded = false;
  private readonly few: (Frame | undefined)[] = [undefined];
  private readonly free: number[] = [];
  private readonly many: PackingTable;
  private readonly spare: Frame[] = [];

  /** `descriptors`: first word of goroutine 0's descriptor. */
  constructor(descriptors = 0) {
    this.many = new PackingTable(descriptors);
  }

  /** A frame that is not in the table. */
  take(): Frame {
    return this.spare.pop() ?? new Frame();
  }

  /** Gives a place to a frame that outlives this call of the scheduler. */
  add(frame: Frame): number {
    const place = this.free.pop();
    if (place !== undefined) {
      this.few[place] = frame;
      return place;
    }
    if (this.few.length < PACK_FROM) return this.few.push(frame) - 1;
    this.crowded = true;
    return PACK_FROM + this.many.add(frame);
  }

  at(place: number): Frame {
    const frame = place < PACK_FROM ? this.few[place] : this.atOrUnpacked(place - PACK_FROM);
    if (frame === undefined) throw new Error(`frame table: no frame at place ${place}`);
    return frame;
  }

  /** Frees the place (0: it never had one) and keeps the object for the next goroutine. */
  remove(place: number, frame: Frame): void {
    if (place >= PACK_FROM) {
      this.many.remove(place - PACK_FROM);
      this.crowded = this.many.used > 0;
    } else if (place !== 0) {
      this.few[place] = undefined;
      this.free.push(place);
    }
    frame.clear();
    if (frame.lasting) frame.goroutine = frame.base = 0;
    else this.keep(frame);
  }

  /** Packs the frame at a place, if it is to be and can be. Nobody may use the object afterwards. */
  pack(place: number, frame: Frame): void {
    if (place < PACK_FROM || !frame.isPackable) return;
    this.many.pack(place - PACK_FROM, frame);
    frame.clear();
    this.keep(frame);
  }

  /** Calls `visit` for every frame in the table that is not packed. */
  forEach(visit: (frame: Frame) => void): void {
    for (const frame of this.few) if (frame !== undefined) visit(frame);
    for (let place = 0; place < this.many.end; place++) {
      const frame = this.many.frameAt(place);
      if (frame !== undefined) visit(frame);
    }
  }

  /** Makes objects again of the packed frames of the goroutines that `wanted` is true for. */
  unpackWhere(wanted: (goroutine: number) => boolean): void {
    for (let place = 0; place < this.many.end; place++) {
      const goroutine = this.many.packedAt(place);
      if (goroutine !== 0 && wanted(goroutine)) this.many.unpack(place, this.take());
    }
  }

  private atOrUnpacked(place: number): Frame | undefined {
    return this.many.packedAt(place) === 0 ? this.many.frameAt(place) : this.many.unpack(place, this.take());
  }

  private keep(frame: Frame): void {
    if (this.spare.length < SPARE_FRAMES) this.spare.push(frame);
  }
}

/**
 * Bits of a place that name it within its chunk. A table that grew by doubling would leave twice as much garbage as it holds. And a chunk's references, 128 KB and a header, are just too large for V8 to carry from one half
 * of the young generation to the other.
 */
const CHUNK_BITS = 13;
const CHUNK_PLACES = 1 << CHUNK_BITS;
const PLACE_MASK = CHUNK_PLACES - 1;

interface Chunk {
  /** For each place its frame and nothing, or the generator and the operation of one that is packed. */
  readonly references: unknown[];
  /** For each place the goroutine of a packed frame, 0 for none, and its `packedState`. */
  readonly words: Int32Array;
}

/** Frames by place, from 0, of which some are packed. */
class PackingTable {
  /** Places in use. */
  used = 0;
  /** The first place that was never used. */
  end = 0;
  private readonly descriptors: number;
  private readonly chunks: Chunk[] = [];
  private readonly free: number[] = [];

  constructor(descriptors: number) {
    this.descriptors = descriptors;
  }

  add(frame: Frame): number {
    this.used++;
    const place = this.free.pop() ?? this.end++;
    if (place >> CHUNK_BITS === this.chunks.length) this.chunks.push(emptyChunk());
    this.chunkOf(place).references[(place & PLACE_MASK) * 2] = frame;
    return place;
  }

  /** Frees the place of a frame that is not packed. */
  remove(place: number): void {
    this.used--;
    this.chunkOf(place).references[(place & PLACE_MASK) * 2] = undefined;
    this.free.push(place);
  }

  /** The frame at a place; `undefined` if there is none. It must not be packed to be told from none. */
  frameAt(place: number): Frame | undefined {
    if (place >= this.end || this.packedAt(place) !== 0) return undefined;
    return this.chunkOf(place).references[(place & PLACE_MASK) * 2] as Frame | undefined;
  }

  /** The goroutine of the packed frame at a place; 0 if there is none. */
  packedAt(place: number): number {
    return place >= this.end ? 0 : this.chunkOf(place).words[(place & PLACE_MASK) * 2];
  }

  pack(place: number, frame: Frame): void {
    const { references, words } = this.chunkOf(place);
    const at = (place & PLACE_MASK) * 2;
    references[at] = frame.generator;
    references[at + 1] = frame.operation;
    words[at] = frame.goroutine;
    words[at + 1] = frame.packedState;
  }

  /** Fills `frame` with what is packed at a place, and puts it there. */
  unpack(place: number, frame: Frame): Frame {
    const { references, words } = this.chunkOf(place);
    const at = (place & PLACE_MASK) * 2;
    frame.goroutine = words[at];
    frame.base = this.descriptors + words[at] * G_WORDS;
    frame.kind = FRAME_GENERATOR;
    frame.packedState = words[at + 1];
    frame.generator = references[at] as Generator<unknown, unknown, unknown>;
    frame.operation = references[at + 1] as Abandonable;
    references[at] = frame;
    references[at + 1] = undefined;
    words[at] = 0;
    return frame;
  }

  private chunkOf(place: number): Chunk {
    return this.chunks[place >> CHUNK_BITS];
  }
}

function emptyChunk(): Chunk {
  const references = Array.from({ length: CHUNK_PLACES * 2 }, () => undefined as unknown);
  return { references, words: new Int32Array(CHUNK_PLACES * 2) };
}
