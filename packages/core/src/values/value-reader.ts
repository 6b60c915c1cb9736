/**
 * What the reading of every kind of item stands on (items/): the items that hold no others, the numbers of
 * the objects read so far, how deep the reader is, and the way back to the decoder for what a container holds.
 */

import { MAX_DEPTH } from "./block.ts";
import { BlockReader } from "./block-reader.ts";
import type { BytesPort } from "./bytes.ts";

const DEPTH_LIMIT = MAX_DEPTH + 2;

export abstract class ValueReader extends BlockReader {
  /** Makes the buffers of the value. */
  abstract readonly copyBytes: BytesPort;
  /** Containers entered. */
  protected depth = 0;
  /** Objects by number; `undefined` for one that cannot be created before what follows it. */
  private objects: (object | undefined)[] = [];

  /** Reads an item of any kind. */
  abstract read(): unknown;

  /** The object that a place in the list of references stands for. */
  abstract revive(place: number): object;

  /** Before the content of a container is read. */
  enter(): void {
    if (++this.depth > DEPTH_LIMIT) throw this.corrupt(`containers nest deeper than ${MAX_DEPTH}`);
  }

  /** After it. */
  leave(): void {
    this.depth--;
  }

  /** Gives an object its number. */
  register<T extends object>(object: T): T {
    if (this.hasBack) this.objects.push(object);
    return object;
  }

  /** The next number, for an object that is not there yet; -1 if nobody asks for numbers. */
  reserveNumber(): number {
    return this.hasBack ? this.objects.push(undefined) - 1 : -1;
  }

  /** The object for a number that was reserved. */
  registerAs(number: number, object: object): void {
    if (number >= 0) this.objects[number] = object;
  }

  readBack(number: number): object {
    const object = this.objects[number];
    if (object === undefined) throw this.corrupt(`it refers to object ${number} of ${this.objects.length}`);
    return object;
  }

  /** Begins anew, for the next value. */
  protected forgetObjects(): void {
    if (this.objects.length > 0) this.objects = [];
    this.depth = 0;
  }
}
