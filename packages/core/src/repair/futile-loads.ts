/**
 * Modules that end every thread that loads them.
 *
 * A goroutine waits for its module on the machine that took it, and has not begun: if the thread ends, it is passed on. If it is the module that ends threads, that would go on for ever, a thread each time. So it is counted how often
 * each goroutine was waiting for its module when a thread ended. A thread that the host ended does not count: no module did that. The count is the host's alone, and a goroutine is forgotten when it has begun or ended.
 */

import { PSEUDO } from "../goroutine/descriptor.ts";
import { RUNNABLE } from "../goroutine/status.ts";
import { G_FRAME, G_FUNCTION, G_ID, G_MACHINE, G_META, G_STATUS } from "../memory/layout.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { forEachUsed, type LostGoroutines } from "./lost-goroutines.ts";

/**
 * Threads that may end while a goroutine waits there for its module, before the goroutine is given up. More than one, for the thread may have ended for another reason; a few, for each costs the start of a thread. A guess.
 */
export const MAX_FUTILE_LOADS = 5;

export class FutileLoads {
  private readonly host: Thread;
  /** By goroutine id. */
  private counts = new Map<number, number>();

  constructor(host: Thread) {
    this.host = host;
  }

  /** Counts those who waited on threads that have ended, and ends those that have been passed on often enough. Nobody may have anything in hand. */
  review(dead: ReadonlyMap<number, LostGoroutines>): void {
    const { host } = this;
    const { i32, f64 } = host;
    const counts = new Map<number, number>();
    forEachUsed(host, (base, goroutine) => {
      if (i32[base + G_STATUS] !== RUNNABLE || i32[base + G_MACHINE] !== 0) return;
      if ((i32[base + G_META] & PSEUDO) !== 0) return;
      const id = f64[(base + G_ID) >> 1];
      const lost = dead.get(i32[base + G_FRAME] - 1);
      const isFutile = lost !== undefined && !lost.wereKilled;
      const count = (this.counts.get(id) ?? 0) + (isFutile ? 1 : 0);
      if (isFutile && count >= MAX_FUTILE_LOADS) lost.endUnbegun(goroutine, base, this.reason(base));
      else if (count > 0) counts.set(id, count);
    });
    this.counts = counts;
  }

  private reason(base: number): string {
    const { url } = this.host.functions.placeOf(this.host.i32[base + G_FUNCTION]);
    return `${MAX_FUTILE_LOADS} threads have ended while it waited there for its module ${url}`;
  }
}
