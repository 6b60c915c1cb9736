import { CanceledError } from "heddle";
import { describe, expect, test } from "vitest";
import { onProcs, until } from "./support/on-procs.ts";
import { BODIES, besideBusy, rangeOverTicks } from "./time.mjs";

const FORMS = ["generator", "async", "plain", "host"] as const;

const TABLE: Record<string, unknown> = {
  "a sleep lasts as long as it should, or longer": [true, true, true],
  "a sleep of 0 or less is none": "through",
  "after gives the time, once": [true, true, undefined],
  "a timeout in a select": 1,
  "a timer calls its function": [
    ["async", "generator", "plain"],
    [false, false, false],
  ],
  "a stopped timer does not, and can be set again": {
    stops: [true, false],
    resets: [false, true],
    called: "called",
    after: [false, false, true],
    more: undefined,
  },
  "a ticker ticks until it is stopped": [undefined, undefined, [0, 0]],
  "ticks that nobody takes are dropped": true,
  "a ticker can be set again": undefined,
  mistakes: ["TypeError", "RangeError", "RangeError", "RangeError", "RangeError", "FunctionError"],
};

onProcs("time", (runtime) => {
  describe.each(FORMS)("%s", (form) => {
    test.each(Object.entries(TABLE))("%s", async (name, expected) => {
      const body = BODIES[name][form];
      expect(await (form === "host" ? runtime().enter(() => body()) : runtime().run(body))).toEqual(expected);
    });
  });

  test.each([true, false])("timers run beside a body that is always busy: %s", async (busy) => {
    expect(await runtime().run(besideBusy, busy)).toEqual(["came", true, false]);
  });

  test("a loop over a ticker ends when it is cancelled", async () => {
    const handle = runtime().spawn(rangeOverTicks);
    const cancelled = expect(handle).rejects.toBeInstanceOf(CanceledError);
    await until(() => runtime().stats().parks > 3);
    handle.cancel();
    await cancelled;
  });
});
