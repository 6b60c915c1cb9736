import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CACHE_WORDS } from "../../src/memory/layout.ts";
import { SharedMemory } from "../../src/memory/shared-memory.ts";
import { Slab } from "../../src/memory/slab.ts";
import { CLASS_UNITS, classFor, MAX_CLASS_BYTES, UNIT_BYTES } from "../../src/memory/slab-classes.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

interface Threads {
  readonly memory: SharedMemory;
  readonly slabs: readonly Slab[];
  readonly caches: readonly number[];
}

/** So many threads on one slab, each with a cache of its own. */
function threads(count: number, slabBytes: number): Threads {
  const memory = SharedMemory.create({
    procs: 1,
    maxMachines: count,
    maxGoroutines: 16,
    maxObjects: 16,
    slabBytes,
    timeSliceMs: 10,
  });
  const caches = Array.from({ length: count }, (_, i) => memory.layout.caches + i * CACHE_WORDS);
  return { memory, caches, slabs: caches.map((cache, i) => new Slab(memory, i, cache)) };
}

function oneSlab(slabBytes = MIB): Slab {
  return threads(1, slabBytes).slabs[0] as Slab;
}

/** Takes blocks of one size until there is no room. */
function exhaust(slab: Slab, bytes: number): number[] {
  const taken: number[] = [];
  for (let at = slab.take(bytes); at !== 0; at = slab.take(bytes)) taken.push(at);
  return taken;
}

describe("sizes", () => {
  it("finds the smallest class for every size", () => {
    const wrong: number[] = [];
    for (let bytes = 1; bytes <= MAX_CLASS_BYTES; bytes++) {
      const sizeClass = classFor(bytes);
      const below = sizeClass === 0 ? 0 : CLASS_UNITS[sizeClass - 1];
      if (CLASS_UNITS[sizeClass] * UNIT_BYTES < bytes || below * UNIT_BYTES >= bytes) wrong.push(bytes);
    }
    expect(wrong).toEqual([]);
  });

  it.each([0, 1, 64, 65, 200, 4096, 4097, 32 * KIB, 32 * KIB + 1, 100_000, MIB])(
    "has room for %i bytes",
    (bytes) => {
      const slab = oneSlab(4 * MIB);
      const at = slab.take(bytes);
      expect(at).toBeGreaterThan(0);
      expect(at % 64).toBe(0);
      expect(slab.capacityAt(at)).toBeGreaterThanOrEqual(bytes);
      slab.give(at);
      expect(slab.census()).toEqual({ blocks: 0, bytes: 0 });
    },
  );

  it("touches no memory before it is used", () => {
    const { memory } = threads(1, 4 * MIB);
    expect(memory.u8.subarray(memory.layout.slab * 4).every((byte) => byte === 0)).toBe(true);
  });
});

describe("a wrong offset", () => {
  it.each([
    ["inside a small block", 64],
    ["that is no multiple of 64", 8],
    ["that is no integer", 0.5],
    ["before the slab", -1e6],
    ["beyond the memory", 1e12],
  ])("%s is refused by give", (_, distance) => {
    const slab = oneSlab();
    const at = slab.take(1000);
    expect(() => slab.give(at + distance)).toThrow(`give: no block in use begins at byte ${at + distance}`);
    expect(slab.capacityAt(at + distance)).toBe(0);
    slab.give(at);
  });

  it("inside a large block is refused", () => {
    const slab = oneSlab();
    const at = slab.take(100 * KIB);
    expect(() => slab.give(at + 32 * KIB)).toThrow("give: no block in use begins");
    slab.give(at);
  });

  it.each([100, 100 * KIB])("given twice is refused: a block of %i bytes", (bytes) => {
    const slab = oneSlab();
    const at = slab.take(bytes);
    slab.give(at);
    expect(() => slab.give(at)).toThrow(`give: no block in use begins at byte ${at}`);
  });
});

describe("exhaustion", () => {
  it.each([64, 192, 5000, 32 * KIB, 50 * KIB, 300 * KIB])(
    "by blocks of %i bytes gives 0, and ends when one comes back",
    (bytes) => {
      const slab = oneSlab();
      const taken = exhaust(slab, bytes);
      expect(taken.length).toBeGreaterThan(0);
      slab.give(taken.pop() as number);
      const again = slab.take(bytes);
      expect(again).not.toBe(0);
      slab.give(again);
      for (const at of taken) slab.give(at);
      expect(slab.census().blocks).toBe(0);
    },
  );

  it("never hands out what is larger than the slab", () => {
    const slab = oneSlab();
    expect(slab.maxBytes).toBe(MIB);
    for (const bytes of [MIB + 1, 2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY])
      expect(slab.take(bytes)).toBe(0);
    const whole = slab.take(MIB);
    expect(whole).not.toBe(0);
    expect(slab.take(1)).toBe(0);
    slab.give(whole);
  });

  it("by one size leaves everything to another size afterwards", () => {
    const slab = oneSlab();
    for (const bytes of [64, 30 * KIB, 300, 4096, 64]) {
      const taken = exhaust(slab, bytes);
      expect(taken.length * slab.capacityAt(taken[0] as number)).toBeGreaterThan(0.9 * MIB);
      for (const at of taken) slab.give(at);
    }
    expect(slab.take(MIB)).not.toBe(0);
  });

  it("of one class borrows a larger block rather than failing", () => {
    const slab = oneSlab();
    const large = exhaust(slab, 10 * KIB);
    slab.give(large.pop() as number);
    const small = slab.take(64);
    expect(small).not.toBe(0);
    slab.give(small);
    expect(slab.take(10 * KIB)).not.toBe(0);
  });

  it("with one block left in each run reclaims nothing, and does not search for ever", () => {
    const slab = oneSlab();
    const taken = exhaust(slab, 64);
    const kept = taken.filter((_, i) => i % 512 === 0);
    for (const at of taken) if (!kept.includes(at)) slab.give(at);
    for (let i = 0; i < 1000; i++) expect(slab.take(100 * KIB)).toBe(0);
    for (const at of kept) slab.give(at);
    expect(slab.take(100 * KIB)).not.toBe(0);
  });
});

describe("several threads", () => {
  it("give back each other's blocks", () => {
    const { slabs } = threads(2, MIB);
    const [one, other] = slabs as [Slab, Slab];
    for (let round = 0; round < 50; round++) {
      const taken = Array.from({ length: 200 }, (_, i) => one.take(64 + i * 10));
      expect(taken).not.toContain(0);
      for (const at of taken) other.give(at);
    }
    expect(one.census().blocks).toBe(0);
  });

  it("find in the list behind what another's cache gave up", () => {
    const { slabs } = threads(2, 128 * KIB);
    const [one, other] = slabs as [Slab, Slab];
    for (const at of exhaust(one, 64)) one.give(at);
    one.flush();
    expect(exhaust(other, 64).length).toBe(2048);
  });

  it("go on with the caches of the processors they take up", () => {
    const { slabs, caches } = threads(2, 128 * KIB);
    const [one, other] = slabs as [Slab, Slab];
    const first = one.take(64);
    one.give(first);
    other.useCache(caches[0] as number);
    expect(other.take(64)).toBe(first);
  });
});

describe("the chunks' lock", () => {
  it("is taken from a thread that died, and every free chunk is found again", () => {
    const { memory, slabs } = threads(2, MIB);
    const [one, other] = slabs as [Slab, Slab];
    const held = [1, 2, 3, 4].map((chunks) => one.take(chunks * 40 * KIB));
    one.give(held[1] as number);
    // Thread 0 died holding the lock, with the bins in disorder.
    const state = memory.layout.slab;
    memory.i32.fill(0, state + 2, state + 80);
    memory.i32[state] = 1;
    expect(other.repairAfter(1)).toBe(false);
    expect(other.repairAfter(0)).toBe(true);
    expect(other.take(80 * KIB)).toBe(held[1]);
    for (const at of held) other.give(at);
    expect(other.take(MIB)).not.toBe(0);
  });
});

describe("random use", () => {
  const size = fc.oneof(
    fc.integer({ min: 1, max: 700 }),
    fc.integer({ min: 1, max: 40 * KIB }),
    fc.integer({ min: 32 * KIB, max: 400 * KIB }),
  );
  const step = fc.record({
    thread: fc.integer({ min: 0, max: 2 }),
    give: fc.boolean(),
    size,
    pick: fc.nat(),
  });

  it("never overlaps, never loses a block, and all comes back", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const { memory, slabs } = threads(3, 2 * MIB);
        const live: { at: number; bytes: number; stamp: number }[] = [];
        let stamp = 1;
        const check = ({ at, bytes, stamp: mark }: { at: number; bytes: number; stamp: number }): void => {
          expect([memory.i32[at / 4], memory.u8[at + bytes - 1]]).toEqual([mark, mark & 255]);
        };
        for (const { thread, give, size: bytes, pick } of steps) {
          const slab = slabs[thread] as Slab;
          if (give && live.length > 0) {
            const [block] = live.splice(pick % live.length, 1);
            check(block as never);
            slab.give((block as { at: number }).at);
            continue;
          }
          const at = slab.take(bytes + 4);
          if (at === 0) continue;
          expect(slab.capacityAt(at)).toBeGreaterThanOrEqual(bytes + 4);
          memory.i32[at / 4] = stamp;
          memory.u8[at + bytes + 3] = stamp & 255;
          live.push({ at, bytes: bytes + 4, stamp: stamp++ });
        }
        const ranges = live
          .map(({ at }) => [at, at + (slabs[0] as Slab).capacityAt(at)] as const)
          .sort((a, b) => a[0] - b[0]);
        for (let i = 1; i < ranges.length; i++)
          expect(ranges[i]?.[0]).toBeGreaterThanOrEqual(ranges[i - 1]?.[1] as number);
        for (const block of live) {
          check(block);
          (slabs[0] as Slab).give(block.at);
        }
        expect((slabs[0] as Slab).census()).toEqual({ blocks: 0, bytes: 0 });
        for (const slab of slabs) slab.flush();
        const whole = (slabs[1] as Slab).take(2 * MIB);
        expect(whole).not.toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
