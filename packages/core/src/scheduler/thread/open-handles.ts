/**
 * A thread's handles that have no outcome yet, each of which holds a descriptor.
 *
 * A handle whose goroutine has ended moves the outcome into itself and leaves the list when it is asked for. One that nobody asks, or that nobody holds any more, is looked at in the next round, so no
 * finalizer is needed.
 */

/** A handle, as far as the list knows it. */
export interface OpenHandle {
  /** Where it stands in the list. */
  place: number;
  readonly goroutine: number;
  /** Moves the outcome into the handle, and the handle out of the list, if the goroutine has ended. */
  trySettle(): boolean;
}

/** Handles without an outcome before the first look at which of them have ended. A guess at more than most programs have at once. */
const ROUND = 4096;

export class OpenHandles {
  private readonly handles: OpenHandle[] = [];
  /** The same list, as numbers of goroutines, where others can read it (see holdings.ts). */
  private readonly held: Int32Array;
  private collectAt = ROUND;

  constructor(held: Int32Array) {
    this.held = held;
  }

  /** Registers a handle whose goroutine has not ended, so that the descriptor comes back when it has, joined or not. */
  add(handle: OpenHandle): void {
    const { handles } = this;
    const place = handles.length;
    handle.place = place;
    handles.push(handle);
    this.held[place] = handle.goroutine;
    if (handles.length >= this.collectAt) this.collect();
  }

  /** The handle has its outcome. The last one registered takes its place, so that those that were joined leave no trace. */
  remove(handle: OpenHandle): void {
    const { handles, held } = this;
    const last = handles.pop() as OpenHandle;
    held[handles.length] = 0;
    if (last === handle) return;
    held[handle.place] = last.goroutine;
    handles[handle.place] = last;
    last.place = handle.place;
  }

  /**
   * Lets ended goroutines go: their results move into the handles, their descriptors back into the pool. Runs when the number of handles has doubled, so it
   * costs a spawn a constant, and when descriptors run out.
   */
  collect(): void {
    // From the end, since a handle that is settled is replaced by the last.
    for (let i = this.handles.length - 1; i >= 0; i--) this.handles[i]?.trySettle();
    this.collectAt = Math.max(ROUND, this.handles.length * 2);
  }
}
