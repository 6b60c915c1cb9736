import { HeddleError } from "heddle";
import { describe, expect, test } from "vitest";
import { onProcs } from "./support/on-procs.ts";
import { endIsAfterCalls, misuse, observe, outside, type PROGRAMS, withoutHandle } from "./unwinding.mjs";

type Kind = "generator" | "async" | "plain";
const KINDS: Kind[] = ["generator", "async", "plain"];

interface Ending {
  value?: unknown;
  error?: string;
  logged: unknown[];
}

/** How each program ends, whatever the kind of its body. `<` stands between an error and its cause. */
const TABLE: Record<keyof typeof PROGRAMS, Ending> = {
  "calls run last in, first out, on return": {
    value: "result",
    logged: ["body", "third", "second", "first"],
  },
  "calls run on throw": { error: "boom", logged: ["second", "first"] },
  "calls run on goexit": { value: undefined, logged: ["second", "first"] },
  "calls run after finally blocks": { error: "boom", logged: ["finally", "deferred"] },
  "a call may register another, which runs next": {
    value: "result",
    logged: ["second", "from second", "first"],
  },
  "a call registered by a function that was called belongs to the goroutine": {
    value: undefined,
    logged: ["helper returns", "body", "from helper"],
  },

  "recover stops an error": { value: undefined, logged: ["deferred: boom"] },
  "recover gives the very error": { value: undefined, logged: [true] },
  "recover gives whatever was thrown": { value: undefined, logged: [42] },
  "recover works once": { value: undefined, logged: ["inner: boom, then undefined", "outer: undefined"] },
  "an error passes calls that do not recover it": { value: undefined, logged: ["inner", "outer: boom"] },
  "recover without an error gives undefined": { value: "result", logged: ["deferred: undefined"] },
  "recover in the body gives undefined, and stops nothing": {
    error: "boom",
    logged: ["undefined", "undefined", "undefined"],
  },

  "an error of a call is the goroutine's": { error: "from call", logged: ["outer"] },
  "an error of a call replaces the earlier one and keeps it as cause": {
    error: "second < first",
    logged: ["outer"],
  },
  "errors of several calls form a chain": { error: "third < second < first", logged: [] },
  "recover sees the latest error, with the earlier one as cause": {
    value: undefined,
    logged: ["outer: second < first"],
  },
  "a cause of its own is kept": { error: "second < own", logged: [] },
  "a recovered error is no cause": { error: "second", logged: ["first"] },
  "an error thrown again is itself": { error: "first", logged: [] },

  "goexit leaves from any depth, through finally blocks": {
    value: undefined,
    logged: ["inner finally", "outer finally", "deferred"],
  },
  "recover does not see goexit": { value: undefined, logged: ["inner: undefined", "outer: undefined"] },
  "a catch that swallows goexit does not save the result": {
    value: undefined,
    logged: ["swallowed", "deferred"],
  },
  "a catch that throws an error instead ends with the error": { error: "instead", logged: ["deferred"] },
  "a goroutine whose catch swallows goexit ends where it would wait": {
    value: undefined,
    logged: ["swallowed", "deferred"],
  },
  "a goroutine that swallows goexit again and again ends": { value: undefined, logged: ["deferred"] },
  "goexit in a call drops the error, and the other calls run": {
    value: undefined,
    logged: ["outer: undefined"],
  },
  "goexit in a call drops the result, too": { value: undefined, logged: ["outer"] },
  "an exit goes on when an error of a call was recovered": {
    value: undefined,
    logged: ["outer: on the way out", "last"],
  },
  "an error of a call during an exit is the goroutine's, if nobody recovers it": {
    error: "on the way out",
    logged: ["outer"],
  },

  "a generator call may wait": { value: "result", logged: ["fed", "waited", "last"] },
  "an async call may wait": { value: "result", logged: ["fed", "waited", "last"] },
  "a plain call may block": { value: "result", logged: ["fed", "waited", "last"] },
  "a generator call recovers after it has waited": { value: undefined, logged: ["boom", "last: undefined"] },
  "an async call recovers after it has waited": { value: undefined, logged: ["boom", "last: undefined"] },
  "a call that waits may fail": { value: undefined, logged: ["last: after waiting < boom"] },
  "calls wait on the way out of goexit": { value: undefined, logged: ["first wait", "second wait"] },
  "goexit in a call that has waited": { value: undefined, logged: ["outer: undefined"] },
  "a call may start goroutines and wait for them": { error: "boom", logged: [42, 43] },
};

onProcs("the end of a goroutine", (runtime) => {
  describe.each(KINDS)("%s body", (kind) => {
    test.each(Object.entries(TABLE))("%s", async (name, ending) => {
      expect(await runtime().run(observe, name, kind)).toEqual(ending);
    });

    test("without a handle, a recovered error and goexit end that goroutine only", async () => {
      expect(await runtime().run(withoutHandle, kind)).toEqual(["boom", "undefined"]);
      expect(runtime().closed).toBe(false);
    });

    test("comes after the deferred calls, for handles and WaitGroups", async () => {
      expect(await runtime().run(endIsAfterCalls, kind)).toEqual([2, 4]);
    });

    test("only functions can be deferred", async () => {
      const outcomes = await runtime().run(misuse[kind]);
      for (const outcome of outcomes) expect(outcome).toMatch(/^TypeError: defer: /);
    });
  });

  test("on the host there is nothing to end", () => {
    const outcomes = runtime().enter(outside) as Record<"defer" | "goexit" | "recover", unknown>;
    expect(outcomes.defer).toBeInstanceOf(HeddleError);
    expect(outcomes.goexit).toBeInstanceOf(HeddleError);
    expect(outcomes.recover).toBeUndefined();
  });
});
