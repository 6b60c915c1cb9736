/** What the threads of both parallel sides get. */

/**
 * A parser makes much that lives for a few milliseconds. With the engine's usual young generation a good part of it is promoted and collected again from the old one; with this one it dies young. (The serial side's thread is the
 * process's own, whose heap only the command line can set.)
 */
export const THREAD_LIMITS: { readonly maxYoungGenerationSizeMb: number } = { maxYoungGenerationSizeMb: 128 };
