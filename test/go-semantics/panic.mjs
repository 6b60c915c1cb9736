/** Bodies that panic, for `panic-main.mjs`. */

import { chan, defer, ErrGroup, go, goroutine, gosched, recover, spawn, WaitGroup } from "heddle";
import { inEveryForm } from "./support/forms.mjs";

/** What is thrown. */
const VALUES = {
  error: () => new Error("boom"),
  "error of a class of its own": () => Object.assign(new RangeError("out of range"), { code: "E_MINE" }),
  "error with a cause": () => new Error("second", { cause: new Error("first") }),
  string: () => "boom",
  number: () => 42,
  object: () => ({ a: 1, b: "two" }),
  undefined: () => undefined,
};

const throws = inEveryForm(import.meta, function* throws(what) {
  yield gosched();
  throw VALUES[what]();
});

const throwsInDeferred = inEveryForm(import.meta, function* throwsInDeferred() {
  defer(() => {
    throw new Error("second");
  });
  yield gosched();
  throw new Error("first");
});

const throwsAgain = inEveryForm(import.meta, function* throwsAgain() {
  defer(() => {
    const error = recover();
    throw error;
  });
  yield gosched();
  throw new Error("again");
});

/** Waits for ever; others pending beside the panic. */
export const waits = inEveryForm(import.meta, function* waits() {
  yield chan().recv();
});

export const computes = goroutine(import.meta, function* computes() {
  for (;;) yield* gosched();
});

/** Starts the panicking goroutine from a goroutine. */
export const starts = goroutine(import.meta, function* starts(what, kind) {
  if (what === "in a deferred call") go(throwsInDeferred[kind]);
  else if (what === "thrown again") go(throwsAgain[kind]);
  else go(throws[kind], what);
  yield* chan().recv();
});

/** What does not panic: the error has somebody to go to, or is stopped. */
export const harmless = goroutine(import.meta, function* harmless() {
  const handle = spawn(throws.generator, "error");
  const told = [];
  try {
    yield* handle;
  } catch (error) {
    told.push(error.message);
  }
  spawn(throws.generator, "error");
  const group = new ErrGroup();
  yield* group.go(throws.async, "error");
  try {
    yield* group.wait();
  } catch (error) {
    told.push(error.message);
  }
  const cancelled = spawn(startsWaiting);
  yield* gosched();
  cancelled.cancel();
  const wg = new WaitGroup();
  wg.go(recovers);
  yield* wg.wait();
  return told;
});

/** Its child ends with the cancellation, which is no panic. */
const startsWaiting = goroutine(import.meta, function* startsWaiting() {
  go(waits.generator);
  go(waits.async);
  yield* chan().recv();
});

const recovers = goroutine(import.meta, function* recovers() {
  defer(() => void recover());
  yield* gosched();
  throw new Error("recovered");
});

/** A panic in a goroutine that a WaitGroup counts. */
export const waitGroupPanics = goroutine(import.meta, function* waitGroupPanics() {
  const wg = new WaitGroup();
  wg.go(throws.generator, "error");
  yield* wg.wait();
  yield* chan().recv();
});
