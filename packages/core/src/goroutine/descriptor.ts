/**
 * What a descriptor's G_META packs.
 *
 * ```
 *    31      30      29     28     27    26 24  23 18  17 12  11 6   5  0
 * ┌───────┬────────┬──────┬──────┬────────┬───────┬──────┬──────┬──────┬──────┐
 * │planned│explicit│failed│pseudo│detached│ count │ tag 3│ tag 2│ tag 1│ tag 0│
 * └───────┴────────┴──────┴──────┴────────┴───────┴──────┴──────┴──────┴──────┘
 * ```
 *
 * Before the start the tags belong to the arguments, whose payloads stand in G_ARGS; after the end tag 0 and the first payload are the result's, or,
 * with *failed*, the error's. A goroutine with more than four arguments has them as one array in the first slot, and the count `PACKED`.
 */

/** Arguments that have a slot of their own. */
export const INLINE_ARGS = 4;
/** Bits of a value's tag. */
export const TAG_BITS = 6;
export const TAG_MASK = 63;
/** Where the argument count begins. */
export const COUNT_SHIFT = 24;
export const COUNT_MASK = 7;
/** The count that says "all arguments are one array in slot 0". */
export const PACKED = 7;
/** Started by `go`: nobody has a handle, an error ends the runtime. */
export const DETACHED: number = 1 << 27;
/** Not a goroutine: a promise, or a blocked thread, that waits in the queues as goroutines do. */
export const PSEUDO: number = 1 << 28;
/** Ended with an error. */
export const FAILED: number = 1 << 29;
/** Was given its context, rather than its starter's. */
export const EXPLICIT_CONTEXT: number = 1 << 30;
/** Has a context of its own with a plan: what is to be done if it is lost, or takes too long. */
export const PLANNED: number = 1 << 31;

/** Words of one argument slot. */
export const SLOT_WORDS = 2;
