/** A codec on a small memory of its own, which notices every leak. */

import { expect } from "vitest";
import { SharedMemory } from "../../src/memory/shared-memory.ts";
import { Slab } from "../../src/memory/slab.ts";
import { ValueCodec } from "../../src/values/codec.ts";
import { standardErrorClasses } from "../../src/values/error-classes.ts";
import { type CarriedKind, type ReferenceKind, ReferenceTable } from "../../src/values/references.ts";
import { loopText, type TextPort } from "../../src/values/text.ts";
import { LocalSharedBuffers, localBufferKind } from "./local-shared-buffers.ts";

/** Something that travels by reference, in two classes. */
export class Record {
  readonly #index: number;
  constructor(index: number) {
    this.#index = index;
  }
  static indexOf(value: Record): number {
    return value.#index;
  }
  static is(value: object): value is Record {
    return #index in value;
  }
}

export class Outcome {
  /** Undefined while it names a record. */
  content: object | undefined = undefined;
  readonly index: number;
  readonly #brand = true;
  constructor(index: number) {
    this.index = index;
  }
  static is(value: object): value is Outcome {
    return #brand in value && value.#brand;
  }
}

/** Counts references as records in shared memory would be counted. */
export class Counting<T extends object> implements ReferenceKind<T> {
  /** References under way, by index. */
  readonly counts = new Map<number, number>();
  readonly kind: number;
  readonly prototype: object;
  readonly is: (value: object) => value is T;
  readonly carried?: CarriedKind<T>;
  private readonly indexOf: (value: T) => number;
  private readonly make: (index: number) => T;
  /** Thrown by the next `retain`. */
  failure: Error | undefined = undefined;
  /** What else happens then. */
  onRevive: (() => void) | undefined = undefined;
  onRelease: ((index: number) => void) | undefined = undefined;

  constructor(
    kind: number,
    prototype: object,
    is: (value: object) => value is T,
    indexOf: (value: T) => number,
    make: (index: number) => T,
    carried?: CarriedKind<T>,
  ) {
    this.kind = kind;
    this.prototype = prototype;
    this.is = is;
    this.indexOf = indexOf;
    this.make = make;
    if (carried !== undefined) this.carried = carried;
  }

  retain(value: T, words: Int32Array, at: number): void {
    if (this.failure !== undefined) throw this.failure;
    const index = this.indexOf(value);
    words[at] = index;
    words[at + 1] = index * 7;
    this.change(index, 1);
  }

  retainAgain(index: number, generation: number): void {
    expect(generation).toBe(index * 7);
    this.change(index, 1);
  }

  revive(index: number, generation: number): T {
    this.onRevive?.();
    if (generation !== index * 7 || !this.counts.has(index)) throw new Error(`revive: ${index} is stale`);
    this.change(index, -1);
    return this.make(index);
  }

  release(index: number, generation: number): void {
    this.onRelease?.(index);
    if (generation === index * 7 && this.counts.has(index)) this.change(index, -1);
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  private change(index: number, by: number): void {
    const count = (this.counts.get(index) ?? 0) + by;
    if (count < 0) throw new Error(`reference ${index} was released more often than retained`);
    this.counts.set(index, count);
    if (count === 0) this.counts.delete(index);
  }
}

export interface CodecUnderTest {
  readonly memory: SharedMemory;
  readonly slab: Slab;
  readonly codec: ValueCodec;
  readonly buffers: LocalSharedBuffers;
  readonly records: Counting<Record>;
  readonly outcomes: Counting<Outcome>;
  /** Two slots that nothing else uses. */
  readonly slot: number;
  readonly otherSlot: number;
  /** There and back. */
  readonly copy: <T>(value: T) => T;
  expectNothingKept(): void;
}

export function codecUnderTest(options: { slabBytes?: number; text?: TextPort } = {}): CodecUnderTest {
  const memory = SharedMemory.create({
    procs: 1,
    maxMachines: 1,
    maxGoroutines: 16,
    maxObjects: 16,
    slabBytes: options.slabBytes ?? 32 * 1024 * 1024,
    timeSliceMs: 10,
  });
  const slab = new Slab(memory, 0, memory.layout.caches);
  const references = new ReferenceTable();
  const buffers = new LocalSharedBuffers();
  const records = new Counting<Record>(
    0,
    Record.prototype,
    (value) => Record.is(value),
    (value) => Record.indexOf(value),
    (index) => new Record(index),
  );
  const outcomes = new Counting<Outcome>(
    3,
    Outcome.prototype,
    (value) => Outcome.is(value),
    (value) => value.index,
    (index) => new Outcome(index),
    {
      contentOf: (value) => value.content,
      create: () => new Outcome(-1),
      fill: (value, content) => {
        value.content = content;
      },
    },
  );
  references.register(records);
  references.register(outcomes);
  references.register(localBufferKind(buffers));
  const errors = standardErrorClasses();
  const codec = new ValueCodec({ memory, slab, references, errors, text: options.text ?? loopText });
  const slot = memory.layout.goroutines + 36;
  return {
    memory,
    slab,
    codec,
    buffers,
    records,
    outcomes,
    slot,
    otherSlot: slot + 2,
    copy: <T>(value: T): T => codec.take(slot, codec.put(slot, value, "value")) as T,
    expectNothingKept(): void {
      expect(slab.census()).toEqual({ blocks: 0, bytes: 0 });
      expect([records.total, outcomes.total, buffers.uses()]).toEqual([0, 0, 0]);
    },
  };
}
