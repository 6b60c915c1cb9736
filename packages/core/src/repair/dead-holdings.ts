/** Gives back the references that the objects of a dead thread held. Only while all machines are held: what counted as shared may then be one thread's own, which it uses without a lock. */

import { CHANNEL_KIND } from "../channel/channel.ts";
import { drainWaiters } from "../goroutine/wait-queue.ts";
import { COND_WAITERS, G_STARTER, O_KIND } from "../memory/layout.ts";
import { GoroutineHandle } from "../scheduler/thread/handle.ts";
import type { Holdings } from "../scheduler/thread/holdings.ts";
import type { HostThread } from "../scheduler/thread/host.ts";
import { objectsOf } from "../scheduler/thread/shared-object.ts";
import { COND_KIND } from "../sync/cond.ts";
import { endTimerUse } from "../time/timers.ts";
import { repairChannel } from "./channels.ts";
import { giveBackSelect } from "./untaken.ts";

/** Whom to make ready before the dead thread's reference to an object is given back. */
function wokenBy(host: HostThread, base: number): readonly number[] {
  switch (host.i32[base + O_KIND]) {
    case CHANNEL_KIND:
      // The only user of a channel works on it without its lock.
      return repairChannel(host, base);
    case COND_KIND:
      // One who was signalled may be lost on the way to the mutex, and what the signal told of be still there. So all look for themselves, as if signalled.
      return drainWaiters(host.i32, base + COND_WAITERS, host.descriptors);
    default:
      return [];
  }
}

/** Gives all of it back. Returns goroutines that are to be made ready. */
export function giveBackHoldings(host: HostThread, holdings: Holdings): readonly number[] {
  const table = objectsOf(host);
  const woken: number[] = [];
  forEachIn(holdings.selects, (entry) => giveBackSelect(host, entry));
  // Goroutines that have not ended keep their descriptors: the host has handles of them now, which nobody asks for anything.
  forEachIn(holdings.handles, (goroutine) => {
    // The next thread of that number has not started it, and may not take it for its own.
    host.i32[host.descriptorOf(goroutine) + G_STARTER] = host.number;
    new GoroutineHandle<unknown>(host, goroutine).trySettle();
  });
  forEachIn(holdings.timers, (timer) => endTimerUse(host, timer));
  forEachIn(holdings.objects, (index) => {
    woken.push(...wokenBy(host, table.baseOf(index)));
    table.release(index);
  });
  return woken;
}

function forEachIn(list: Int32Array | Float64Array, visit: (entry: number) => void): void {
  for (let i = 0; i < list.length && list[i] !== 0; i++) visit(list[i]);
}
