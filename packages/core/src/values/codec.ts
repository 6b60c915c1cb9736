/** Values in slots: see tags.ts for what a slot holds, block.ts for what does not fit into one. */

import { CorruptValueError } from "../base/errors.ts";
import { corruption } from "../memory/alarm.ts";
import { SLAB_UNIT_WORDS } from "../memory/layout.ts";
import type { SharedMemory } from "../memory/shared-memory.ts";
import type { Slab } from "../memory/slab.ts";
import { type BytesPort, copyOfBytes } from "./bytes.ts";
import { Decoder, type DecoderParts } from "./decoder.ts";
import { Encoder, type EncoderParts } from "./encoder.ts";
import type { ErrorClasses } from "./error-classes.ts";
import type { ReferenceKind, ReferenceTable } from "./references.ts";
import { takeRoom } from "./room.ts";
import {
  MAX_TEXT,
  REFERENCE_KINDS,
  TAG_BIGINT,
  TAG_BLOCK,
  TAG_FALSE,
  TAG_LATIN1,
  TAG_NULL,
  TAG_NUMBER,
  TAG_REFERENCE,
  TAG_TEXT,
  TAG_TRUE,
  TAG_UNDEFINED,
  TAG_UTF16,
  type Tag,
} from "./tags.ts";
import { isLatin1, loopText, type TextPort, type TextView } from "./text.ts";
import { cannotCopy, describe } from "./value-writer.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const NUMBER = TAG_NUMBER;
const TEXT = TAG_TEXT;
const SHORT = MAX_TEXT;
const BLOCK = TAG_BLOCK;
const LATIN1 = TAG_LATIN1;
const UTF16 = TAG_UTF16;
const UNIT_WORDS = SLAB_UNIT_WORDS;
const UNIT_BYTES = SLAB_UNIT_WORDS * 4;

const { fromCharCode } = String;

/** What a codec works with. */
export interface CodecOptions {
  readonly memory: SharedMemory;
  readonly slab: Slab;
  readonly references: ReferenceTable;
  readonly errors: ErrorClasses;
  /** Copies strings; default: loops in JavaScript. */
  readonly text?: TextPort;
  /** Makes the buffers of values that are received. */
  readonly copyBytes?: BytesPort;
}

/** One thread's way to put values into slots and take them out. */
export class ValueCodec {
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;
  private readonly i64: BigInt64Array;
  private readonly slab: Slab;
  private readonly references: ReferenceTable;
  private readonly text: TextView;
  private readonly encoder: Encoder;
  private readonly encoderParts: EncoderParts;
  private readonly decoder: Decoder;
  private readonly decoderParts: DecoderParts;

  constructor(options: CodecOptions) {
    const { memory, slab, references, errors, text: port = loopText } = options;
    const { copyBytes = copyOfBytes } = options;
    const { i32, f64, u8 } = memory;
    const text = port.over(u8);
    this.i32 = i32;
    this.f64 = f64;
    this.i64 = new BigInt64Array(memory.buffer);
    this.slab = slab;
    this.references = references;
    this.text = text;
    this.encoderParts = { memory, slab, references, errors, port, text };
    this.encoder = new Encoder(this.encoderParts);
    this.decoderParts = { i32, f64, u8, text, references, errors, copyBytes };
    this.decoder = new Decoder(this.decoderParts);
  }

  /**
   * Copies a value into the slot whose payload is at word `payload` (even); the tag. Throws `CloneError` with
   * the path, which begins with `where`, for what cannot be copied, `MemoryLimitError` when the slab has no
   * room, and what a getter in the value throws. Then nothing is kept.
   */
  put(payload: number, value: unknown, where: string): Tag {
    switch (typeof value) {
      case "number":
        this.f64[payload >> 1] = value;
        return NUMBER;
      case "string":
        return this.putString(payload, value);
      case "object":
        return value === null ? TAG_NULL : this.putObject(payload, value, where);
      case "boolean":
        return value ? TAG_TRUE : TAG_FALSE;
      case "undefined":
        return TAG_UNDEFINED;
      case "bigint":
        return this.putBigInt(payload, value, where);
      default:
        throw cannotCopy(where, describe(value));
    }
  }

  /**
   * The value, taken out: its block is free, its references are the caller's. Throws `CorruptValueError`, and
   * then, too, everything is free.
   */
  take(payload: number, tag: Tag): unknown {
    if (tag === BLOCK) return this.takeBlock(payload);
    if (tag === LATIN1 || tag === UTF16) return this.takeString(payload, tag);
    if (tag >= TAG_REFERENCE) return this.kindOf(tag).revive(this.i32[payload], this.i32[payload + 1]);
    return this.peekSlot(payload, tag);
  }

  /** A copy of the value, which stays as it is. */
  peek(payload: number, tag: Tag): unknown {
    if (tag === BLOCK) return this.decode(payload, true);
    if (tag === LATIN1 || tag === UTF16) return this.peekString(payload, tag);
    if (tag >= TAG_REFERENCE) {
      const kind = this.kindOf(tag);
      kind.retainAgain(this.i32[payload], this.i32[payload + 1]);
      return kind.revive(this.i32[payload], this.i32[payload + 1]);
    }
    return this.peekSlot(payload, tag);
  }

  /** Frees the value without making it. */
  drop(payload: number, tag: Tag): void {
    if (tag === BLOCK) this.dropBlock(payload);
    else if (tag === LATIN1 || tag === UTF16) this.giveBlock(payload);
    else if (tag >= TAG_REFERENCE) this.kindOf(tag).release(this.i32[payload], this.i32[payload + 1]);
  }

  // ── in the slot ──

  /** The value of a slot that needs no block. */
  private peekSlot(payload: number, tag: Tag): unknown {
    if (tag >= TEXT && tag <= TEXT + SHORT) return this.shortText(payload, tag - TEXT);
    switch (tag) {
      case TAG_UNDEFINED:
        return undefined;
      case NUMBER:
        return this.f64[payload >> 1];
      case TAG_NULL:
        return null;
      case TAG_TRUE:
        return true;
      case TAG_FALSE:
        return false;
      case TAG_BIGINT:
        return this.i64[payload >> 1];
      default:
        throw new CorruptValueError(`the slot at word ${payload} has no value with tag ${tag}`);
    }
  }

  private putBigInt(payload: number, value: bigint, where: string): Tag {
    this.i64[payload >> 1] = value;
    return this.i64[payload >> 1] === value ? TAG_BIGINT : this.putBlock(payload, value, where);
  }

  private putString(payload: number, text: string): Tag {
    const { length } = text;
    if (length <= SHORT && this.putShort(payload, text)) return TEXT + length;
    const latin1 = isLatin1(text);
    const bytes = latin1 ? length : length * 2;
    const at = takeRoom(this.slab, bytes);
    if (latin1) this.text.writeLatin1(at, text);
    else this.text.writeUtf16(at, text);
    this.i32[payload] = at / UNIT_BYTES;
    this.i32[payload + 1] = length;
    return latin1 ? LATIN1 : UTF16;
  }

  /** Puts up to eight units into the payload; false if one is above 255. */
  private putShort(payload: number, text: string): boolean {
    const { length } = text;
    let low = 0;
    let high = 0;
    let all = 0;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      all |= unit;
      if (i < 4) low |= unit << (i * 8);
      else high |= unit << (i * 8 - 32);
    }
    this.i32[payload] = low;
    this.i32[payload + 1] = high;
    return all <= 255;
  }

  private shortText(payload: number, length: number): string {
    const low = this.i32[payload];
    const high = this.i32[payload + 1];
    let text = "";
    for (let i = 0; i < length; i++)
      text += fromCharCode((i < 4 ? low >>> (i * 8) : high >>> (i * 8 - 32)) & 255);
    return text;
  }

  private kindOf(tag: Tag): ReferenceKind {
    const kind =
      tag < TAG_REFERENCE + REFERENCE_KINDS ? this.references.ofNumber(tag - TAG_REFERENCE) : undefined;
    if (kind === undefined) throw new CorruptValueError(`there is no kind of reference with tag ${tag}`);
    return kind;
  }

  // ── in a block ──

  private putObject(payload: number, value: object, where: string): Tag {
    const verdict = this.encoder.verdictOn(value);
    if (typeof verdict !== "object" || verdict.carried?.contentOf(value) !== undefined) {
      return this.putBlock(payload, value, where);
    }
    verdict.retain(value, this.i32, payload);
    return TAG_REFERENCE + verdict.kind;
  }

  private putBlock(payload: number, value: unknown, where: string): Tag {
    // A getter in the value may send values, too.
    const encoder = this.encoder.busy ? new Encoder(this.encoderParts) : this.encoder;
    encoder.busy = true;
    try {
      this.i32[payload] = encoder.encode(value, where) / UNIT_BYTES;
      this.i32[payload + 1] = encoder.words;
    } finally {
      encoder.busy = false;
    }
    return BLOCK;
  }

  private takeBlock(payload: number): unknown {
    try {
      return this.decode(payload, false);
    } catch (error) {
      this.checkBlock(payload, error);
      throw error;
    } finally {
      this.giveBlock(payload);
    }
  }

  /** Who takes a value has it alone: if its slot names no block, that was overwritten, or the block given back twice. (One who only looks, at a goroutine's name say, may come too late.) */
  private checkBlock(payload: number, error: unknown): void {
    const namesNone = this.slab.capacityAt(this.i32[payload] * UNIT_BYTES) === 0;
    if (namesNone && error instanceof CorruptValueError) corruption(this.i32, error.message);
  }

  private dropBlock(payload: number): void {
    const decoder = this.idleDecoder();
    decoder.busy = true;
    try {
      const words = this.i32[payload + 1];
      decoder.release(this.i32[payload] * UNIT_WORDS, words, this.capacityWords(payload));
    } finally {
      decoder.busy = false;
      this.giveBlock(payload);
    }
  }

  /** Frees the block that a slot names, if it names one. */
  private giveBlock(payload: number): void {
    const at = this.i32[payload] * UNIT_BYTES;
    if (this.slab.capacityAt(at) > 0) this.slab.give(at);
  }

  private decode(payload: number, copiesReferences: boolean): unknown {
    const decoder = this.idleDecoder();
    decoder.busy = true;
    try {
      const words = this.i32[payload + 1];
      const base = this.i32[payload] * UNIT_WORDS;
      return decoder.decode(base, words, this.capacityWords(payload), copiesReferences);
    } finally {
      decoder.busy = false;
    }
  }

  /** Reviving a handle may let other handles read their results, and releasing one may drop its result. */
  private idleDecoder(): Decoder {
    return this.decoder.busy ? new Decoder(this.decoderParts) : this.decoder;
  }

  /** Words that the block has room for. Throws when the slot names no block. */
  private capacityWords(payload: number): number {
    const unit = this.i32[payload];
    const capacity = this.slab.capacityAt(unit * UNIT_BYTES);
    if (capacity === 0)
      throw new CorruptValueError(`the slot at word ${payload} names unit ${unit}, where no block is in use`);
    return capacity / 4;
  }

  private takeString(payload: number, tag: Tag): string {
    try {
      return this.peekString(payload, tag);
    } catch (error) {
      this.checkBlock(payload, error);
      throw error;
    } finally {
      this.giveBlock(payload);
    }
  }

  private peekString(payload: number, tag: Tag): string {
    const length = this.i32[payload + 1];
    const bytes = tag === LATIN1 ? length : length * 2;
    if (length < 0 || bytes > this.capacityWords(payload) * 4) {
      throw new CorruptValueError(
        `the slot at word ${payload} names a string of ${length} units, which its block cannot hold`,
      );
    }
    const at = this.i32[payload] * UNIT_BYTES;
    return tag === LATIN1 ? this.text.readLatin1(at, length) : this.text.readUtf16(at, length);
  }
}
