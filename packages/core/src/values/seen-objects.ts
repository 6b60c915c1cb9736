/**
 * Which objects a value has shown already, and their numbers. Most values hold a handful of objects, which
 * are compared one by one; a Map, whose entries cost 100 ns and more, comes into play beyond.
 */

import { MemoryLimitError } from "../base/errors.ts";

/** Objects compared one by one. Measured: a Map is faster from about 20 on. */
const FEW = 16;

/** Objects that one value may hold: as many as a Map takes in V8. */
const MAX_OBJECTS = 2 ** 24;

export class SeenObjects {
  private objects: (object | undefined)[] = Array.from({ length: FEW });
  private numbers: Map<object, number> | undefined = undefined;
  /** Objects seen. */
  count = 0;

  /** The number of an object that was seen before; -1 for a new one, which gets the next number. */
  look(value: object): number {
    const { objects, count } = this;
    if (this.numbers !== undefined) return this.lookUp(this.numbers, value);
    for (let i = 0; i < count; i++) if (objects[i] === value) return i;
    if (count === FEW) this.beginMap();
    this.add(value);
    return -1;
  }

  /** Forgets all objects from number `count` on. */
  truncate(count: number): void {
    for (let i = count; i < this.count; i++) {
      this.numbers?.delete(this.objects[i] as object);
      this.objects[i] = undefined;
    }
    this.count = count;
  }

  reset(): void {
    if (this.numbers === undefined) {
      this.truncate(0);
      return;
    }
    this.objects = Array.from({ length: FEW });
    this.numbers = undefined;
    this.count = 0;
  }

  private lookUp(numbers: Map<object, number>, value: object): number {
    const number = numbers.get(value);
    if (number !== undefined) return number;
    this.add(value);
    return -1;
  }

  private beginMap(): void {
    this.numbers = new Map();
    for (let i = 0; i < this.count; i++) this.numbers.set(this.objects[i] as object, i);
  }

  private add(value: object): void {
    if (this.count === MAX_OBJECTS) throw new MemoryLimitError(`a value of more than ${MAX_OBJECTS} objects`);
    this.numbers?.set(value, this.count);
    this.objects[this.count++] = value;
  }
}
