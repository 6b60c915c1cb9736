/**
 * A thread dies after any of its steps of running a timer of `afterFunc`, of `after` or of a ticker, while others run, stop, restart or receive: the goroutine is started once, the time is sent once, and the ticker goes on. What may be left in
 * use is what the dead one had no note of any more: a timer's record, a reference to the channel.
 */

import { type ExploreResult, expectFailure, expectNoFailure } from "@heddle/testkit";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Channel } from "../../src/channel/channel.ts";
import { RECEIVED } from "../../src/channel/channel-port.ts";
import { drainNumbers } from "../../src/channel/kernel.ts";
import { createTimerChannel, startTimerChannel, stopTimerChannel } from "../../src/channel/timer-channel.ts";
import { registerKinds } from "../../src/context/kinds.ts";
import { type Body, declareBody } from "../../src/goroutine/functions.ts";
import { enqueueWaiter, ownWaiter } from "../../src/goroutine/wait-queue.ts";
import {
  C_COUNT,
  C_HIDDEN,
  C_RECEIVERS,
  G_MACHINE,
  G_NEXT,
  G_SELECT,
  GLOBAL_HEAD,
  O_REFS,
  T_HEAP,
  T_REFS,
  T_TARGET,
  W_CASE,
  W_RESULT,
} from "../../src/memory/layout.ts";
import { finishFiring } from "../../src/repair/firings.ts";
import { Orphans } from "../../src/repair/orphans.ts";
import { FiringNote } from "../../src/scheduler/thread/firing-note.ts";
import type { HostThread } from "../../src/scheduler/thread/host.ts";
import { objectsOf } from "../../src/scheduler/thread/shared-object.ts";
import type { Thread } from "../../src/scheduler/thread/thread.ts";
import { Timers } from "../../src/scheduler/thread/timers.ts";
import { discardHeld, holdGoroutine } from "../../src/time/held-goroutine.ts";
import { endTimerUse, FUNCTION_TIMER } from "../../src/time/timers.ts";
import { exploreUse, takeLocks, type Use } from "../support/mortal-threads.ts";
import { VICTIM } from "../support/mortal-world.ts";
import { withPlanted } from "../support/planted.ts";

// The model's threads must not look at a real clock.
beforeAll(() => void vi.spyOn(Date, "now").mockReturnValue(7));
afterAll(() => void vi.restoreAllMocks());

const PERIOD_MS = 5;
/** When the timers are run: once due, and not twice. */
const NOW_MS = 1000;

const runs: Use = (thread) => {
  registerKinds(thread);
  thread.timers.runDue(0, NOW_MS);
  return [];
};

/** What the host does. */
function repairs(host: HostThread): void {
  takeLocks(host);
  finishFiring(host, VICTIM);
}

describe("a timer's channel", () => {
  const CHANNEL = 1;
  const channelOf = (thread: Thread): Channel<number> =>
    ({ index: CHANNEL, base: objectsOf(thread).baseOf(CHANNEL) }) as Channel<number>;
  /** One who waits to receive, on a third machine. */
  const RECEIVER = 1;
  const ELSEWHERE = 3;

  const stops: Use = (thread) => {
    registerKinds(thread);
    stopTimerChannel(thread, channelOf(thread));
    return [1];
  };
  /** 1 for each tick that it got. */
  const receives: Use = (thread) => (drainNumbers(thread, CHANNEL) ? [1] : []);

  interface Scene {
    readonly period: number;
    readonly other: Use;
    readonly repair?: (host: HostThread) => void;
    /** Who waits for the tick when it comes: nobody, a receiver, or one that waits for other things too, and has been given one. */
    readonly waits?: "receiver" | "decided select";
  }

  const ticksAt = (host: HostThread, receiver: number): number => {
    const { i32 } = host;
    const waiting = i32[channelOf(host).base + C_COUNT] as number;
    return waiting + Number(((i32[receiver + W_RESULT] as number) & RECEIVED) !== 0);
  };

  function exploreTick({ period, other, repair = repairs, waits }: Scene): ExploreResult {
    return exploreUse({
      threads: [runs, other],
      repair,
      preemptions: 1,
      setup: (host) => {
        const channel = createTimerChannel(host);
        expect(channel.index).toBe(CHANNEL);
        startTimerChannel(host, channel, PERIOD_MS - host.clock(), period);
        if (waits === undefined) return;
        const { i32 } = host;
        const base = host.descriptorOf(RECEIVER);
        i32[base + G_MACHINE] = ELSEWHERE + 1;
        const waiter = ownWaiter(i32, base, RECEIVER);
        if (waits === "decided select") {
          i32[waiter + W_CASE] = 1;
          i32[base + G_SELECT] = 2;
        }
        enqueueWaiter(i32, channel.base + C_RECEIVERS, waiter);
      },
      check: (host, [, seen]) => {
        const { i32, timers } = host;
        const { base } = channelOf(host);
        const timer = i32[base + C_HIDDEN] as number;
        // Whoever lives runs what the dead one did not get to.
        host.timers.runDue(0, NOW_MS);
        const stopped = other === stops;
        const received = stopped ? 0 : (seen as readonly number[]).length;
        const ticks = received + ticksAt(host, ownWaiter(i32, host.descriptorOf(RECEIVER), RECEIVER));
        // A receiver that waits may have been served before the stop.
        if (stopped && waits === "receiver") expect(ticks).toBeLessThanOrEqual(1);
        else expect(ticks).toBe(stopped ? 0 : 1);
        const goesOn = period > 0 && !stopped;
        expect(i32[timers.baseOf(timer) + T_HEAP]).toBe(goesOn ? 1 : 0);
        // The maker's, and the timer's while it is in the heap; perhaps one that the dead one had.
        const refs = i32[base + O_REFS] as number;
        expect(refs - (goesOn ? 2 : 1), "references too many").toBeGreaterThanOrEqual(0);
        expect(refs - (goesOn ? 2 : 1), "references too many").toBeLessThanOrEqual(1);
      },
    });
  }

  // All the time between two ticks lies behind NOW_MS.
  const [ONCE, TICKER] = [0, NOW_MS];

  test("the time is sent once, and a ticker goes on, beside another who runs it", () => {
    for (const period of [ONCE, TICKER]) {
      expectNoFailure(exploreTick({ period, other: runs }));
      expectNoFailure(exploreTick({ period, other: runs, waits: "receiver" }));
      expectNoFailure(exploreTick({ period, other: runs, waits: "decided select" }));
    }
  });

  test("beside one who receives", () => {
    for (const period of [ONCE, TICKER]) expectNoFailure(exploreTick({ period, other: receives }));
  });

  test("a ticker beside its stop", () => {
    expectNoFailure(exploreTick({ period: TICKER, other: stops }));
    expectNoFailure(exploreTick({ period: TICKER, other: stops, waits: "receiver" }));
  });

  test("finds a repair that finishes nothing", () => {
    expectFailure(exploreTick({ period: ONCE, other: receives, repair: takeLocks }), /to be 1/);
  });

  test("finds one that does not ask whether the tick was sent", () => {
    const forgetful = (): void => {};
    withPlanted(FiringNote.prototype, "sent", forgetful, () => {
      expectFailure(exploreTick({ period: ONCE, other: receives }), /to be 1/);
      expectFailure(exploreTick({ period: TICKER, other: runs, waits: "receiver" }), /to be 1/);
    });
  });
});

describe("afterFunc", () => {
  const TIMER = 1;
  const body = declareBody({ url: "model:timed" }, (() => {}) as Body, "timed");

  const targetOf = ({ i32, timers }: Thread): number => i32[timers.baseOf(TIMER) + T_TARGET] as number;

  /** As `Timer.stop`. */
  const stops: Use = (thread) => {
    if (!thread.timers.stop(TIMER)) return [];
    discardHeld(thread, targetOf(thread));
    endTimerUse(thread, TIMER);
    return [1];
  };
  /** As `Timer.reset`, for a timer that has fired; its next time does not come in the model. */
  const resets: Use = (thread) => {
    const { i32, timers } = thread;
    if (timers.stop(TIMER)) return [timers.start(TIMER, NOW_MS) ?? targetOf(thread)];
    const goroutine = holdGoroutine(thread, body, []);
    i32[timers.baseOf(TIMER) + T_TARGET] = goroutine;
    Atomics.add(i32, timers.baseOf(TIMER) + T_REFS, 1);
    timers.start(TIMER, NOW_MS);
    return [goroutine];
  };

  /** Goroutines in the global queue; one that was put there twice leads in a circle. */
  function queued(host: HostThread): number[] {
    const { i32 } = host;
    const found: number[] = [];
    for (let at = i32[GLOBAL_HEAD] as number; at !== 0; at = i32[host.descriptorOf(at) + G_NEXT] as number) {
      if (found.includes(at)) throw new Error(`goroutine ${at} was queued twice`);
      found.push(at);
    }
    return found;
  }

  function exploreFiring(other: Use, repair: (host: HostThread) => void = repairs): ExploreResult {
    let first = 0;
    return exploreUse({
      threads: [runs, other],
      repair,
      preemptions: 1,
      setup: (host) => {
        const { i32, timers } = host;
        first = holdGoroutine(host, body, []);
        expect(timers.take(FUNCTION_TIMER, first)).toBe(TIMER);
        i32[timers.baseOf(TIMER) + T_REFS] = 2;
        timers.start(TIMER, PERIOD_MS - host.clock());
      },
      check: (host, [, did]) => {
        const { i32, timers } = host;
        host.timers.runDue(0, NOW_MS);
        queued(host);
        // The sweep's part: those that are runnable and on no list.
        new Orphans(host, new Set([VICTIM])).rehome();
        const answer = did as readonly number[];
        const again = other === resets ? answer[0] : undefined;
        const stopped = (other === stops && answer.length > 0) || again === first;
        expect(queued(host)).toEqual(stopped ? [] : [first]);
        expect(i32[timers.baseOf(TIMER) + T_HEAP]).toBe(again === undefined ? 0 : 1);
        // The handle's use, and that of a firing to come; perhaps the dead one's.
        const uses = (i32[timers.baseOf(TIMER) + T_REFS] as number) - (again === undefined ? 1 : 2);
        expect(uses).toBeGreaterThanOrEqual(0);
        expect(uses).toBeLessThanOrEqual(1);
      },
    });
  }

  test("the goroutine is started once, beside another who runs the timer", () => {
    expectNoFailure(exploreFiring(runs));
  });

  test("beside its stop", () => expectNoFailure(exploreFiring(stops)));

  test("beside a reset, which is to start another one", () => expectNoFailure(exploreFiring(resets)));

  test("finds a repair that finishes nothing", () => {
    expectFailure(exploreFiring(stops, takeLocks), /to deeply equal/);
  });

  test("finds one that takes a timer for taken which is in its heap yet", () => {
    const credulous = function (this: { thread: Thread }, _processor: number, dead: number): void {
      const note = new FiringNote(this.thread.memory, dead);
      if (note.stage === 1) note.taken();
    };
    withPlanted(Timers.prototype, "settleTaking", credulous, () =>
      expectFailure(exploreFiring(stops), /to deeply equal/),
    );
  });

  test("finds a firing that starts the goroutine before it ends its note", () => {
    const late = function (this: FiringNote): void {};
    withPlanted(FiringNote.prototype, "end", late, () => expectFailure(exploreFiring(stops), /queued twice/));
  });
});
