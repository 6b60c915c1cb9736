/**
 * Buffers for the bytes that a thread receives, and what becomes of their memory afterwards.
 *
 * A program that is sent buffers all the time leaves as many to the garbage collector, which frees them by the dozen. glibc gives memory at the end of its heap back to the system as soon as 128 KiB of it are free, and each
 * page of the next buffers must be made and zeroed anew: 16 page faults for each buffer of 64 KiB, which cost more than copying it twice. glibc raises that bound by itself, once, when a block that it had got from the system alone is
 * freed: to twice the size of that block. So a thread that has received a lot makes one such block and lets it go. None of its pages is ever touched.
 *
 * What it costs: a process may then keep up to 64 MiB of free heap that it would have given back. Other allocators take no notice.
 */

import { type BytesPort, copyOfBytes } from "@heddle/core";

/** Received bytes after which a thread takes it that this goes on. A guess: as much as the heap may keep. */
const A_LOT_BYTES = 64 * 2 ** 20;
/** Just below 32 MiB, the largest block that still moves glibc's bound. Smaller ones were measured: of 17 page faults 8 to 12 are left with 4 MiB, 8 to 9 with 8, 1 to 8 with 16, 1 to 2 with this. */
const BLOCK_BYTES = 2 ** 25 - 2 ** 16;

/** One thread's way to make buffers for what it receives. */
export function receivedBytes(): BytesPort {
  let untilALot = A_LOT_BYTES;
  return (bytes) => {
    if (untilALot > 0) {
      untilALot -= bytes.length;
      if (untilALot <= 0) leaveBlock();
    }
    return copyOfBytes(bytes);
  };
}

/** Leaves a block to the garbage collector, which comes soon where many buffers are received. Where there is no room for one, nothing is lost but the gain. */
function leaveBlock(): void {
  try {
    void new ArrayBuffer(BLOCK_BYTES);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}
