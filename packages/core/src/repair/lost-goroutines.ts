/**
 * What becomes of the goroutines that lived on a dead thread.
 *
 * Their frames are gone, so they end here, as far as others can tell: with `MachineLostError` at whoever joins them, or as a panic. Their deferred calls cannot run.
 *
 * Their descriptors are *quarantined*: they take no further part, but are not given back yet. A thread that served one of them a moment ago is about to make it ready, by its number; if the descriptor were another goroutine's by then,
 * that one would be woken instead. Posted into the dead machine's inbox, such a wake-up does no harm: nobody reads that any more, and nothing else links these descriptors meanwhile. The sweep, at which nobody has anything in hand, gives the descriptors back.
 */

import { MachineLostError } from "../base/errors.ts";
import { timesRetried } from "../context/plan.ts";
import {
  complete,
  firstJoiner,
  isDone,
  leave,
  newestJoiner,
  nextJoiner,
  releaseHandle,
  retainHandle,
  wantsHost,
} from "../goroutine/completion.ts";
import {
  COUNT_MASK,
  COUNT_SHIFT,
  DETACHED,
  FAILED,
  PACKED,
  PSEUDO,
  TAG_MASK,
} from "../goroutine/descriptor.ts";
import { DEAD, IDLE, RUNNABLE, RUNNING, SYSCALL, WAITING } from "../goroutine/status.ts";
import { REASON_CHAN_RECEIVE, REASON_CHAN_SEND } from "../goroutine/wait-reason.ts";
import { describeGoroutine } from "../inspect/goroutines.ts";
import {
  CACHE_ENDED,
  G_ARGS,
  G_CANCELED,
  G_CONTEXT,
  G_FRAME,
  G_ID,
  G_MACHINE,
  G_META,
  G_ON_END,
  G_STATUS,
  G_WAIT_REASON,
  G_WAITER,
  POOL_AWAIT,
  POOL_BUMP,
  POOL_G,
  POOL_WORDS,
  W_QUEUED,
  W_RESULT,
} from "../memory/layout.ts";
import { cancellation } from "../scheduler/thread/cancellation.ts";
import { endHook } from "../scheduler/thread/end-hook.ts";
import type { Holdings } from "../scheduler/thread/holdings.ts";
import type { HostThread } from "../scheduler/thread/host.ts";
import type { Thread } from "../scheduler/thread/thread.ts";
import { mayRunAgain, runAgain } from "./retries.ts";
import { dropUntaken } from "./untaken.ts";

/** How a machine's thread came to its end. */
export interface Loss {
  readonly machine: number;
  /** What ended it, in words: part of every error's message. */
  readonly reason: string;
  /** The error that ended it, if there is one. */
  readonly cause: unknown;
  /** Whether the host ended it. */
  readonly killed?: boolean;
}

/** What the runtime is told. */
export interface LossEvents {
  /** A goroutine that nobody has a handle of is lost. `base` is its descriptor. */
  panic(base: number, error: MachineLostError): void;
  /** What the objects of a machine's thread hold; `undefined` if it has none. Without it no other machine counts as reading anything. */
  holdingsOf?(machine: number): Holdings | undefined;
}

/** Visits every descriptor that was ever used, pseudo-goroutines' included. */
export function forEachUsed(host: Thread, visit: (base: number, goroutine: number) => void): void {
  const { i32, memory } = host;
  const endOf = (pool: number): number =>
    Atomics.load(i32, memory.layout.pools + pool * POOL_WORDS + POOL_BUMP);
  const end = endOf(POOL_G);
  for (let g = 1; g < end; g++) visit(host.descriptorOf(g), g);
  const awaitEnd = endOf(POOL_AWAIT);
  for (let g = memory.shape.maxGoroutines + 1; g < awaitEnd; g++) visit(host.descriptorOf(g), g);
}

/** Whether a status is that of a goroutine that has begun to exist and has not ended. */
export function isLive(status: number): boolean {
  return status === RUNNABLE || status === RUNNING || status === WAITING || status === SYSCALL;
}

/** The descriptors of one dead machine's goroutines. */
export class LostGoroutines {
  private readonly host: HostThread;
  private readonly loss: Loss;
  private readonly events: LossEvents;
  /** Descriptors to be given back by the sweep. */
  private readonly quarantine = new Map<number, number>();
  /** Goroutine ids, as far as anybody keeps them in a word. */
  readonly ids: Set<number> = new Set();

  constructor(host: HostThread, loss: Loss, events: LossEvents) {
    this.host = host;
    this.loss = loss;
    this.events = events;
  }

  /** Whether the host ended their thread: nothing that ran or was loaded there did. */
  get wereKilled(): boolean {
    return this.loss.killed === true;
  }

  /** Numbers of those that are lost. */
  has(goroutine: number): boolean {
    return this.quarantine.has(goroutine);
  }

  /**
   * Finds who lived there. To be called first, before any of them is ended.
   *
   * Others may use descriptors again meanwhile, in which a goroutine of that machine ended long ago. So the machine is read last, as `launch` writes it first: a new goroutine has none, and gets another one. If that still is the dead one
   * when the rest has been read, the rest was the goroutine's that lived there, and which has stayed as it was since. (`launch` writes plainly. On processors that let stores overtake each other the second look, after all others, finds the
   * few nanoseconds over for which that may mislead.)
   */
  find(): void {
    const { host, quarantine } = this;
    const { i32, f64 } = host;
    const candidates: number[] = [];
    forEachUsed(host, (base, goroutine) => {
      if (!quarantine.has(goroutine) && this.livedThere(base)) candidates.push(goroutine);
    });
    for (const goroutine of candidates) {
      const base = host.descriptorOf(goroutine);
      if (!this.livedThere(base)) continue;
      quarantine.set(goroutine, base);
      if ((i32[base + G_META] & PSEUDO) !== 0) continue;
      this.ids.add(f64[(base + G_ID) >> 1] | 0);
      retainHandle(i32, base);
    }
  }

  /** Whether this is the descriptor of a goroutine of the dead machine that is live, or which it had begun to end: the outcome is there then, but nobody has been told. */
  private livedThere(base: number): boolean {
    const { i32 } = this.host;
    const status = Atomics.load(i32, base + G_STATUS);
    const unfinished = isLive(status) || (status === DEAD && !isDone(i32, base));
    return unfinished && Atomics.load(i32, base + G_MACHINE) === this.loss.machine + 1;
  }

  /**
   * Takes them out of the lists of those who wait for a goroutine's end. While all machines are held: a goroutine whose one handle is its thread's own may end without a look at the list's lock. Until then they may stand there, since
   * their descriptors stay as they are.
   */
  leaveJoins(): void {
    const { host } = this;
    const { i32 } = host;
    const baseOf = (goroutine: number): number => host.descriptorOf(goroutine);
    forEachUsed(host, (base) => {
      if ((i32[base + G_META] & PSEUDO) !== 0 || i32[base + G_STATUS] === IDLE) return;
      for (const joiner of this.lostAmong(newestJoiner(i32, base)))
        leave(i32, base, joiner, baseOf, host.joinHolder());
    });
  }

  private lostAmong(newest: number): number[] {
    const { host, quarantine } = this;
    const found: number[] = [];
    for (let at = newest; at > 0; at = nextJoiner(host.i32, host.descriptorOf(at)))
      if (quarantine.has(at)) found.push(at);
    return found;
  }

  /** Ends them, but for those that are to be run again. They must stand in no queue any more, except in lists of joiners. */
  end(): void {
    for (const [goroutine, base] of this.quarantine) {
      if ((this.host.i32[base + G_META] & PSEUDO) === 0 && !isDone(this.host.i32, base) && !this.isKept(base))
        this.endOne(goroutine, base);
    }
  }

  /** Visits the descriptors of all of them. */
  forEach(visit: (base: number) => void): void {
    for (const base of this.quarantine.values()) visit(base);
  }

  /** Whether a goroutine that has not ended is to be run again. */
  private isKept(base: number): boolean {
    return isLive(this.host.i32[base + G_STATUS]) && mayRunAgain(this.host, base);
  }

  /** Has one run again. Nobody may have anything in hand. */
  private runAgain(goroutine: number, base: number): void {
    const { host } = this;
    this.dropUntaken(base);
    try {
      runAgain(host, goroutine, base);
      // The sweep's own. Its starter has not given back his: it has not ended.
      releaseHandle(host.i32, base);
    } catch {
      // No room for its arguments: then it stays lost.
      this.endOne(goroutine, base);
      this.giveBack(goroutine, base);
    }
  }

  /** Ends one that has not begun, and is on no list: it is not passed on any more. Nobody may have anything in hand. */
  endUnbegun(goroutine: number, base: number, why: string): void {
    const { i32 } = this.host;
    const meta = i32[base + G_META];
    const count = (meta >>> COUNT_SHIFT) & COUNT_MASK;
    this.host.dropSlots(base, meta, count === PACKED ? 1 : count);
    if ((meta & DETACHED) === 0) retainHandle(i32, base);
    i32[base + G_FRAME] = 0;
    this.quarantine.set(goroutine, base);
    this.endOne(goroutine, base, why);
  }

  private endOne(goroutine: number, base: number, why?: string): void {
    const { host } = this;
    const { i32, f64 } = host;
    const ending = i32[base + G_STATUS] === DEAD;
    const error = ending ? undefined : this.errorOf(base, why);
    if (error !== undefined) {
      if (why === undefined) this.dropUntaken(base);
      f64[(host.cache + CACHE_ENDED) >> 1]++;
      if (i32[base + G_CONTEXT] !== 0 || i32[base + G_CANCELED] !== 0) cancellation.leave(host, base);
    }
    if ((i32[base + G_META] & DETACHED) !== 0) {
      this.endDetached(base, error);
      return;
    }
    if (error !== undefined) {
      i32[base + G_META] &= ~FAILED;
      host.putResult(base, error, true);
      i32[base + G_STATUS] = DEAD;
    }
    this.tell(goroutine, complete(i32, base));
  }

  /** A value that was handed over and that the goroutine did not come to take, or that it could not hand over. Those of a select are its thread's. */
  private dropUntaken(base: number): void {
    const { i32 } = this.host;
    const status = i32[base + G_STATUS];
    const reason = i32[base + G_WAIT_REASON];
    const isParked = status === WAITING || status === RUNNABLE;
    if (!isParked || (reason !== REASON_CHAN_RECEIVE && reason !== REASON_CHAN_SEND)) return;
    if (i32[base + G_WAITER + W_QUEUED] === 0) dropUntaken(this.host, base + G_WAITER);
  }

  private endDetached(base: number, error: MachineLostError | undefined): void {
    const { host, events } = this;
    const { i32 } = host;
    const object = i32[base + G_ON_END];
    if (error !== undefined) {
      const taken = object !== 0 && endHook(host, object).failed(host, object, error);
      if (!taken) events.panic(base, error);
      i32[base + G_STATUS] = DEAD;
    }
    complete(i32, base);
    if (object === 0) return;
    try {
      endHook(host, object).ended(host, object, base);
    } catch (failure) {
      events.panic(base, failure as MachineLostError);
    }
  }

  /** Who waited for the end is made ready, the host's own promise settled. */
  private tell(goroutine: number, completed: number): void {
    const { host } = this;
    const { i32 } = host;
    for (let joiner = firstJoiner(completed); joiner !== 0; ) {
      const following = nextJoiner(i32, host.descriptorOf(joiner));
      if (!this.quarantine.has(joiner)) host.ready(joiner);
      joiner = following;
    }
    // Not through the inbox, which links descriptors: who served this goroutine a moment ago may post it into the dead machine's, and would change the link.
    if (wantsHost(completed)) host.finishRun(goroutine, host.descriptorOf(goroutine));
  }

  private errorOf(base: number, why: string | undefined): MachineLostError {
    const { host, loss } = this;
    const { id, name } = describeGoroutine(host, base);
    const retried = timesRetried(host, base);
    const message =
      why !== undefined
        ? `goroutine ${id} (${name}) cannot begin: ${why}. The last of them has ended: ${loss.reason}`
        : `goroutine ${id} (${name}) is lost: the thread it ran on, of machine ${loss.machine}, has ended: ${loss.reason}. ` +
          (retried === 0 ? "" : `This was attempt ${retried + 1}: as often as that its thread was lost. `) +
          "Its deferred calls and finally blocks were not run";
    return new MachineLostError(message, loss.cause === undefined ? undefined : { cause: loss.cause });
  }

  /** Gives the descriptors back, or has their goroutines run again. Nobody may have anything in hand. */
  release(): void {
    const { host } = this;
    for (const [goroutine, base] of this.quarantine) {
      if ((host.i32[base + G_META] & PSEUDO) === 0 && !isDone(host.i32, base)) this.runAgain(goroutine, base);
      else this.giveBack(goroutine, base);
    }
    this.quarantine.clear();
  }

  private giveBack(goroutine: number, base: number): void {
    const { host } = this;
    const { i32 } = host;
    if ((i32[base + G_META] & PSEUDO) !== 0) {
      this.dropUntaken(base);
      // The next to use the descriptor was not served what this one was.
      i32[base + G_WAITER + W_RESULT] = 0;
      i32[base + G_STATUS] = IDLE;
      host.giveWaiter(goroutine);
    } else if ((i32[base + G_META] & DETACHED) !== 0) {
      host.freeDescriptor(goroutine, base);
    } else if (releaseHandle(i32, base)) {
      host.codec.drop(base + G_ARGS, i32[base + G_META] & TAG_MASK);
      host.freeDescriptor(goroutine, base);
    }
  }
}
