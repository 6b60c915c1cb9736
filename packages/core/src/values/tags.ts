/**
 * How a value lies in a slot: a tag, which the caller keeps in some word of its own, and a payload of eight
 * bytes.
 *
 * | tag | payload |
 * |---|---|
 * | undefined, null, true, false | none |
 * | number | the double |
 * | bigint | a signed 64-bit integer; larger ones are in a block |
 * | text + n | n Latin-1 units, the first in the lowest byte |
 * | reference + kind | index, generation (see references.ts) |
 * | Latin-1, UTF-16 | unit of a slab block, length in UTF-16 units: the block is the string |
 * | block | unit of a slab block, its length in words (see block.ts) |
 *
 * A slot of zeros is `undefined`. Tags take six bits.
 */

/** A slot's tag: 0 to 63. */
export type Tag = number;

export const TAG_UNDEFINED = 0;
export const TAG_NULL = 1;
export const TAG_TRUE = 2;
export const TAG_FALSE = 3;
export const TAG_NUMBER = 4;
export const TAG_BIGINT = 5;
export const TAG_LATIN1 = 6;
export const TAG_UTF16 = 7;
export const TAG_BLOCK = 8;
/** The first of MAX_TEXT + 1 tags: the empty string. */
export const TAG_TEXT = 16;
/** Units of the longest string that fits in a payload. */
export const MAX_TEXT = 8;
/** The first of REFERENCE_KINDS tags. */
export const TAG_REFERENCE = 32;
/** Kinds of references that there is room for. */
export const REFERENCE_KINDS = 16;
