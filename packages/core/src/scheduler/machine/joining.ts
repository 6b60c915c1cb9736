/**
 * Fork and join without a switch: a goroutine that is about to wait for one that has never run, and is next in this processor's queue, calls it.
 *
 * The one that waits stays on the stack, as in a function call, and the awaited one runs on top of it. If that one ends there, nobody was parked, queued or resumed. If it parks or gives way, the call
 * returns, and the waiting one parks as usual. So a tree of goroutines that start and await each other runs depth first, with as many of them alive as the tree is deep and not as it is wide; and what
 * thieves find in the ring are its oldest, largest parts.
 *
 * Whom it is right for:
 * - Only the awaited goroutine itself. Whoever stands below it on the stack waits for it, or for one that waits for it, and could not go on anyway.
 * - Only generators. A plain body may hold its thread in `block()`, and whoever lives on it must then be resumed on top, not be stuck below.
 * - The slot's goroutine, which the scheduler would run next, too. The ring's newest only from the second time on that its function's goroutines are awaited so (WARM): it would go before the slot's, and small programs
 *   see the order that Go has.
 *
 * Nobody starves. The calls share the time slice of the one at the bottom, and end when it is used up; they look at the clock and at the back of the line as often as the run loop does, and return to it when the turn is over or
 * somebody waits there.
 */

import { BODY_GENERATOR } from "../../goroutine/functions.ts";
import {
  RUNNING,
  transitionRunningToRunnable,
  transitionToRunning,
  transitionToWaiting,
} from "../../goroutine/status.ts";
import { REASON_JOIN_BELOW } from "../../goroutine/wait-reason.ts";
import {
  G_CANCELED,
  G_FUNCTION,
  G_MACHINE,
  G_STATUS,
  P_CURRENT,
  P_GIVE_UP,
  P_PREEMPT,
} from "../../memory/layout.ts";
import * as inbox from "../../queue/inbox.ts";
import { FRAME_GENERATOR, type Frame } from "../frames/frame.ts";
import { ExecutingMachine } from "./execution.ts";
import { GLOBAL_EVERY } from "./machine-thread.ts";

// Rebound: V8 folds a module's own constants, and imported ones cost a load and a check each.
const GENERATOR = FRAME_GENERATOR;
const GENERATOR_BODY = BODY_GENERATOR;
const FUNCTION = G_FUNCTION;
const CANCELED = G_CANCELED;
const MACHINE = G_MACHINE;
const STATUS = G_STATUS;
const IS_RUNNING = RUNNING;
const CURRENT = P_CURRENT;
const PREEMPT = P_PREEMPT;
const GIVE_UP = P_GIVE_UP;
const BACK_EVERY = GLOBAL_EVERY;
const JOINING = REASON_JOIN_BELOW;

/** Calls on top of each other, at most. A call takes about a kilobyte of the thread's stack, of which a body's own recursion must have most. A guess. */
const MAX_DEPTH = 128;
/** How often goroutines of a function must have been awaited as the ring's newest before that counts as its way. A guess: more than a small program does, little against what a large one gains. */
const WARM = 64;

export abstract class JoiningMachine extends ExecutingMachine {
  private depth = 0;
  /** By function: how often its goroutines were awaited while they were the ring's newest. */
  private readonly awaitedNewest: number[] = [];

  protected abstract turnIsOver(): boolean;

  override runAwaited(goroutine: number, base: number): boolean {
    const { frame } = this;
    if (frame === undefined || frame.kind !== GENERATOR || this.depth >= MAX_DEPTH) return false;
    // Whether it may wait at all is `parkCurrent`'s to say.
    if (frame.exiting || this.i32[frame.base + CANCELED] !== 0) return false;
    if (!this.mayGoOn() || !this.isDue(goroutine, base)) return false;
    this.runOnTop(frame, goroutine, base);
    return true;
  }

  /** Whether the awaited goroutine was had. */
  private isDue(goroutine: number, base: number): boolean {
    const id = this.i32[base + FUNCTION];
    if (this.kinds[id] !== GENERATOR_BODY) return false;
    if (this.queue.isNext(goroutine)) return this.queue.takeNext(goroutine);
    if (!this.queue.isNewest(goroutine)) return false;
    const times = (this.awaitedNewest[id] ?? 0) + 1;
    this.awaitedNewest[id] = times;
    return times > WARM && this.queue.takeNewest();
  }

  private runOnTop(frame: Frame, goroutine: number, base: number): void {
    const { i32 } = this;
    transitionToWaiting(i32, frame.base, JOINING);
    transitionToRunning(i32, base);
    i32[this.processorBase + CURRENT] = goroutine;
    this.depth++;
    let returned = false;
    try {
      this.start(goroutine, base);
      returned = true;
    } finally {
      // The stack may have ended before it was called: then it runs another time.
      if (!returned && i32[base + MACHINE] === 0) this.queueAgain(goroutine, base);
      this.depth--;
      this.frame = frame;
      i32[frame.base + STATUS] = IS_RUNNING;
      // Another processor, perhaps: the one on top may have held the thread for a while.
      i32[this.processorBase + CURRENT] = frame.goroutine;
    }
  }

  private queueAgain(goroutine: number, base: number): void {
    transitionRunningToRunnable(this.i32, base);
    this.queue.push(goroutine);
  }

  /** Whether nothing calls for a return to the run loop. */
  private mayGoOn(): boolean {
    const { i32, processorBase } = this;
    if ((i32[processorBase + PREEMPT] | i32[processorBase + GIVE_UP]) !== 0) return false;
    if (--this.untilGlobal <= 0) {
      this.untilGlobal = 1;
      if (this.somebodyWaitsBehind()) return false;
      this.untilGlobal = BACK_EVERY;
    }
    if (--this.untilClock > 0) return true;
    if (!this.turnIsOver()) return true;
    // The run loop looks at the clock once more, and leaves.
    this.untilClock = this.untilGlobal = 1;
    return false;
  }

  /** Whether a goroutine stands in one of the lists that the run loop comes to now and then. */
  private somebodyWaitsBehind(): boolean {
    return (
      this.hasOwnWork() || !this.globalQueue.seemsEmpty() || !inbox.seemsEmpty(this.i32, this.machineRecord)
    );
  }
}
