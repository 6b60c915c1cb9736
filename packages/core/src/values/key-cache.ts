/**
 * Property names that were decoded before. The same few names come again and again, and finding one costs a
 * third of making it; a name found here is also the engine's own copy, so that using it as a property needs
 * no look-up in the engine's table of names.
 *
 * A direct-mapped table: a name's units, as words, are hashed to one place; whatever was there gives way.
 */

/** Bits of a place's number. A guess: more names than a program's messages have. */
const PLACE_BITS = 10;
const PLACES = 1 << PLACE_BITS;
/** Units of the longest name that is kept. */
export const MAX_KEPT_UNITS = 32;
const WORDS = MAX_KEPT_UNITS / 4;

const objectPrototype: object = Object.prototype;

/** The engine's own copy of a name. */
function interned(key: string): string {
  return Object.keys({ [key]: 0 })[0] as string;
}

export class KeyCache {
  /** The names, by place. */
  readonly keys: string[] = Array.from({ length: PLACES }, () => "");
  /** By place, 1 if Object.prototype has a property of that name, so that assigning might not create one. */
  readonly inherited: Uint8Array = new Uint8Array(PLACES);
  private readonly lengths = new Int32Array(PLACES).fill(-1);
  private readonly words = new Int32Array(PLACES * WORDS);

  /**
   * The place of the name of `length` Latin-1 units at word `at`; -1 if it must be decoded and put there.
   * Then `place` says where.
   */
  find(i32: Int32Array, at: number, length: number): number {
    const count = (length + 3) >> 2;
    const place = this.place(i32, at, length);
    if (this.lengths[place] !== length) return -1;
    const kept = place * WORDS;
    for (let i = 0; i < count; i++) if (this.words[kept + i] !== i32[at + i]) return -1;
    return place;
  }

  /** Keeps a name that was decoded from word `at`; its place. */
  put(i32: Int32Array, at: number, key: string): number {
    const place = this.place(i32, at, key.length);
    const count = (key.length + 3) >> 2;
    for (let i = 0; i < count; i++) this.words[place * WORDS + i] = i32[at + i];
    this.lengths[place] = key.length;
    this.keys[place] = interned(key);
    this.inherited[place] = key in objectPrototype ? 1 : 0;
    return place;
  }

  private place(i32: Int32Array, at: number, length: number): number {
    const count = (length + 3) >> 2;
    let hash = length;
    for (let i = 0; i < count; i++) {
      hash = Math.imul(hash ^ i32[at + i], 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    // The upper bits: a multiplication carries every bit upwards, so they depend on all units.
    return Math.imul(hash, 0x9e3779b1) >>> (32 - PLACE_BITS);
  }
}
