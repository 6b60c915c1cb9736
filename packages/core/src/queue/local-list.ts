/** A machine's own list of ready goroutines that live on it: first in, first out, linked through their descriptors, touched by one thread only. */

import { G_NEXT, G_WORDS } from "../memory/layout.ts";

// Rebound: V8 folds a module's own constants, and imported or exported ones cost a load and a check each.
const WORDS = G_WORDS;

export class LocalList {
  private readonly i32: Int32Array;
  private readonly links: number;
  private head = 0;
  private tail = 0;
  length = 0;

  constructor(i32: Int32Array, goroutines: number) {
    this.i32 = i32;
    this.links = goroutines + G_NEXT;
  }

  push(goroutine: number): void {
    const { i32, links } = this;
    i32[links + goroutine * WORDS] = 0;
    if (this.tail === 0) this.head = goroutine;
    else i32[links + this.tail * WORDS] = goroutine;
    this.tail = goroutine;
    this.length++;
  }

  /** Puts a goroutine before all others. */
  pushFirst(goroutine: number): void {
    this.i32[this.links + goroutine * WORDS] = this.head;
    if (this.head === 0) this.tail = goroutine;
    this.head = goroutine;
    this.length++;
  }

  /** The oldest, 0 for none. */
  pop(): number {
    const first = this.head;
    if (first === 0) return 0;
    this.head = this.i32[this.links + first * WORDS];
    if (this.head === 0) this.tail = 0;
    this.length--;
    return first;
  }
}
