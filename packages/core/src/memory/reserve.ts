/**
 * Memory of which much is reserved and little used, again and again: for each thread that is started.
 *
 * A buffer of a fixed length comes from malloc and must be zero. For a block that malloc gets from the system that costs nothing: its pages do not exist until they are touched. But once such a block has been freed, glibc keeps
 * the next ones of up to that size (32 MiB at the most) in its heap. They come from what was freed there, are cleared by hand, and every page of them exists from then on: a runtime that had lost some threads held 20 MB more for each thread,
 * used or not, with gaps in between.
 *
 * The engine cannot take a buffer that may grow from malloc: it maps pages of its own for it, and unmaps them when the buffer is gone. So this one may grow, by nothing. Views of a fixed length are of the same kind as those of other buffers.
 */

/** A buffer of zeros. Its pages cost memory only once they are touched, and the system has them back when nobody has the buffer any more. */
export function reserve(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes, { maxByteLength: bytes });
}
