/** The bytes of a value that was received, in a buffer of their own. */

/** Makes such a buffer. Whoever embeds core may have a better way, or want to know how much is received. */
export type BytesPort = (bytes: Uint8Array) => ArrayBuffer;

/** Copying into a new view does not fill it with zeros first, as `slice` and `set` do. */
export const copyOfBytes: BytesPort = (bytes) => new Uint8Array(bytes).buffer as ArrayBuffer;
