/**
 * How a thread sleeps and is woken: one word for each machine, M_PARK.
 *
 * 0 awake, 1 asleep in `Atomics.wait`, 2 asleep in the event loop, to be woken through `Atomics.waitAsync`, 3 napping: the host's sleep of a millisecond while every processor has work. A result alone does not end a nap
 * (`wakeForResult`), all else does; a machine that runs out of work ends it, too, so that nobody waits for the host (`endNap`).
 *
 * The sleeper: (a) announces itself by storing 1 or 2, (b) looks once more for everything that could be meant for it (inbox, granted processor), (c) sleeps on the word.
 * The waker: (a) publishes what the sleeper is to find, (b) reads the word, (c) swaps it to 0 and notifies if it was not.
 *
 * No wake-up is lost. Order the sleeper's store against the waker's load: if the load comes first, the publication came before the sleeper's last look, which finds it. If the store comes
 * first, the waker swaps and notifies; `wait` on a word that has changed returns at once, so a notify that comes before the wait is not lost either. Of several wakers, the
 * swap lets one through, so one sleep costs one notify.
 */

import { M_PARK } from "../../memory/layout.ts";

export const AWAKE = 0;
export const ASLEEP = 1;
export const ASLEEP_IN_EVENT_LOOP = 2;
export const NAPPING = 3;

/** Says that the thread is about to sleep. Look once more for work before `sleep`. */
export function announceSleep(i32: Int32Array, machine: number, how: number): void {
  Atomics.store(i32, machine + M_PARK, how);
}

/** Takes the announcement back, or marks the end of a sleep that something else than a waker ended. */
export function stayAwake(i32: Int32Array, machine: number): void {
  Atomics.store(i32, machine + M_PARK, AWAKE);
}

/** Sleeps until woken, or `timeoutMs` long. To be called after `announceSleep(…, ASLEEP)`. */
export function sleep(i32: Int32Array, machine: number, timeoutMs?: number): void {
  while (Atomics.load(i32, machine + M_PARK) === ASLEEP) {
    if (Atomics.wait(i32, machine + M_PARK, ASLEEP, timeoutMs) === "timed-out") break;
  }
  Atomics.store(i32, machine + M_PARK, AWAKE);
}

/**
 * A sleep in the event loop. At most one `waitAsync` is under way at a time: one that was not used up, because the thread woke for another reason, serves the
 * next sleep too. (Each would otherwise stay in the engine's list until somebody notifies the word.)
 */
export class EventLoopSleeper {
  private readonly i32: Int32Array;
  private readonly machine: number;
  private readonly woken: () => void;
  private waiting = false;

  /** `woken` is called in the event loop after a notify. */
  constructor(i32: Int32Array, machine: number, woken: () => void) {
    this.i32 = i32;
    this.machine = machine;
    this.woken = woken;
  }

  /** Sleeps. To be called after `announceSleep(…, how)` and the last look. */
  sleep(how: number = ASLEEP_IN_EVENT_LOOP): void {
    if (this.waiting) {
      // The old wait stands on the word whatever its value; only a waker that came before this line has to be made up for.
      if (Atomics.load(this.i32, this.machine + M_PARK) === AWAKE) this.resume();
      return;
    }
    const waiting = Atomics.waitAsync(this.i32, this.machine + M_PARK, how);
    this.waiting = waiting.async;
    if (waiting.async) void waiting.value.then(() => this.notified());
    else this.resume();
  }

  private notified(): void {
    this.waiting = false;
    this.woken();
  }

  private resume(): void {
    void Promise.resolve().then(this.woken);
  }
}

/** Wakes the machine if it sleeps. What it is to find must be published. */
export function wake(i32: Int32Array, machine: number): void {
  if (Atomics.load(i32, machine + M_PARK) === AWAKE) return;
  if (Atomics.exchange(i32, machine + M_PARK, AWAKE) !== AWAKE) Atomics.notify(i32, machine + M_PARK, 1);
}

/** Notifies a machine whose word says that it is awake already: for a waker that has died, perhaps after its swap and before its notify. Does no harm to one that is awake. */
export function notifyForDead(i32: Int32Array, machine: number): void {
  Atomics.notify(i32, machine + M_PARK);
}

/** Wakes the host for a result that it waits for, unless it naps: then it comes to look soon enough. */
export function wakeForResult(i32: Int32Array, host: number): void {
  if (Atomics.load(i32, host + M_PARK) !== NAPPING) wake(i32, host);
}

/** A machine is out of work: if the host naps, what it is to hear of next may be what it waits for to start more. */
export function endNap(i32: Int32Array, host: number): void {
  if (Atomics.load(i32, host + M_PARK) === NAPPING) wake(i32, host);
}
