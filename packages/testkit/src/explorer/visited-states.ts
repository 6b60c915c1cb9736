/**
 * The states that an exploration has been in, so that it explores what follows each of them once.
 *
 * Many schedules lead to one state: steps of different threads that touch different words come to the same in either order. A state that
 * was reached before has nothing new to show, unless it was reached with fewer preemptions left: then switches were left out that are
 * possible now. So each entry remembers the most that was left.
 *
 * A hash table with open addressing over typed arrays: a Map with fractional keys would take ten times the memory. States are known by
 * 64-bit fingerprints. Two different ones are taken for the same with a chance of n^2 / 2^65: one in forty million for a
 * million states.
 */

/** Entries at the beginning; a power of two, as all sizes are. */
const FIRST_CAPACITY = 1 << 10;
/** Beyond this (150 MB) states are no longer remembered: the exploration goes on, only slower. */
const MAX_CAPACITY = 1 << 24;
/** In place of an unlimited number of preemptions. The stored number is one more, 0 marks a free entry. */
const PLENTY = 254;

export class VisitedStates {
  private capacity = FIRST_CAPACITY;
  private size = 0;
  private keys = new Int32Array(FIRST_CAPACITY * 2);
  private mostLeft = new Uint8Array(FIRST_CAPACITY);

  /** Notes a state with the preemptions left in it. False if all that can follow has been explored. */
  add(laneA: number, laneB: number, preemptionsLeft: number): boolean {
    const left = Math.min(preemptionsLeft, PLENTY) + 1;
    const entry = this.find(laneA, laneB);
    const known = this.mostLeft[entry] as number; // find() stays within the table
    if (known >= left) return false;
    if (known > 0) this.mostLeft[entry] = left;
    else this.insert(entry, laneA, laneB, left);
    return true;
  }

  /** The entry of a state, or the free one where it belongs. */
  private find(laneA: number, laneB: number): number {
    const mask = this.capacity - 1;
    let entry = laneA & mask;
    while (this.mostLeft[entry] !== 0 && !this.holds(entry, laneA, laneB)) entry = (entry + 1) & mask;
    return entry;
  }

  private holds(entry: number, laneA: number, laneB: number): boolean {
    return this.keys[entry * 2] === laneA && this.keys[entry * 2 + 1] === laneB;
  }

  private insert(entry: number, laneA: number, laneB: number, left: number): void {
    if (this.size * 2 >= this.capacity) {
      if (this.capacity === MAX_CAPACITY) return;
      this.grow();
      this.insert(this.find(laneA, laneB), laneA, laneB, left);
      return;
    }
    this.size++;
    this.keys[entry * 2] = laneA;
    this.keys[entry * 2 + 1] = laneB;
    this.mostLeft[entry] = left;
  }

  private grow(): void {
    const { keys, mostLeft } = this;
    this.capacity *= 2;
    this.keys = new Int32Array(this.capacity * 2);
    this.mostLeft = new Uint8Array(this.capacity);
    for (let old = 0; old < mostLeft.length; old++) {
      if (mostLeft[old] !== 0)
        this.move(keys[old * 2] as number, keys[old * 2 + 1] as number, mostLeft[old] as number);
    }
  }

  private move(laneA: number, laneB: number, left: number): void {
    const entry = this.find(laneA, laneB);
    this.keys[entry * 2] = laneA;
    this.keys[entry * 2 + 1] = laneB;
    this.mostLeft[entry] = left;
  }
}
