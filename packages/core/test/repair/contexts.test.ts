/** A thread dies at some step of the end of a context: what follows from that end is done by the repair, for the channel, the timer and the goroutines below. */

import { expect, test } from "vitest";
import { CanceledError } from "../../src/base/errors.ts";
import { cancelContext, finishEnds } from "../../src/context/cancel.ts";
import { CANCELED, contextsOf, EXCEEDED, LIVE } from "../../src/context/tree.ts";
import { C_CLOSED, O_REFS, X_TIMER } from "../../src/memory/layout.ts";
import { DeadLocks } from "../../src/repair/locks.ts";
import { sleep } from "../../src/time/sleep.ts";
import { body, singleMachine } from "../support/single-machine.ts";
import { timedMachine } from "../support/timed-machine.ts";

const sleeps = body(function* sleeps() {
  yield* sleep(60_000);
});

const DIED = new Error("the thread died here");

/** Makes the `step`th atomic operation on the memory throw, once: nothing of what comes behind it is done. False if there were fewer. */
function dyingAfter(step: number, call: () => void): boolean {
  const names = ["store", "load", "or", "and", "add", "sub", "exchange", "compareExchange"] as const;
  const originals = names.map((name) => Atomics[name]);
  let left = step;
  names.forEach((name, place) => {
    Atomics[name] = ((...args: never[]) => {
      if (left-- <= 0) throw DIED;
      return (originals[place] as (...all: never[]) => never)(...args);
    }) as never;
  });
  try {
    call();
  } catch (error) {
    if (error !== DIED) throw error;
    return true;
  } finally {
    names.forEach((name, place) => {
      Atomics[name] = originals[place] as never;
    });
  }
  return false;
}

test("after every step: the channels of all below are closed, and the references that the end took are given back", () => {
  let finished = 0;
  for (let step = 0; ; step++) {
    const { machine, host } = singleMachine();
    const tree = contextsOf(host);
    contextsOf(machine);
    const top = tree.create(0);
    const contexts = [top, tree.create(top)];
    const done = contexts.map((context) => tree.done(context));
    const died = dyingAfter(step, () => cancelContext(machine, top, CANCELED, "why"));
    new DeadLocks(host, machine.number).release();
    finishEnds(host, contexts);
    const { i32 } = host;
    const states = contexts.map((context) => tree.state(context));
    // All or nothing: what had begun is finished.
    expect(new Set(states).size).toBe(1);
    expect(done.map(({ base }) => i32[base + C_CLOSED])).toEqual(
      states.map((state) => Number(state !== LIVE)),
    );
    // The thread may have died with one that it had just taken.
    const extra = contexts.map((context, place) => i32[tree.table.baseOf(context) + O_REFS] - (2 - place));
    expect(Math.max(...extra)).toBeLessThanOrEqual(1);
    expect(Math.min(...extra)).toBe(0);
    if (died && states[0] !== LIVE) finished++;
    if (!died) break;
  }
  expect(finished).toBeGreaterThan(5);
});

test("goroutines that wait under it are told", async () => {
  const { machine, host, settle } = singleMachine({ procs: 2 });
  const tree = contextsOf(host);
  const context = tree.create(0);
  const outcome = Promise.resolve(
    host.spawnDetailed(undefined, context, sleeps as never, []) as PromiseLike<unknown>,
  ).catch((error: unknown) => error);
  await settle();
  // It died when it had ended the context, and told nobody.
  contextsOf(machine).end(context, CANCELED, "why");
  await settle();
  finishEnds(host, [context]);
  await settle();
  host.drain();
  expect(await outcome).toBeInstanceOf(CanceledError);
});

test("a deadline whose timer was taken by a thread that died ends its context", () => {
  const { host, machine, now } = timedMachine();
  const tree = contextsOf(host);
  const context = tree.create(0);
  tree.armDeadline(context, 10);
  const timer = host.i32[tree.table.baseOf(context) + X_TIMER];
  finishEnds(host, [context]);
  expect(tree.state(context)).toBe(LIVE);
  // Taken out of its heap, and then nothing.
  machine.timers.stop(timer);
  expect(now()).toBeGreaterThan(0);
  finishEnds(host, [context]);
  expect(tree.state(context)).toBe(EXCEEDED);
  expect(host.i32[tree.table.baseOf(context) + O_REFS]).toBe(1);
});
