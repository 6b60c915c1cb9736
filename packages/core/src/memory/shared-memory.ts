/** The memory of one runtime, as each thread sees it. */

import {
  CHAOS_OFF,
  H_CHAOS_SEED,
  H_MAGIC,
  H_MAX_GOROUTINES,
  H_MAX_MACHINES,
  H_MAX_OBJECTS,
  H_PROCS,
  H_RING_SIZE,
  H_SLAB_KIB,
  H_TIME_SLICE_US,
  type Layout,
  layoutFor,
  type MemoryShape,
  P_TIMER_NEXT,
  P_WORDS,
  POOL_AWAIT,
  POOL_BUMP,
  POOL_KINDS,
  POOL_WORDS,
  RING_PLACES,
} from "./layout.ts";

/** "HEDL" and the version of the layout. */
const MAGIC = 0x4845444c ^ 1;

/**
 * Places of a ring that others may steal from. As in Go: what is beyond them goes to the global queue, from which a processor takes a hundred at once, where a thief takes a quarter of a millisecond's worth.
 */
const SHARED_RING = 256;

/** What a runtime is created with. */
export interface MemoryOptions extends MemoryShape {
  /** Time slice in milliseconds. */
  readonly timeSliceMs: number;
  /** Places in a processor's ring: a power of two up to RING_PLACES. Default: all of them for one processor, else SHARED_RING. */
  readonly ringSize?: number;
  /** Seed of chaos mode, an integer other than 0; default: no chaos. */
  readonly chaosSeed?: number;
}

/** One buffer, three views of it, and where its regions lie. */
export class SharedMemory {
  readonly buffer: SharedArrayBuffer;
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly u8: Uint8Array;
  readonly shape: MemoryShape;
  readonly layout: Layout;

  private constructor(buffer: SharedArrayBuffer, shape: MemoryShape, layout: Layout) {
    this.buffer = buffer;
    this.i32 = new Int32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.shape = shape;
    this.layout = layout;
  }

  /** Reserves and initialises the memory of a new runtime. Pages cost nothing until they are touched. */
  static create(options: MemoryOptions): SharedMemory {
    const layout = layoutFor(options);
    const memory = new SharedMemory(new SharedArrayBuffer(layout.words * 4), options, layout);
    initialiseMemory(memory, options);
    return memory;
  }

  /** The same memory on another thread. */
  static attach(buffer: SharedArrayBuffer): SharedMemory {
    const header = new Int32Array(buffer, 0, 16);
    if (header[H_MAGIC] !== MAGIC) throw new Error("attach: the buffer holds no runtime of this version");
    const shape = {
      procs: header[H_PROCS],
      maxMachines: header[H_MAX_MACHINES],
      maxGoroutines: header[H_MAX_GOROUTINES],
      maxObjects: header[H_MAX_OBJECTS],
      slabBytes: header[H_SLAB_KIB] * 1024,
    };
    return new SharedMemory(buffer, shape, layoutFor(shape));
  }
}

/** Writes what the memory of a new runtime begins with. Models, whose memory is not reserved here, begin with the same. */
export function initialiseMemory(
  { i32, f64, layout }: Pick<SharedMemory, "i32" | "f64" | "layout">,
  options: MemoryOptions,
): void {
  i32[H_PROCS] = options.procs;
  i32[H_MAX_MACHINES] = options.maxMachines;
  i32[H_MAX_GOROUTINES] = options.maxGoroutines;
  i32[H_MAX_OBJECTS] = options.maxObjects;
  i32[H_TIME_SLICE_US] = Math.max(1, Math.round(options.timeSliceMs * 1000));
  i32[H_RING_SIZE] = options.ringSize ?? (options.procs === 1 ? RING_PLACES : SHARED_RING);
  i32[H_CHAOS_SEED] = options.chaosSeed ?? CHAOS_OFF;
  i32[H_SLAB_KIB] = options.slabBytes / 1024;
  for (let kind = 0; kind < POOL_KINDS; kind++) i32[layout.pools + kind * POOL_WORDS + POOL_BUMP] = 1;
  i32[layout.pools + POOL_AWAIT * POOL_WORDS + POOL_BUMP] = options.maxGoroutines + 1;
  for (let p = 0; p < options.procs; p++)
    f64[(layout.processors + p * P_WORDS + P_TIMER_NEXT) >> 1] = Number.POSITIVE_INFINITY;
  i32[H_MAGIC] = MAGIC;
}
