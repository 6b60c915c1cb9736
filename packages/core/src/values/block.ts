/**
 * How a value lies in a slab block.
 *
 * ```
 * ┌────────┬───────────────────────────────┬────────────────┬──────────────────────┐
 * │ header │ items                         │ references     │ large parts          │
 * │ 4 words│                               │ 3 words each   │ 8-aligned bytes      │
 * └────────┴───────────────────────────────┴────────────────┴──────────────────────┘
 * ```
 *
 * Everything is made of 32-bit words, since writing and reading a word is one instruction in JavaScript where
 * a byte-packed format needs several. An item begins with a word: its kind in the low 6 bits, `n` in the
 * upper 26. The items form a tree, written parents first:
 *
 * | item | n | then |
 * |---|---|---|
 * | undefined, null, true, false, hole | – | |
 * | int | the number, signed | |
 * | double | – | 2 words |
 * | Latin-1, UTF-16 | units | the units, to the end of the word |
 * | large Latin-1, large UTF-16 | – | units, place |
 * | bigint 64 | – | 2 words |
 * | bigint | 1 if negative | a string item: hexadecimal digits |
 * | back | number of the object | |
 * | object | properties | key and value, each |
 * | array, array with properties | length, or LONG: then a word | elements; with properties: a word, then key and value, each |
 * | int run, double run, hole run | elements (hole run: –, then a word) | (padding to an even word) a word or two each; only inside arrays |
 * | map, set | entries | keys and values |
 * | date | – | 2 words |
 * | regexp | – | source, flags |
 * | boxed | – | the primitive |
 * | error | what is there: ERROR_… | class name, name, message, stack, cause, errors; properties: a word, then key and value, each |
 * | buffer | – | bytes, the bytes to the end of the word |
 * | large buffer | – | bytes, place |
 * | resizable buffer | – | 2 words (maximum), then buffer or large buffer |
 * | view | kind of view | 2 words (offset), 2 words (length), then what it is a view of |
 * | reference | number in the list of references | |
 * | carried | kind of reference | the content that stands for it |
 * | later | kind of the container | what is needed to create it: see there |
 *
 * Objects are numbered in the order in which they appear; *back* names one that has appeared already.
 *
 * *Later* keeps both sides from recursing deeper than MAX_DEPTH, whatever the value: a container that lies
 * deeper is only announced where it belongs, and its own item follows after the whole tree, first announced
 * first written. The reader creates it empty when it is announced, so order, identity and cycles come out as
 * if it had been read in place.
 *
 * *Place* is counted in 8 bytes from the beginning of the large parts. A large part is written once, from the
 * value straight into the block, while everything before is gathered in a scratch buffer first, since its
 * size is not known before the end.
 *
 * The references are listed apart so that a block can be dropped without being read.
 */

// ── header ──

/** Words up to the references, header included. */
export const BLOCK_ITEMS = 0;
/** Number of references. */
export const BLOCK_REFERENCES = 1;
/** Words of the whole. */
export const BLOCK_WORDS = 2;
/** BLOCK_MAGIC, with BLOCK_HAS_BACK or without. */
export const BLOCK_FLAGS = 3;
export const HEADER_WORDS = 4;
/** Tells a block from others, and the version of the format. */
export const BLOCK_MAGIC = 0x48560100;
/** An object appears twice, so the reader must number the objects. */
export const BLOCK_HAS_BACK = 1;
/** Words of a listed reference: kind, index, generation. */
export const REFERENCE_WORDS = 3;

// ── items ──

export const KIND_BITS = 6;
export const KIND_MASK = 63;
/** Largest n. As an array's length it means that the length is in the next word. */
export const LONG = 0x3ffffff;

export const UNDEFINED = 0;
export const NULL = 1;
export const TRUE = 2;
export const FALSE = 3;
export const INT = 4;
export const DOUBLE = 5;
export const LATIN1 = 6;
export const UTF16 = 7;
export const LARGE_LATIN1 = 8;
export const LARGE_UTF16 = 9;
export const BIGINT64 = 10;
export const BIGINT = 11;
export const BACK = 12;
export const OBJECT = 13;
export const ARRAY = 14;
export const ARRAY_WITH_PROPERTIES = 15;
export const INT_RUN = 16;
export const DOUBLE_RUN = 17;
export const HOLE = 18;
export const HOLE_RUN = 19;
export const MAP = 20;
export const SET = 21;
export const DATE = 22;
export const REGEXP = 23;
export const BOXED = 24;
export const ERROR = 25;
export const BUFFER = 26;
export const LARGE_BUFFER = 27;
export const RESIZABLE_BUFFER = 28;
export const VIEW = 29;
export const REFERENCE = 30;
export const CARRIED = 31;
export const LATER = 32;

// Parts of an error that are there.
export const ERROR_MESSAGE = 1;
export const ERROR_STACK = 2;
export const ERROR_CAUSE = 4;
export const ERROR_ERRORS = 8;
/** A `code` that is not an enumerable property of its own. */
export const ERROR_CODE = 16;

/**
 * Containers inside containers that are written in place. A guess: far beyond what data has, and a tenth of
 * what V8's default stack holds of the two functions that a level takes.
 */
export const MAX_DEPTH = 100;

/**
 * Where the large parts begin, in words from the block's beginning: after items and references, 8-aligned.
 */
export function largePartsAt(itemWords: number, references: number): number {
  return (itemWords + references * REFERENCE_WORDS + 1) & ~1;
}
